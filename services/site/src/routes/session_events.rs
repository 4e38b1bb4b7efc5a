//! `GET /api/session/events`: whether somebody is signed in as server-sent events, at once and on
//! every change.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use service_kit::{api_description::Problems, client_address::TrustedProxies, problem::Problem};

use super::{login_events, session};
use crate::{
    cookies::Cookies, session_watch::SessionWatch, sessions::store::Sessions,
    waiting_room::WaitingRoom,
};

/// The seats of pages that watch their session: they take none from those who wait for a login.
#[derive(Clone)]
pub struct SignedInRoom(pub Data<WaitingRoom>);

/// Opens the stream. It ends with the session, and when the site stops; the browser then opens
/// another one by itself, and is refused if nobody is signed in any more.
#[utoipa::path(
    get,
    path = "/api/session/events",
    tag = "sessions",
    summary = "Whether somebody is signed in with this browser, at once and on every change: events `session`",
    responses(
        (status = 200, description = "Server-sent events; ends with the session", body = String, content_type = "text/event-stream"),
        Problems<401>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn follow(
    request: HttpRequest,
    sessions: Data<Sessions>,
    watch: Data<SessionWatch>,
    room: Data<SignedInRoom>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
) -> Result<HttpResponse, Problem> {
    let (session, signed_in) = session::signed_in(&request, &sessions, &cookies).await?;
    let room = room.0.clone().into_inner();
    let seat = room
        .enter(proxies.client(&request))
        .map_err(|full| login_events::refusal(full, "Ask GET /api/session instead."))?;
    let watcher = watch
        .into_inner()
        .begin(signed_in.member, session.sha256(), seat);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // nginx would buffer events.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(watcher.events()))
}
