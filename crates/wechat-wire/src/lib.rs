//! wechat-wire
