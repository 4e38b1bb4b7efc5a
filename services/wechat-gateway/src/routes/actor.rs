//! Who calls the internal API.

use std::{
    future::{Ready, ready},
    ops::Deref,
};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, web::Data};

use crate::{
    audit::{Actor, Door},
    console::Console,
};

/// The software of the owner's that sends a request with the API key.
pub(super) struct Caller(Actor);

impl Deref for Caller {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.0
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let console = request.app_data::<Data<Console>>();
        let address = match console {
            Some(console) => Some(console.proxies.client(request)),
            None => request.peer_addr().map(|peer| peer.ip()),
        };
        ready(Ok(Self(Actor {
            door: Door::ApiKey,
            owner: None,
            address,
        })))
    }
}
