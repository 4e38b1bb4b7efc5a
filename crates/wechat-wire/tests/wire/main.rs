//! The crate from outside: known answers, refusals, and round trips over arbitrary values.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests unwrap, but not the functions beside them"
)]

mod api;
mod api_user_info;
mod envelope_and_reply;
mod error_code;
mod hostile_xml;
mod known_answers;
mod lenient_answers;
mod message_crypto;
mod push;
mod round_trips;
mod signature;
mod signed_push;
