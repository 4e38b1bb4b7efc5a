//! `GET /api/login/events`: the attempt's status as server-sent events, at once and on every
//! change.

use std::time::{Duration, Instant};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::UPGRADE},
    web::Data,
};
use login_protocol::problem::ProblemCode;
use service_kit::{
    api_description::Problems, client_address::TrustedProxies, held_connection, problem::Problem,
};

use super::{login::attempt_of, problems};
use crate::{
    cookies::Cookies,
    event_streams::FirstEvent,
    login::{Followed, Logins},
    login_watch::LoginWatch,
    status_event::event,
    waiting_room::{Full, WaitingRoom},
};

/// How long a browser waits before it opens a broken stream again.
const RECONNECT_AFTER_MS: u32 = 1000;

/// How long a refused client should leave the stream alone.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Opens the stream. It ends after a final status, and when the site stops; the browser then opens
/// another one by itself.
#[utoipa::path(
    get,
    path = "/api/login/events",
    tag = "login",
    summary = "Where this browser's login stands, at once and on every change: events `status`",
    responses(
        (status = 200, description = "Server-sent events; ends after a final status", body = String, content_type = "text/event-stream"),
        Problems<400>,
        Problems<404>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn follow(
    request: HttpRequest,
    logins: Data<Logins>,
    watch: Data<LoginWatch>,
    room: Data<WaitingRoom>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
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
        .map_err(|full| refusal(full, "Poll GET /api/login instead."))?;
    // Waiting begins before reading, so that no change falls between the two.
    let beginning = watch.wait_for(secret.scene(), seat);
    let Followed {
        status,
        expires_at,
        left,
        expiry,
    } = logins.followed(&secret).await?;
    let first = format!("retry: {RECONNECT_AFTER_MS}\n{}", event(status, expires_at));
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        // nginx would buffer events.
        .insert_header(("x-accel-buffering", "no"));
    if status.is_final() {
        return Ok(response.body(first));
    }
    let first_event = FirstEvent {
        status,
        expires_at,
        over_at: Instant::now() + left,
        expiry,
    };
    let held = held_connection::hold(&request, response, first.into(), move |held| {
        beginning.go_on(held, first_event);
    });
    held.ok_or_else(|| {
        tracing::error!("can't take over the connection for an event stream");
        problems::internal()
    })
}

/// There is no room for a stream; there is something else to do instead.
pub(super) fn refusal(full: Full, instead: &str) -> Problem {
    let detail = format!("Too many browsers have event streams open. {instead}");
    let problem = Problem::new(ProblemCode::TooManyWaiting, detail).retry_after(RETRY_AFTER);
    match full {
        Full::Client => problem,
        Full::Process => problem.with_status(StatusCode::SERVICE_UNAVAILABLE),
    }
}
