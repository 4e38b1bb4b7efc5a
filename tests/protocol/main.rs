//! The protocol's steps against a real Redis: the scripts hold the rules that the Rust types state.

mod access_tokens;
mod admission;
mod authorization_codes;
mod bans;
mod digits;
mod events;
mod exchanges;
mod forward_auth;
mod history;
mod interleavings;
mod members;
mod model;
mod older_records;
mod openid_connect;
mod redemption;
mod session_lists;
mod sessions;
mod state_machine;
mod store;
mod subjects;
mod tickets;
mod webhooks;
