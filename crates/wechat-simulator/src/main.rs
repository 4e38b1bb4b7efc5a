//! wechat-simulator
fn main() {}
