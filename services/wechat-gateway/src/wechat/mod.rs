//! WeChat's server API as the gateway uses it.

pub mod access_tokens;
pub mod api;
pub mod clock;
pub mod code_budget;
pub mod code_refusals;
pub mod error;
pub mod missing_right;
pub mod pacing;
pub mod patience;
pub mod pauses;
pub mod profile;
pub mod qr_codes;
pub mod stray_codes;
pub mod token_refresh;
pub mod web_authorization;
