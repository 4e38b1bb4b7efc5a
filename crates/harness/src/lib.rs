//! What tests, the soak, the benchmark and `cargo xtask up` start and speak to: Redis, the two
//! services and the simulator as processes, one made-up account, a browser over HTTP and a phone.
//!
//! Starting processes is blocking code over threads, which each of them can build on. What waits
//! and speaks HTTP or Redis needs the feature `async`.
#![expect(
    clippy::missing_panics_doc,
    reason = "in a test, what fails panics with a sentence that says what was expected"
)]

pub mod account;
pub mod cargo;
pub mod child;
pub mod folder;
pub mod ports;
pub mod services;

#[cfg(feature = "async")]
pub mod deadline;
#[cfg(feature = "async")]
pub mod phone;
#[cfg(feature = "async")]
pub mod process;
#[cfg(feature = "async")]
pub mod redis_server;
#[cfg(feature = "async")]
pub mod service;
#[cfg(feature = "async")]
pub mod simulator;
#[cfg(feature = "async")]
pub mod visitor;
