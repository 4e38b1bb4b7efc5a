//! Sessions: what tells one from another, what ends them all, and what is kept of them.

pub(crate) mod ending;
pub mod identifier;
pub mod other_hosts;
pub mod rules;
pub mod store;
