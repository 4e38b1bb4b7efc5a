//! `/wechat/oauth/confirm`: the person who scanned decides on the phone (tap mode).

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Query},
};
use login_protocol::{
    attempt::AttemptStatus,
    identity::{AppId, MemberId},
    scene::Scene,
    steps::{
        Confirmation, Decide, Decision, DecisionEffect, Exchanger, IssueConfirmation,
        ReadConfirmation, ReadMember, ReadScan, SpendConfirmation,
    },
};
use serde::{Deserialize, Serialize};
use service_kit::{
    random,
    redis::{Store, StoreError},
};

use super::profile::failed;
use crate::{
    phone::{
        links::PhoneLinks,
        pages::{self, Message},
        web_authorization::{
            AuthorizationRequest, BrowserAuthorization, Callback, parameter, redirect,
        },
    },
    push::events::LoginEvents,
    wechat::web_authorization::{AuthorizationError, Scope, WebAuthorization},
};

/// The ticket that a recognised phone holds.
#[derive(Deserialize)]
pub(super) struct Asked {
    ticket: String,
}

/// What came of a code.
#[derive(Serialize, Deserialize)]
struct Recognised {
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
    Scene::parse(&parameter(request, "scene")).ok()
}

fn authorization_request(scene: &Scene, links: &PhoneLinks) -> Option<AuthorizationRequest> {
    Some(AuthorizationRequest {
        purpose: format!("confirm {}", scene.as_str()),
        scope: Scope::Base,
        redirect_uri: links.confirm_return(scene)?,
    })
}

/// `GET`: WeChat says whose phone it is, without asking.
pub(super) async fn begin(
    request: HttpRequest,
    links: Data<PhoneLinks>,
    browsers: Data<BrowserAuthorization>,
) -> HttpResponse {
    let Some(scene) = scene(&request) else {
        return pages::message(StatusCode::BAD_REQUEST, pages::OVER);
    };
    match authorization_request(&scene, &links) {
        Some(wanted) => browsers.begin(&request, &wanted),
        None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
    }
}

/// `GET …/return`: the phone gets a ticket, and a clean address.
pub(super) async fn recognise(
    request: HttpRequest,
    links: Data<PhoneLinks>,
    browsers: Data<BrowserAuthorization>,
    authorization: Data<WebAuthorization>,
    app_id: Data<AppId>,
    store: Data<Store>,
) -> HttpResponse {
    let callback = Callback::of(&request);
    let Some(scene) = scene(&request) else {
        browsers.discard(&request, &callback);
        return pages::message(StatusCode::BAD_REQUEST, pages::OVER);
    };
    let Some(wanted) = authorization_request(&scene, &links) else {
        browsers.discard(&request, &callback);
        return pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED);
    };
    let browser = match browsers.verify(&request, &wanted, &callback) {
        Ok(browser) => browser,
        Err(mismatch) => return browsers.turn_away(&request, &wanted, &callback, mismatch),
    };
    // Who knows the scene of an attempt that somebody scanned is no stranger, so that its share is its
    // own, whatever others at the same address do. Invented scenes end here.
    match was_scanned(&store, &scene).await {
        Ok(true) => {}
        Ok(false) => {
            browsers.discard(&request, &callback);
            return said(pages::OVER);
        }
        Err(error) => return unavailable(&error),
    }
    // The code is good for nothing else, and for no other browser.
    let purpose = format!("{} {}", wanted.purpose, browser.name());
    let exchange = {
        let authorization = Arc::clone(&authorization);
        let (app_id, code) = (app_id.as_ref().clone(), callback.code.clone());
        async move {
            let attempt = Exchanger::Attempt(scene.clone());
            let person = authorization.recognise(attempt, &code, Scope::Base).await?;
            let openid = person.openid;
            let ticket = random::name()?;
            let confirmation = Confirmation {
                scene,
                member: MemberId { app_id, openid },
                browser: Some(browser.name()),
                decided: false,
            };
            let issue = IssueConfirmation {
                ticket,
                confirmation,
            };
            store.run(&issue).await?;
            Ok(Recognised {
                ticket: issue.ticket,
            })
        }
    };
    match authorization
        .once_per_code(&purpose, &callback.code, exchange)
        .await
    {
        Ok(Recognised { ticket }) => redirect(&format!("decision?ticket={ticket}")),
        Err(AuthorizationError::SpentCode) if !callback.again => {
            browsers.begin_again(&request, &wanted)
        }
        Err(error) => failed(&error),
    }
}

async fn was_scanned(store: &Store, scene: &Scene) -> Result<bool, StoreError> {
    let read = ReadScan {
        scene: scene.clone(),
    };
    let scan = store.run(&read).await?;
    Ok(scan.is_some_and(|scan| scan.member.is_some()))
}

