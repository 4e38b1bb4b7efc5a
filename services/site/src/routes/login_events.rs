//! `GET /api/login/events`: the attempt's status as server-sent events, at once and on every change.

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data},
};
use futures_util::{Stream, stream};
use jiff::{SignedDuration, Timestamp};
use login_protocol::{attempt::AttemptStatus, problem::ProblemCode, scene::BrowserSecret};
use service_kit::{client_address::TrustedProxies, problem::Problem};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::login::{Status, attempt_of};
use crate::{
    cookies::Cookies,
    login::Logins,
    login_watch::{LoginWatch, Wait},
    waiting_room::{Full, Seat, WaitingRoom},
};

/// How often a silent stream says something, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long a browser waits before it opens a broken stream again.
const RECONNECT_AFTER_MS: u32 = 1000;

/// How long a refused client should leave the stream alone.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long after an attempt's end to look whether it is really over: the clocks of the site and of
/// Redis differ.
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
    let secret = attempt_of(&request, &cookies)?;
    let seat = room
        .into_inner()
        .enter(proxies.client(&request))
        .map_err(refusal)?;
    // Waiting begins before reading, so that no change falls between the two.
    let wait = watch.into_inner().wait_for(secret.scene());
    let (status, expires_at) = logins.status(&secret).await?;
    let events = Events {
        secret,
        logins: logins.into_inner(),
        wait,
        shutdown: shutdown.into_inner(),
        expires_at,
        last: None,
        next: Next::Status(status),
        _seat: seat,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // nginx would hold events back to fill a buffer.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events.into_stream()))
}

fn refusal(full: Full) -> Problem {
    let detail = "Too many browsers wait for logins. Ask GET /api/login from time to time instead.";
    let problem = Problem::new(ProblemCode::TooManyWaiting, detail).retry_after(RETRY_AFTER);
    match full {
        Full::Client => problem,
        Full::Process => problem.with_status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

struct Events {
    secret: BrowserSecret,
    logins: Arc<Logins>,
    wait: Wait,
    shutdown: Arc<CancellationToken>,
    expires_at: Option<Timestamp>,
    last: Option<AttemptStatus>,
    next: Next,
    _seat: Seat,
}

enum Next {
    Status(AttemptStatus),
    Wait,
    End,
}

impl Events {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut events| {
            let chunk = events.chunk().await?;
            Some((Ok(chunk), events))
        })
    }

    /// The next piece of the stream; `None` ends it.
    async fn chunk(&mut self) -> Option<Bytes> {
        loop {
            match std::mem::replace(&mut self.next, Next::Wait) {
                Next::Status(status) if self.last.is_none_or(|last| last.may_become(status)) => {
                    return Some(self.event(status));
                }
                Next::Status(_) => {}
                Next::End => return None,
                Next::Wait => {
                    let until_expiry = self.until_expiry();
                    tokio::select! {
                        status = self.wait.news() => self.next = Next::Status(status),
                        () = sleep(until_expiry) => self.next = self.look_again().await,
                        () = sleep(KEEP_ALIVE) => return Some(Bytes::from_static(b":\n\n")),
                        () = self.shutdown.cancelled() => return None,
                    }
                }
            }
        }
    }

    fn event(&mut self, status: AttemptStatus) -> Bytes {
        let retry = if self.last.is_none() {
            format!("retry: {RECONNECT_AFTER_MS}\n")
        } else {
            String::new()
        };
        self.last = Some(status);
        if status.is_final() {
            self.next = Next::End;
        }
        let body = Status {
            status,
            expires_at: self.expires_at.filter(|_| status != AttemptStatus::Expired),
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        Bytes::from(format!("{retry}event: status\ndata: {body}\n\n"))
    }

    fn until_expiry(&self) -> Duration {
        let left = self
            .expires_at
            .map(|at| at.duration_since(Timestamp::now()));
        let left = left.unwrap_or(SignedDuration::ZERO);
        Duration::try_from(left)
            .unwrap_or_default()
            .max(EXPIRY_CHECK)
    }

    /// Expiry is nobody's act, so nobody publishes it.
    async fn look_again(&self) -> Next {
        match self.logins.status(&self.secret).await {
            Ok((status, _)) => Next::Status(status),
            // Redis is away; the next look will tell.
            Err(_) => Next::Wait,
        }
    }
}
