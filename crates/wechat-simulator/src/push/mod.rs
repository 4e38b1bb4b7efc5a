//! Pushing events and messages to the account's callback address, as WeChat does.

mod answer;
mod client;
pub(crate) mod courier;
mod deliveries;
mod request;

pub(crate) use client::{PushClient, VerificationOutcome};
pub(crate) use deliveries::{Deliveries, Delivery};
