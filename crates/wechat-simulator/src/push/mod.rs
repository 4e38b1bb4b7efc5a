//! Pushing events and messages to the account's callback address, as WeChat does.

mod answer;
pub(crate) mod client;
pub(crate) mod courier;
pub(crate) mod deliveries;
pub(crate) mod held;
mod peculiarities;
mod request;
