//! The OpenID Connect provider: any software that speaks it can use the login.
//!
//! OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0, Back-Channel Logout 1.0; RFC
//! 6749, 6750, 7009, 7636, 7662, 8252, 9207, 9700. Without a client in the settings there is
//! nothing of it: no route, no key in Redis, no background task.
//!
//! Each endpoint is a file, whose errors are OAuth's. What Redis holds is in
//! `login_protocol::steps::oidc`.

mod authorization;
mod authorization_request;
mod authorize;
mod backchannel;
mod claims;
mod client_authentication;
pub mod clients;
pub(crate) mod cors;
pub mod courier;
mod discovery;
mod endings;
pub(crate) mod endpoints;
mod failures;
mod grant_record;
mod grants;
mod id_token;
mod introspection;
mod jwks;
mod kept_pairs;
mod key_ring;
mod login_page;
mod logout;
mod pages;
mod parameters;
pub(crate) mod paths;
pub mod provider;
mod refusal;
mod remembered_grants;
mod revocation;
mod sealing;
pub mod signing_keys;
mod standing;
mod token;
mod tokens;
mod userinfo;
