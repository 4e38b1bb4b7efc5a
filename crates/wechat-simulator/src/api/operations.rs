//! What operators ask: addresses and quotas.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refusal, acknowledged, refusal, success};
use super::gate::{authorize, check_secret, parameters};
use crate::world::World;

/// How often a month the quotas may be cleared.
const CLEARINGS: u64 = 10;

/// `GET /cgi-bin/getcallbackip`: where pushes come from.
pub(super) async fn callback_addresses(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    authorize(&world, &request)?;
    let addresses = world.account.setup().callback_addresses;
    Ok(success(&json!({ "ip_list": addresses })))
}

/// `GET /cgi-bin/get_api_domain_ip`: where the API is.
pub(super) async fn api_addresses(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    authorize(&world, &request)?;
    Ok(success(&json!({ "ip_list": ["127.0.0.1"] })))
}

/// `POST /cgi-bin/clear_quota`.
pub(super) async fn clear_quota(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Deserialize)]
    struct Wanted {
        appid: String,
    }
    authorize(&world, &request)?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    if wanted.appid != world.account.credentials().app_id {
        return Err(refusal(40013));
    }
    cleared(&world)
}

/// `POST /cgi-bin/clear_quota/v2`: the same with the secret in place of a token.
pub(super) async fn clear_quota_with_secret(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Deserialize)]
    struct Wanted {
        appid: String,
        appsecret: String,
    }
    let wanted = parameters::<Wanted>(&request).ok_or_else(|| refusal(41002))?;
    let credentials = world.account.credentials();
    if wanted.appid != credentials.app_id {
        return Err(refusal(40013));
    }
    check_secret(&world, &wanted.appsecret)?;
    cleared(&world)
}

/// `POST /cgi-bin/openapi/quota/get`.
pub(super) async fn quota(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Deserialize)]
    struct Wanted {
        cgi_path: String,
    }
    authorize(&world, &request)?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    if !wanted.cgi_path.starts_with('/') {
        return Err(refusal(76003));
    }
    let path = wanted.cgi_path.as_str();
    let (daily_limit, used) = match world.account.setup().quota.get(path) {
        Some(limit) => (*limit, world.quotas.used(path)),
        None => (daily_limit(path), world.calls.of(path)),
    };
    let used = used.min(daily_limit);
    let quota = json!({ "daily_limit": daily_limit, "used": used, "remain": daily_limit - used });
    Ok(success(
        &json!({ "errcode": 0, "errmsg": "ok", "quota": quota }),
    ))
}

/// This very call is counted already, so the eleventh one is over the limit.
fn cleared(world: &World) -> Result<HttpResponse, Refusal> {
    let clearings =
        world.calls.of("/cgi-bin/clear_quota") + world.calls.of("/cgi-bin/clear_quota/v2");
    if clearings > CLEARINGS {
        Err(refusal(48006))
    } else {
        world.quotas.clear();
        Ok(acknowledged())
    }
}

/// The daily quotas of a new account.
fn daily_limit(path: &str) -> u64 {
    match path {
        "/cgi-bin/token" => 2_000,
        "/cgi-bin/qrcode/create" => 100_000,
        "/cgi-bin/user/info" => 5_000_000,
        _ => 500_000,
    }
}
