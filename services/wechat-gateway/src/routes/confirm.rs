//! `/wechat/oauth/confirm`: the person who scanned decides on the phone (tap mode).

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Form, Query},
};
use login_protocol::{scene::Scene, steps::Decision};
use serde::Deserialize;
use service_kit::redis::StoreError;

use super::{
    account::AccountInPath,
    phone::{redirect, to_wechat, unauthorized},
};
use crate::phone::{
    browser::PhoneVisit,
    confirmation::{LinkError, Standing, Ticket},
    page_authorization::{AuthorizationResponse, Authorized, last_parameter},
    pages,
};

/// The ticket that a recognised phone holds.
#[derive(Deserialize)]
pub(super) struct Asked {
    ticket: String,
}

/// What was pressed.
#[derive(Deserialize)]
pub(super) struct Pressed {
    ticket: String,
    decision: Button,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Button {
    Confirm,
    Deny,
}

/// Which login it is about; `None` in a broken link.
fn scene(request: &HttpRequest) -> Option<Scene> {
    Scene::parse(&last_parameter(request.query_string(), "scene")).ok()
}

/// `GET`: WeChat identifies the phone's user silently.
pub(super) async fn begin(
    request: HttpRequest,
    visit: PhoneVisit,
    account: AccountInPath,
) -> HttpResponse {
    match account
        .confirmations
        .begin(&visit, scene(&request).as_ref())
    {
        Ok(to) => to_wechat(&to),
        Err(error) => leads_nowhere(&error),
    }
}

/// `GET …/return`: the phone gets a ticket, and a URL without the code.
pub(super) async fn recognise(
    request: HttpRequest,
    visit: PhoneVisit,
    account: AccountInPath,
) -> HttpResponse {
    let response = AuthorizationResponse::of(request.query_string());
    let scene = scene(&request);
    match account
        .confirmations
        .recognise(&visit, scene, &response)
        .await
    {
        Ok(Authorized::Done(Ticket(ticket))) => redirect(&format!("decision?ticket={ticket}")),
        Ok(Authorized::Retry(to)) => to_wechat(&to),
        Err(error) => leads_nowhere(&error),
    }
}

/// `GET …/decision`: asks.
pub(super) async fn ask(
    visit: PhoneVisit,
    asked: Query<Asked>,
    account: AccountInPath,
) -> HttpResponse {
    let Asked { ticket } = asked.into_inner();
    told(
        &ticket,
        account.confirmations.standing(&visit, ticket.clone()).await,
    )
}

/// `POST …/decision`: decides. Pressing twice changes nothing.
pub(super) async fn decide(
    visit: PhoneVisit,
    pressed: Form<Pressed>,
    account: AccountInPath,
) -> HttpResponse {
    let Pressed { ticket, decision } = pressed.into_inner();
    let decision = match decision {
        Button::Confirm => Decision::Confirm,
        Button::Deny => Decision::Deny,
    };
    let standing = account
        .confirmations
        .decide(&visit, ticket.clone(), decision)
        .await;
    told(&ticket, standing)
}

fn leads_nowhere(error: &LinkError) -> HttpResponse {
    match error {
        LinkError::Broken => pages::message(StatusCode::BAD_REQUEST, pages::OVER),
        LinkError::Over => pages::message(StatusCode::OK, pages::OVER),
        LinkError::Authorization(error) => unauthorized(error),
    }
}

/// The page that a phone with this ticket gets.
fn told(ticket: &str, standing: Result<Standing, StoreError>) -> HttpResponse {
    let said = |message| pages::message(StatusCode::OK, message);
    match standing {
        Ok(Standing::Asked(question)) => pages::decision(&question, ticket),
        Ok(Standing::Confirmed {
            profile_link: Some(link),
        }) => pages::confirmed_without_profile(&link),
        Ok(Standing::Confirmed { profile_link: None }) => said(pages::CONFIRMED),
        Ok(Standing::Denied) => said(pages::DENIED),
        Ok(Standing::Banned) => said(pages::BANNED),
        Ok(Standing::Over) => said(pages::OVER),
        Ok(Standing::NotTheirs) => said(pages::NOT_YOURS),
        Ok(Standing::AnotherBrowser) => pages::message(StatusCode::FORBIDDEN, pages::START_AGAIN),
        Err(error) => {
            tracing::error!(%error, "the phone's page can't reach Redis");
            pages::message(StatusCode::SERVICE_UNAVAILABLE, pages::FAILED)
        }
    }
}
