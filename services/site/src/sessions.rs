//! Sessions: what tells one from another, and what is kept of them.

pub mod identifier;
pub mod other_hosts;
pub mod rules;
pub mod store;
