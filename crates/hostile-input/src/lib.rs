//! What must hold whatever comes in: one function for each place where bytes from outside are read.
//!
//! Each function takes any bytes at all and panics when a property is broken. The fuzz targets in
//! `fuzz/` call them with what the fuzzer makes up, and `tests/seeds.rs` with the seeds that the
//! fuzzer starts from, so that an ordinary test run needs no fuzzer.
#![expect(
    clippy::missing_panics_doc,
    reason = "panicking is how a broken property is reported"
)]

pub mod api_answers;
pub mod decryption;
pub mod gateway_push;
pub mod push;
pub mod scene;
pub mod settings;