/// `GET …/decision`: asks.
pub(super) async fn ask(
    request: HttpRequest,
    asked: Query<Asked>,
    browsers: Data<BrowserAuthorization>,
    store: Data<Store>,
    events: Data<LoginEvents>,
) -> HttpResponse {
    let Asked { ticket } = asked.into_inner();
    let shown = async {
        let confirmation = match held(&store, &browsers, &request, &ticket).await? {
            Ok(confirmation) => confirmation,
            Err(other) => return Ok(other),
        };
        let Confirmation { scene, member, .. } = confirmation;
        let Some(scan) = store.run(&ReadScan { scene }).await? else {
            return Ok(said(pages::OVER));
        };
        if scan.member.as_ref() != Some(&member) {
            return Ok(said(pages::NOT_YOURS));
        }
        Ok(match scan.status {
            AttemptStatus::Scanned => pages::decision(events.site_name(), &scan, &ticket),
            status => said(where_it_stands(status)),
        })
    };
    shown.await.unwrap_or_else(|error| unavailable(&error))
}

/// `POST …/decision`: decides. Pressing twice changes nothing.
pub(super) async fn decide(
    request: HttpRequest,
    pressed: Form<Pressed>,
    browsers: Data<BrowserAuthorization>,
    store: Data<Store>,
    links: Data<PhoneLinks>,
) -> HttpResponse {
    let Pressed { ticket, decision } = pressed.into_inner();
    let decision = match decision {
        Button::Confirm => Decision::Confirm,
        Button::Deny => Decision::Deny,
    };
    let decided = async {
        let confirmation = match held(&store, &browsers, &request, &ticket).await? {
            Ok(confirmation) => confirmation,
            Err(other) => return Ok(other),
        };
        let member = confirmation.member.clone();
        let effect = if confirmation.decided {
            outcome(&store, confirmation).await?
        } else {
            let decide = Decide {
                scene: confirmation.scene.clone(),
                member: member.clone(),
                decision,
            };
            let spend = SpendConfirmation {
                ticket,
                confirmation,
            };
            let (effect, ()) = store.run_both(&decide, &spend).await?;
            count(effect);
            effect
        };
        if effect == DecisionEffect::Stands(AttemptStatus::Confirmed)
            && let Some(link) = links.profile()
        {
            let known = store.run(&ReadMember { member }).await?;
            if known.is_none_or(|member| member.nickname.is_none()) {
                return Ok(pages::confirmed_without_profile(link));
            }
        }
        Ok(said(match effect {
            DecisionEffect::Stands(status) => where_it_stands(status),
            DecisionEffect::NotTheirs => pages::NOT_YOURS,
            DecisionEffect::Gone => pages::OVER,
        }))
    };
    decided.await.unwrap_or_else(|error| unavailable(&error))
}

/// What a ticket stands for, in the hands of the browser that it was given to; otherwise the page to
/// answer with.
async fn held(
    store: &Store,
    browsers: &BrowserAuthorization,
    request: &HttpRequest,
    ticket: &str,
) -> Result<Result<Confirmation, HttpResponse>, StoreError> {
    let read = ReadConfirmation {
        ticket: ticket.to_owned(),
    };
    let Some(confirmation) = store.run(&read).await? else {
        return Ok(Err(said(pages::OVER)));
    };
    let is_theirs = match &confirmation.browser {
        Some(browser) => browsers.is_called(request, browser),
        // A gateway of an older version gave it out, a few minutes ago at most.
        None => true,
    };
    if is_theirs {
        Ok(Ok(confirmation))
    } else {
        let page = pages::message(StatusCode::FORBIDDEN, pages::START_AGAIN);
        Ok(Err(page))
    }
}

/// What was decided before.
async fn outcome(store: &Store, confirmation: Confirmation) -> Result<DecisionEffect, StoreError> {
    let Confirmation { scene, member, .. } = confirmation;
    Ok(match store.run(&ReadScan { scene }).await? {
        None => DecisionEffect::Gone,
        Some(scan) if scan.member != Some(member) => DecisionEffect::NotTheirs,
        Some(scan) => DecisionEffect::Stands(scan.status),
    })
}

fn count(effect: DecisionEffect) {
    let outcome = match effect {
        DecisionEffect::Stands(status) => status.as_str(),
        DecisionEffect::NotTheirs => "not_theirs",
        DecisionEffect::Gone => "gone",
    };
    metrics::counter!("login_decisions_total", "outcome" => outcome).increment(1);
}

const fn where_it_stands(status: AttemptStatus) -> Message {
    match status {
        AttemptStatus::Confirmed | AttemptStatus::Consumed => pages::CONFIRMED,
        AttemptStatus::Denied => pages::DENIED,
        AttemptStatus::Pending | AttemptStatus::Scanned | AttemptStatus::Expired => pages::OVER,
    }
}

fn said(message: Message) -> HttpResponse {
    pages::message(StatusCode::OK, message)
}

fn unavailable(error: &StoreError) -> HttpResponse {
    tracing::error!(%error, "the phone's page can't reach Redis");
    pages::message(StatusCode::SERVICE_UNAVAILABLE, pages::FAILED)
}
