//! `/wechat/callback`: what WeChat calls.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, ContentType},
    },
    rt::spawn,
    web::{Bytes, Data, Payload, Query},
};
use jiff::Timestamp;
use service_kit::{random, redis::StoreError, request_bodies, request_id};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use wechat_wire::push::PushBody;

use crate::push::{
    envelope::{Opened, OpenedPush, PushQuery, PushSecurity},
    events::{Handled, LoginEvents},
    figures::count,
    relay::{OnFailure, RawPush, Relay, RelayedAnswer},
    senders::{Origin, Senders},
    usable::UsablePush,
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
        return refused("sender", HttpResponse::Forbidden());
    }
    let body = match request_bodies::read(payload).await {
        Ok(body) => body,
        Err(status) => {
            let reason = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "too_large",
                StatusCode::REQUEST_TIMEOUT => "slow_body",
                _ => "broken_body",
            };
            return refused(reason, HttpResponse::build(status));
        }
    };
    let opened = match security.open(&query, &body, Timestamp::now()) {
        Ok(opened) => opened,
        Err(reason) => {
            tracing::warn!(%reason, "refused a push");
            return refused(reason.label(), HttpResponse::Forbidden());
        }
    };
    let raw = || raw(&request, body.clone(), senders.origin(&request));
    let answer = async {
        match &opened {
            Opened::Push(opened) => {
                act(
                    opened,
                    &raw,
                    began,
                    &security,
                    events,
                    relay.as_ref().as_ref(),
                )
                .await
            }
            Opened::Unusable(reason) => {
                let (relay, deadline) = (relay.as_ref().as_ref(), began + RELAY_BUDGET);
                tracing::warn!(%reason, relayed = relay.is_some(), "did nothing with a signed push");
                count("ignored", reason.label());
                match relay {
                    Some(relay) => relayed(relay.pass_on(&raw(), deadline).await),
                    None => acknowledged(),
                }
            }
        }
    };
    timeout_at(began + TIME_BUDGET, answer)
        .await
        .unwrap_or_else(|_| {
            tracing::error!("a push took too long; WeChat will push it again");
            HttpResponse::ServiceUnavailable().finish()
        })
}

/// Counts a push that isn't taken, and says nothing about why: it can be a forger's.
fn refused(reason: &'static str, mut answer: HttpResponseBuilder) -> HttpResponse {
    count("refused", reason);
    answer.finish()
}

/// Does what the push asks for.
async fn act(
    opened: &OpenedPush,
    raw: &impl Fn() -> RawPush,
    began: Instant,
    security: &PushSecurity,
    events: Data<LoginEvents>,
    relay: Option<&Relay>,
) -> HttpResponse {
    let deadline = began + TIME_BUDGET;
    match relay {
        Some(relay) if !LoginEvents::is_login(&opened.push) => {
            // The owner's backend doesn't wait for our Redis, and its answer isn't lost to it.
            let push = opened.push.clone();
            let stored = spawn(request_id::carried(async move {
                store(&events, &push, deadline).await
            }));
            let answer = relay.pass_on(&raw(), began + RELAY_BUDGET).await;
            if opened.push.push.body == PushBody::Unsubscribe {
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
                in_words(security, opened, Some(reply))
            }
            Ok(Handled::Other { reply }) => in_words(security, opened, reply),
            Err(_) => unavailable(),
        },
    }
}

/// Stores what a push says. While Redis fails, it is tried again until the deadline: a restart of Redis
/// takes less than WeChat waits.
async fn store(
    events: &LoginEvents,
    push: &UsablePush,
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

fn raw(request: &HttpRequest, body: Bytes, origin: Origin) -> RawPush {
    let content_type = request.headers().get(CONTENT_TYPE);
    RawPush {
        query: request.query_string().to_owned(),
        content_type: content_type.map(|value| value.as_bytes().to_vec()),
        body,
        origin,
    }
}

fn in_words(security: &PushSecurity, opened: &OpenedPush, reply: Option<String>) -> HttpResponse {
    let Some(text) = reply else {
        return acknowledged();
    };
    // Without random bytes nothing can be encrypted. The login is stored; only the words are lost.
    let random = match random::bytes() {
        Ok(random) => random,
        Err(error) => {
            tracing::error!(%error, "a push is answered without its reply");
            return acknowledged();
        }
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
