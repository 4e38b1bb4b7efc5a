//! Webhooks: telling the owner's software what happened, as [Standard Webhooks] say.
//!
//! Redis holds how far each receiver is (`login_protocol::steps::webhooks`). Of all gateways one
//! delivers to a receiver at a time; the others are ready to go on.
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com

mod agenda;
mod deliverer;
mod failure;
mod figures;
mod receiver;
mod receivers;
mod report;
mod schedule;

pub use failure::Failure;
pub use receivers::{Again, RedeliverError, Webhooks, WebhooksError};
pub use report::Report;
