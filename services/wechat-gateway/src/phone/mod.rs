//! What a phone opens from the account's reply.

pub mod links;
pub mod pages;
