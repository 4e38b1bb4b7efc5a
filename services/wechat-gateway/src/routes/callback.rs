//! `/wechat/callback`: what WeChat calls.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::ContentType,
    web::{Data, Payload, Query},
};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::push::{
    envelope::{PushQuery, PushSecurity, Refusal},
    events::LoginEvents,
};

/// The largest push that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a body may take to arrive. WeChat sends it with the head; who doesn't is made to let go of
/// the connection.
const BODY_TIMEOUT: Duration = Duration::from_secs(3);

/// How long handling may take. WeChat waits five seconds, then pushes again.
const TIME_BUDGET: Duration = Duration::from_secs(4);

/// What WeChat takes for "understood, nothing to say".
const ACKNOWLEDGED: &str = "success";

/// `GET`: WeChat's console checks that the address is ours.
pub(super) async fn verify(query: Query<PushQuery>, security: Data<PushSecurity>) -> HttpResponse {
    if security.is_signed(&query) {
        tracing::info!("WeChat verified the callback address");
        HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body(query.into_inner().echostr)
    } else {
        tracing::warn!(
            "refused a verification: the signature is wrong; compare wechat.token with WeChat's console"
        );
        HttpResponse::Forbidden().finish()
    }
}

/// `POST`: a push. Stored first, answered after.
pub(super) async fn receive(
    query: Query<PushQuery>,
    payload: Payload,
    security: Data<PushSecurity>,
    events: Data<LoginEvents>,
) -> HttpResponse {
    let body = match timeout(BODY_TIMEOUT, payload.to_bytes_limited(BODY_LIMIT)).await {
        Ok(Ok(Ok(body))) => body,
        Ok(Ok(Err(_))) => return HttpResponse::BadRequest().finish(),
        Ok(Err(_)) => return HttpResponse::PayloadTooLarge().finish(),
        Err(_) => return HttpResponse::RequestTimeout().force_close().finish(),
    };
    let opened = match security.open(&query, &body) {
        Ok(opened) => opened,
        Err(reason @ Refusal::Forbidden(_)) => {
            tracing::warn!(%reason, "refused a push");
            return HttpResponse::Forbidden().finish();
        }
        Err(reason @ Refusal::Malformed(_)) => {
            tracing::warn!(%reason, "refused a push that can't be read");
            return HttpResponse::BadRequest().finish();
        }
    };
    match timeout(TIME_BUDGET, events.handle(&opened.push)).await {
        Ok(Ok(None)) => HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body(ACKNOWLEDGED),
        Ok(Ok(Some(text))) => {
            let mut random = [0; 16];
            if getrandom::fill(&mut random).is_err() {
                // The login is stored; only the words to the phone are lost.
                return HttpResponse::Ok()
                    .content_type(ContentType::plaintext())
                    .body(ACKNOWLEDGED);
            }
            let reply = security.seal(&opened, text, Timestamp::now().as_second(), random);
            HttpResponse::Ok()
                .content_type("text/xml; charset=utf-8")
                .body(reply)
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a push couldn't be stored; WeChat will push it again");
            HttpResponse::ServiceUnavailable().finish()
        }
        Err(_) => {
            tracing::error!("a push took too long; WeChat will push it again");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}
