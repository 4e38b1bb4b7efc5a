//! WeChat's own formats: signatures, safe-mode cryptography, the XML of pushes and replies, and
//! the JSON bodies and error codes of the server API.
//!
//! Every function here is pure. Nothing does I/O, reads a clock or draws random numbers: times,
//! nonces and random bytes arrive as arguments, so the gateway, which receives what WeChat sends,
//! and the simulator, which sends it, share one description of the wire format.
//!
//! Protocol facts come from the official documentation at `developers.weixin.qq.com` (pages
//! `/doc/oplatform/developers/dev/push` for pushes, `/doc/service/api/` for the API) and, where
//! that is silent, from recorded traffic and the issue threads cited beside the code.

pub mod api;
pub mod diagnostics;
pub mod envelope;
pub mod error_code;
pub mod ids;
pub mod message_crypto;
pub mod push;
pub mod reply;
pub mod signature;
pub mod signed_push;
pub mod web_authorization;
pub mod xml;

mod answer;
mod json;
mod members;
