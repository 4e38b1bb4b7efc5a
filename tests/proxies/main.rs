//! The whole system behind a real nginx: the configurations of `docs` and of `deploy` as they
//! stand there.

mod caddy;
mod edge;
mod forward_auth;
mod journey;
mod readme;
mod webhook_certificate;
