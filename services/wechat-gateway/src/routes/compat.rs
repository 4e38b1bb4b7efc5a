//! `/api/wechat/`: the two calls of wechat-server, as software that knows it makes them. Their
//! answers are 200 whatever happens; `success` says whether it worked, and `message` what is shown
//! to the person.

use std::{net::IpAddr, net::Ipv4Addr, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, CACHE_CONTROL},
    web::Data,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use service_kit::clock::Clock;
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use crate::{
    accounts::Account,
    compat::{CompatCodes, Taken},
};

/// Whose codes a person typed.
pub(super) const USER: &str = "/api/wechat/user";

/// The account's access token.
pub(super) const ACCESS_TOKEN: &str = "/api/wechat/access_token";

/// What stands behind these calls.
pub struct WechatServer {
    /// The token that callers send.
    pub token: SecretString,
    /// The account.
    pub account: Arc<Account>,
    /// Its codes.
    pub codes: Arc<CompatCodes>,
    /// The time of day.
    pub clock: Clock,
}

impl WechatServer {
    /// Whether the caller has the token: the whole header, without a scheme.
    fn admits(&self, request: &HttpRequest) -> bool {
        let presented = request.headers().get(AUTHORIZATION);
        let presented = presented.map_or(&b""[..], |value| value.as_bytes());
        presented
            .ct_eq(self.token.expose_secret().as_bytes())
            .into()
    }
}

/// `GET /api/wechat/user?code=`: whose code it is.
pub(super) async fn user(server: Data<WechatServer>, request: HttpRequest) -> HttpResponse {
    if !server.admits(&request) {
        return unauthorized();
    }
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let code = query.find_map(|(name, value)| (name == "code").then_some(value));
    let Some(code) = code.filter(|code| !code.is_empty()) else {
        return refusal("无效的参数");
    };
    match server.codes.take(&code, caller(&request)).await {
        Ok(Taken::Person(openid)) => {
            count("right");
            answer(json!({ "success": true, "message": "", "data": openid.as_str() }))
        }
        Ok(Taken::Nobody) => {
            count("wrong");
            answer(json!({ "success": true, "message": "", "data": "" }))
        }
        Ok(Taken::TooMany) => {
            count("limited");
            refusal("验证码错误次数过多，请稍后再试")
        }
        Err(error) => {
            tracing::error!(%error, "it isn't known whose a code of wechat-server's protocol is");
            refusal("暂时无法验证，请稍后再试")
        }
    }
}

/// `GET /api/wechat/access_token`: the token, and for how many more seconds it is good.
pub(super) async fn access_token(server: Data<WechatServer>, request: HttpRequest) -> HttpResponse {
    if !server.admits(&request) {
        return unauthorized();
    }
    match server.account.tokens.current().await {
        Ok(token) => {
            let left = token.expires_at.duration_since(server.clock.now());
            answer(json!({
                "success": true,
                "message": "",
                "access_token": token.token,
                "expiration": left.as_secs().max(0),
            }))
        }
        Err(error) => {
            tracing::warn!(%error, "there is no access token for a caller of wechat-server's protocol");
            refusal("暂时没有可用的 access_token，请稍后再试")
        }
    }
}

/// The address that calls are counted under.
fn caller(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn count(outcome: &'static str) {
    metrics::counter!("compat_codes_total", "outcome" => outcome).increment(1);
}

fn unauthorized() -> HttpResponse {
    refusal("无权进行此操作，token 无效")
}

fn refusal(message: &str) -> HttpResponse {
    answer(json!({ "success": false, "message": message }))
}

fn answer(body: Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(body)
}
