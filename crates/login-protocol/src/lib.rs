//! What the gateway and the site agree on, and nothing else.
//!
//! The two services meet in three places: the gateway's HTTP API ([`gateway_api`]), the login
//! attempt in Redis ([`attempt`], [`steps`]) and the channel on which its changes are published
//! ([`status_change`]). This crate owns those formats and does no I/O itself: a [`steps::Step`]
//! says what Redis is asked and what its reply means, and a service runs it.
//!
//! Key names are private to this crate.

pub mod account;
pub mod account_picture;
pub mod attempt;
pub mod client_nets;
pub mod digits;
pub mod event;
pub mod gateway_api;
pub mod history;
pub mod identity;
pub mod login_prompt;
pub mod member;
pub mod method;
pub mod problem;
mod redis_keys;
pub mod scene;
pub mod session_change;
pub mod session_end;
pub mod site;
pub mod status_change;
pub mod steps;
pub mod subject;
pub mod webhook;
