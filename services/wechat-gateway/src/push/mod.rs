//! What WeChat pushes: opening it, acting on it, answering it.

pub mod envelope;
pub mod events;
pub mod figures;
pub(crate) mod happenings;
pub mod intake;
pub mod relay;
pub mod replies;
pub mod senders;
pub mod template;
pub mod usable;
