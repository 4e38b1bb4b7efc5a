//! WeChat's server API as the gateway uses it.

pub mod access_tokens;
pub mod api;
pub mod error;
pub mod qr_codes;
