//! `GET /cgi-bin/token` and `POST /cgi-bin/stable_token`.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use wechat_wire::api::AccessTokenGranted;

use super::answer::{Refusal, not_in_whitelist, refusal, success};
use super::gate::{check_secret, parameters};
use crate::tokens::Granted;
use crate::world::World;

/// The same members arrive as a query or as a JSON body.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Application {
    grant_type: String,
    appid: String,
    secret: String,
    force_refresh: bool,
}

/// A new token each time; the one before works for five minutes more.
pub(super) async fn classic(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let application = parameters::<Application>(&request).unwrap_or_default();
    admit(&world, &request, &application)?;
    let lifetime = world.account.setup().token_lifetime();
    Ok(granted(world.tokens.classic(Timestamp::now(), lifetime)))
}

/// The same token until little is left of it, unless a refresh is forced.
pub(super) async fn stable(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    if body.is_empty() {
        return Err(refusal(44002));
    }
    let application: Application = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    admit(&world, &request, &application)?;
    let lifetime = world.account.setup().token_lifetime();
    let now = Timestamp::now();
    Ok(granted(if application.force_refresh {
        world.tokens.stable_forced(now, lifetime)
    } else {
        world.tokens.stable(now, lifetime)
    }))
}

fn admit(world: &World, request: &HttpRequest, application: &Application) -> Result<(), Refusal> {
    let credentials = world.account.credentials();
    let wrong = if application.grant_type != "client_credential" {
        Some(40002)
    } else if application.appid.is_empty() {
        Some(41002)
    } else if application.appid != credentials.app_id {
        Some(40013)
    } else if application.secret.is_empty() {
        Some(41004)
    } else {
        None
    };
    if let Some(errcode) = wrong {
        return Err(refusal(errcode));
    }
    check_secret(world, &application.secret)?;
    if world.account.setup().whitelist_ok {
        return Ok(());
    }
    let address = request.peer_addr().map(|address| address.ip().to_string());
    Err(not_in_whitelist(&address.unwrap_or_default()))
}

fn granted(granted: Granted) -> HttpResponse {
    success(&AccessTokenGranted {
        access_token: SecretString::from(granted.access_token),
        expires_in: Some(granted.expires_in.unsigned_abs()),
    })
}
