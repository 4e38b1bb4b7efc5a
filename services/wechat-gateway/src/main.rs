//! wechat-gateway
fn main() {}
