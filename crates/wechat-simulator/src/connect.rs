//! `open.weixin.qq.com/connect`, as a browser calls it.
//!
//! The real WeChat knows whose phone it runs on. Here the phone page says so with a cookie, and
//! with another one that the page was opened from the account's chat.

use actix_web::http::header;
use actix_web::web::{self, Data, Form, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::people::Person;
use crate::web_authorization::error_page::ErrorPage;
use crate::web_authorization::request::AuthorizeRequest;
use crate::web_authorization::{self, Return, Step, page};
use crate::world::World;

/// The path of the authorisation's address.
pub(crate) const AUTHORIZE: &str = "/connect/oauth2/authorize";

/// The cookie that names the person who holds the phone.
const PHONE: &str = "wechat-phone";

/// The cookie that names the person who opened a page from the account's chat.
const CHAT: &str = "wechat-chat";

/// Adds the address.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route(AUTHORIZE, web::get().to(begin))
        .route(AUTHORIZE, web::post().to(decide));
}

#[derive(Deserialize)]
struct Pressed {
    decision: Decision,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allow,
    Deny,
}

async fn begin(world: Data<World>, request: HttpRequest) -> HttpResponse {
    world.calls.count(AUTHORIZE);
    let asked = holder(&world, &request).and_then(|person| {
        let wanted = AuthorizeRequest::parse(request.query_string())?;
        let from_chat = cookie(&request, CHAT).is_some_and(|id| id == person.id);
        match web_authorization::begin(&world, &wanted, &person, from_chat)? {
            Step::Return(back) => Ok(send_back(&back)),
            Step::Ask => Ok(page::respond(page::consent(
                &wanted,
                &person,
                &world.public_url,
            ))),
        }
    });
    asked.unwrap_or_else(failed)
}

async fn decide(world: Data<World>, request: HttpRequest, pressed: Form<Pressed>) -> HttpResponse {
    if pressed.decision == Decision::Deny {
        return page::respond(page::refused());
    }
    let agreed = holder(&world, &request).and_then(|person| {
        let wanted = AuthorizeRequest::parse(request.query_string())?;
        web_authorization::agree(&world, &wanted, &person)
    });
    agreed.map_or_else(failed, |back| send_back(&back))
}

fn holder(world: &World, request: &HttpRequest) -> Result<Person, ErrorPage> {
    cookie(request, PHONE)
        .and_then(|id| world.people.find(&id))
        .ok_or(ErrorPage::NotInWechat)
}

fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    request.cookie(name).map(|cookie| cookie.value().to_owned())
}

fn send_back(back: &Return) -> HttpResponse {
    if back.twice {
        return page::respond(page::back_twice(&back.url));
    }
    HttpResponse::Found()
        .insert_header((header::LOCATION, back.url.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

fn failed(error: ErrorPage) -> HttpResponse {
    page::respond(page::error(error))
}
