//! Real processes die, and logins go on.

mod cluster;
mod every_phase;
mod exhausted_codes;
mod login;
mod mid_request;
mod sentinel;
mod start;
mod stop_under_load;
mod system;
mod upgrade;
mod wechat;
