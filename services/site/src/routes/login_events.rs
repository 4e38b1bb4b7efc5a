//! `GET /api/login/events`: the attempt's status as server-sent events, at once and on every
//! change.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::UPGRADE},
    web::Data,
};
use jiff::Timestamp;
use login_protocol::{attempt::AttemptStatus, problem::ProblemCode, scene::BrowserSecret};
use service_kit::{
    client_address::TrustedProxies,
    held_connection::{self, Held},
    problem::Problem,
    redis::StoreError,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    login::{Status, attempt_of},
    problems,
};
use crate::{
    cookies::Cookies,
    login::Logins,
    login_watch::{LoginWatch, Wait},
    waiting_room::{Full, Seat, WaitingRoom},
};

/// How often a silent stream says something, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// How long a browser waits before it opens a broken stream again.
const RECONNECT_AFTER_MS: u32 = 1000;

/// How long a refused client should leave the stream alone.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long after an attempt's end to look whether it is really over, and how long to leave Redis
/// alone while it is away.
const EXPIRY_CHECK: Duration = Duration::from_millis(500);

/// Opens the stream. It ends after a final status, and when the site stops; the browser then opens
/// another one by itself.
pub(super) async fn follow(
    request: HttpRequest,
    logins: Data<Logins>,
    watch: Data<LoginWatch>,
    room: Data<WaitingRoom>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
    shutdown: Data<CancellationToken>,
) -> Result<HttpResponse, Problem> {
    if request.headers().contains_key(UPGRADE) {
        // What such a request is answered with isn't framed, and pieces that are would corrupt it.
        let detail = "This route speaks no other protocol. Omit the Upgrade header.";
        return Err(Problem::new(ProblemCode::InvalidRequest, detail));
    }
    let secret = attempt_of(&request, &cookies)?;
    let seat = room
        .into_inner()
        .enter(proxies.client(&request))
        .map_err(refusal)?;
    // Waiting begins before reading, so that no change falls between the two.
    let wait = watch.into_inner().wait_for(secret.scene());
    let (status, expires_at, left) = logins.status_and_life(&secret).await?;
    let first = format!("retry: {RECONNECT_AFTER_MS}\n{}", event(status, expires_at));
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        // nginx would buffer events.
        .insert_header(("x-accel-buffering", "no"));
    if status.is_final() {
        return Ok(response.body(first));
    }
    let stream = Stream {
        secret,
        logins: logins.into_inner(),
        wait,
        shutdown: shutdown.into_inner(),
        expires_at,
        over_at: Instant::now() + left,
        last: status,
        _seat: seat,
    };
    let held = held_connection::hold(&request, response, first.into(), async |held| {
        stream.run(held).await;
    });
    held.ok_or_else(|| {
        tracing::error!("can't take over the connection for an event stream");
        problems::internal()
    })
}

fn refusal(full: Full) -> Problem {
    let detail = "Too many browsers are waiting for logins. Poll GET /api/login instead.";
    let problem = Problem::new(ProblemCode::TooManyWaiting, detail).retry_after(RETRY_AFTER);
    match full {
        Full::Client => problem,
        Full::Process => problem.with_status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// One browser's stream after its first event.
struct Stream {
    secret: BrowserSecret,
    logins: Arc<Logins>,
    wait: Wait,
    shutdown: Arc<CancellationToken>,
    expires_at: Option<Timestamp>,
    /// When Redis will have no such attempt any more.
    over_at: Instant,
    last: AttemptStatus,
    _seat: Seat,
}

impl Stream {
    async fn run(mut self, held: Held) {
        while !self.last.is_final() {
            // Expiry is nobody's act, so nobody publishes it. One timer serves both ends.
            let until_expiry = self.until_expiry();
            let news = tokio::select! {
                status = self.wait.news() => Some(status),
                () = sleep(until_expiry.min(KEEP_ALIVE)) => {
                    if until_expiry <= KEEP_ALIVE {
                        // Boxed, so that the stream has room for a Redis request only while it
                        // makes one.
                        Box::pin(self.look_again()).await
                    } else {
                        None
                    }
                }
                () = held.gone() => return,
                () = self.shutdown.cancelled() => break,
            };
            let sent = match news {
                Some(status) if self.last.may_become(status) => {
                    self.last = status;
                    held.send(event(status, self.expires_at).as_bytes())
                }
                Some(_) => Ok(()),
                None => held.send(b":\n\n"),
            };
            if sent.is_err() {
                return;
            }
        }
        // The seat is free and the wait over before the client has noticed the end.
        drop(self);
        held.end().await;
    }

    fn until_expiry(&self) -> Duration {
        let left = self.over_at.saturating_duration_since(Instant::now());
        left.max(EXPIRY_CHECK)
    }

    /// The attempt's status; `None` while Redis is unavailable, and the next read will tell.
    async fn look_again(&mut self) -> Option<AttemptStatus> {
        let read = self.logins.status_and_life(&self.secret).await;
        let (status, _, left) = read.inspect_err(StoreError::log).ok()?;
        // A scan may have prolonged its life.
        self.over_at = Instant::now() + left;
        Some(status)
    }
}

fn event(status: AttemptStatus, expires_at: Option<Timestamp>) -> String {
    let body = Status {
        status,
        expires_at: expires_at.filter(|_| status != AttemptStatus::Expired),
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    format!("event: status\ndata: {body}\n\n")
}
