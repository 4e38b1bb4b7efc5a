//! `/wechat/callback`: what WeChat calls.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, ContentType},
    rt::spawn,
    web::{Bytes, Data, Payload, Query},
};
use jiff::Timestamp;
use service_kit::{redis::StoreError, request_bodies, request_id};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use wechat_wire::push::{Push, PushBody};

use crate::push::{
    envelope::{Opened, PushQuery, PushSecurity, Refusal},
    events::{Handled, LoginEvents},
    relay::{OnFailure, RawPush, Relay, RelayedAnswer},
    senders::Senders,
};

/// How long handling may take. WeChat waits five seconds, then pushes again.
const TIME_BUDGET: Duration = Duration::from_secs(4);

/// When the owner's backend must have answered, from the push's arrival: a little before all is over,
/// so that its slowness ends as the owner wants it and not in another push.
const RELAY_BUDGET: Duration = Duration::from_millis(3700);

/// How long to wait before a push that Redis didn't take is stored again, while there is time.
const STORE_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How long a backend's answer waits for our own storing, which goes on behind it.
const STORING_IN_PASSING: Duration = Duration::from_millis(200);

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
    request: HttpRequest,
    query: Query<PushQuery>,
    payload: Payload,
    security: Data<PushSecurity>,
    senders: Data<Senders>,
    events: Data<LoginEvents>,
    relay: Data<Option<Relay>>,
) -> HttpResponse {
    let began = Instant::now();
    if let Some(sender) = senders.stranger(&request) {
        tracing::warn!(
            %sender,
            "refused a push: its sender is none of WeChat's callback addresses; behind a reverse proxy, \
             public.trusted_proxies must hold the proxy's address"
        );
        return HttpResponse::Forbidden().finish();
    }
    let body = match request_bodies::read(payload).await {
        Ok(body) => body,
        Err(refusal) => return HttpResponse::build(refusal).finish(),
    };
    let opened = match security.open(&query, &body, Timestamp::now()) {
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
    let answer = async {
        let raw = || raw(&request, body.clone());
        let deadline = began + TIME_BUDGET;
        match relay.as_ref() {
            Some(relay) if !LoginEvents::is_login(&opened.push) => {
                // The owner's backend doesn't wait for our Redis, and its answer isn't lost to it.
                let push = opened.push.clone();
                let stored = spawn(request_id::carried(async move {
                    store(&events, &push, deadline).await
                }));
                let answer = relay.pass_on(&raw(), began + RELAY_BUDGET).await;
                if opened.push.body == PushBody::Unsubscribe {
                    // Nobody reads an answer to this one, so that WeChat may well push it again.
                    return match stored.await {
                        Ok(Ok(_)) => relayed(answer),
                        _ => unavailable(),
                    };
                }
                if timeout(STORING_IN_PASSING, stored).await.is_err() {
                    tracing::error!("a push was relayed while Redis is slow to store its member");
                }
                relayed(answer)
            }
            relay => match store(&events, &opened.push, deadline).await {
                Ok(Handled::Login { reply }) => {
                    if let Some(relay) = relay {
                        relay.copy_login(raw());
                    }
                    in_words(&security, &opened, Some(reply))
                }
                Ok(Handled::Other { reply }) => in_words(&security, &opened, reply),
                Err(_) => unavailable(),
            },
        }
    };
    timeout_at(began + TIME_BUDGET, answer)
        .await
        .unwrap_or_else(|_| {
            tracing::error!("a push took too long; WeChat will push it again");
            HttpResponse::ServiceUnavailable().finish()
        })
}

/// Stores what a push says. While Redis fails, it is tried again until the deadline: a restart of Redis
/// takes less than WeChat waits.
async fn store(
    events: &LoginEvents,
    push: &Push,
    deadline: Instant,
) -> Result<Handled, StoreError> {
    loop {
        match events.handle(push).await {
            Err(error) if Instant::now() + STORE_AGAIN_AFTER < deadline => {
                tracing::debug!(%error, "a push isn't stored yet");
                sleep(STORE_AGAIN_AFTER).await;
            }
            handled => {
                return handled
                    .inspect_err(|error| tracing::error!(%error, "a push couldn't be stored"));
            }
        }
    }
}

/// WeChat pushes again.
fn unavailable() -> HttpResponse {
    HttpResponse::ServiceUnavailable().finish()
}

fn raw(request: &HttpRequest, body: Bytes) -> RawPush {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    RawPush {
        query: request.query_string().to_owned(),
        content_type: content_type.map(str::to_owned),
        body,
    }
}

fn in_words(security: &PushSecurity, opened: &Opened, reply: Option<String>) -> HttpResponse {
    let mut random = [0; 16];
    // Without random bytes nothing can be encrypted. The login is stored; only the words are lost.
    let Some(text) = reply.filter(|_| getrandom::fill(&mut random).is_ok()) else {
        return acknowledged();
    };
    let reply = security.seal(opened, &text, Timestamp::now().as_second(), random);
    HttpResponse::Ok()
        .content_type("text/xml; charset=utf-8")
        .body(reply)
}

fn relayed(answer: Result<RelayedAnswer, OnFailure>) -> HttpResponse {
    match answer {
        Ok(RelayedAnswer { content_type, body }) => {
            let content_type = content_type.unwrap_or_else(|| "text/plain".to_owned());
            HttpResponse::Ok().content_type(content_type).body(body)
        }
        Err(OnFailure::Acknowledge) => acknowledged(),
        Err(OnFailure::Retry) => unavailable(),
    }
}

fn acknowledged() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(ACKNOWLEDGED)
}
