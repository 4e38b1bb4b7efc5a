//! What the whole-system tests stand on: the real binaries as processes, a Redis of their own, the
//! simulator as WeChat, visitors over HTTP. Every test starts what it needs and ends it.
#![expect(
    clippy::missing_panics_doc,
    reason = "in a test, what fails panics with a sentence that says what was expected"
)]

pub use harness::{deadline, redis_server, simulator, visitor};

pub mod attempts;
pub mod axe;
pub mod binaries;
pub mod browser;
pub mod caddy;
pub mod edge;
pub mod forward_proxy;
pub mod gallery;
pub mod hostile_client;
pub mod log_folder;
pub mod login_page;
pub mod news;
pub mod nginx;
pub mod older_records;
pub mod otlp_receiver;
pub mod pages;
pub mod phone_tab;
pub mod process;
pub mod prometheus;
pub mod proof_of_work;
pub mod protected_host;
mod publish;
pub mod redis_cluster;
pub mod redis_node;
pub mod redis_proxy;
pub mod redis_sentinel;
pub mod sessions;
pub mod socks_proxy;
pub mod stack;
pub mod unreadable;
pub mod webhook_receiver;
