//! `POST /cgi-bin/message/custom/send`: a message outside the answer to a push.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::Deserialize;

use super::answer::{Refusal, acknowledged, refusal};
use super::gate::authorize;
use crate::chats::Author;
use crate::message_window::MessageRefused;
use crate::world::World;

#[derive(Deserialize)]
struct Wanted {
    touser: String,
    msgtype: String,
    #[serde(default)]
    text: Text,
}

#[derive(Default, Deserialize)]
struct Text {
    #[serde(default)]
    content: String,
}

/// Sends a message to someone who followed, scanned or wrote a short time ago.
pub(super) async fn send(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    authorize(&world, &request)?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    let now = Timestamp::now();
    let taken = world.people.change_by_openid(&wanted.touser, |person| {
        let taken = person.follow.as_ref().map(|_| person.messages.take(now));
        taken.map(|taken| taken.map(|()| person.id.clone()))
    });
    let person = match taken {
        None => return Err(refusal(40003)),
        Some(None | Some(Err(MessageRefused::OutOfTime))) => return Err(refusal(45015)),
        Some(Some(Err(MessageRefused::UsedUp))) => return Err(refusal(45047)),
        Some(Some(Ok(person))) => person,
    };
    let text = if wanted.msgtype == "text" {
        wanted.text.content
    } else {
        format!("[{}]", wanted.msgtype)
    };
    world.write(&person, Author::Account, text, now);
    Ok(acknowledged())
}
