//! `/wechat/callback`: what WeChat calls.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, ContentType},
    },
    web::{Bytes, Payload, Query},
};
use login_protocol::account::AccountName;
use service_kit::{api_description::Problems, request_bodies};
use tokio::time::Instant;

use super::account::AccountInPath;
use crate::push::{
    envelope::PushQuery,
    figures::count,
    intake::Answer,
    relay::{RawPush, RelayedAnswer},
    senders::Origin,
};

/// What WeChat takes for "understood, nothing to say".
const ACKNOWLEDGED: &str = "success";

/// `GET`: WeChat's console verifies the URL.
#[utoipa::path(
    get,
    path = "/wechat/callback",
    tag = "callback",
    summary = "WeChat's console verifies the URL",
    params(PushQuery),
    responses(
        (status = 200, description = "`echostr`", body = String, content_type = "text/plain"),
        (status = 403, description = "The signature is wrong"),
        Problems<404>
    )
)]
pub(super) async fn verify(account: AccountInPath, query: Query<PushQuery>) -> HttpResponse {
    let name = account.name.in_log();
    if account.pushes.is_signed(&query) {
        tracing::info!(account = name, "WeChat verified the callback URL");
        HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body(query.into_inner().echostr)
    } else {
        tracing::warn!(
            account = name,
            "refused a verification: the signature is wrong; compare wechat.token with WeChat's console"
        );
        HttpResponse::Forbidden().finish()
    }
}

/// `POST`: a push.
#[utoipa::path(
    post,
    path = "/wechat/callback",
    tag = "callback",
    summary = "WeChat pushes a message or an event",
    params(PushQuery),
    request_body(content = String, content_type = "text/xml"),
    responses(
        (status = 200, description = "A reply, or `success`", content(
            (String = "text/xml"), (String = "text/plain")
        )),
        (status = 400, description = "The body can't be read"),
        (status = 403, description = "The signature is wrong"),
        Problems<404>,
        (status = 408, description = "The body was too slow"),
        (status = 413, description = "The body is larger than 64 KiB"),
        (status = 503, description = "The result couldn't be stored; WeChat pushes again")
    )
)]
pub(super) async fn receive(
    request: HttpRequest,
    query: Query<PushQuery>,
    payload: Payload,
    account: AccountInPath,
) -> HttpResponse {
    let arrived = Instant::now();
    if let Some(sender) = account.pushes.stranger(&request) {
        tracing::warn!(
            account = account.name.in_log(),
            %sender,
            "refused a push: its sender is not one of WeChat's callback IPs; behind a reverse proxy, \
             add the proxy to public.trusted_proxies"
        );
        return refused(&account.name, "sender", HttpResponse::Forbidden());
    }
    let body = match request_bodies::read(payload).await {
        Ok(body) => body,
        Err(status) => return refused(&account.name, unread(status), HttpResponse::build(status)),
    };
    let raw = || raw(&request, body.clone(), account.pushes.origin(&request));
    match account.pushes.take(&query, &body, raw, arrived).await {
        Ok(answer) => answered(answer),
        Err(reason) => {
            tracing::warn!(account = account.name.in_log(), %reason, "refused a push");
            refused(&account.name, reason.label(), HttpResponse::Forbidden())
        }
    }
}

/// Counts a push that isn't taken, and says nothing about why: it can be a forger's.
fn refused(
    account: &AccountName,
    reason: &'static str,
    mut answer: HttpResponseBuilder,
) -> HttpResponse {
    count(account, "refused", reason);
    answer.finish()
}

/// Why a body can't be read, in the metrics.
fn unread(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::REQUEST_TIMEOUT => "slow_body",
        _ => "broken_body",
    }
}

fn raw(request: &HttpRequest, body: Bytes, origin: Origin) -> RawPush {
    let content_type = request.headers().get(CONTENT_TYPE);
    RawPush {
        query: request.query_string().to_owned(),
        content_type: content_type.map(|value| value.as_bytes().to_vec()),
        body,
        origin,
    }
}

fn answered(answer: Answer) -> HttpResponse {
    match answer {
        Answer::Acknowledged => HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body(ACKNOWLEDGED),
        Answer::Reply(xml) => HttpResponse::Ok()
            .content_type("text/xml; charset=utf-8")
            .body(xml),
        Answer::Relayed(RelayedAnswer { content_type, body }) => {
            let content_type = content_type.unwrap_or_else(|| "text/plain".to_owned());
            HttpResponse::Ok().content_type(content_type).body(body)
        }
        Answer::PushAgain => HttpResponse::ServiceUnavailable().finish(),
    }
}
