//! Pushing events and messages to the account's callback address, as WeChat does.

mod answer;
mod client;
pub(crate) mod courier;
mod deliveries;
mod held;
mod peculiarities;
mod request;

pub(crate) use client::{PushClient, VerificationOutcome};
pub(crate) use deliveries::{Deliveries, Delivery};
pub(crate) use held::{HeldPushes, ReleaseOrder};
