//! The simulator as a process, with a callback receiver that sees every byte it pushes.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod account_troubles;
mod api;
mod links;
mod odd_pushes;
mod page_server;
mod phone;
mod process;
mod pushes;
mod receiver;
mod web_authorization;
