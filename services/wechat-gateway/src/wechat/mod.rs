//! WeChat's server API as the gateway uses it.

pub mod access_tokens;
pub mod api;
pub mod error;
pub mod profile;
pub mod qr_codes;
pub mod web_authorization;
