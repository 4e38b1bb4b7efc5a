//! The OpenID Connect provider, as clients, browsers and attackers meet it.

mod authorization;
mod backchannel;
pub(crate) mod client;
mod cors;
mod edges;
mod flow;
mod keys;
mod logout;
mod refresh;
mod settings;
mod token;
mod told;
