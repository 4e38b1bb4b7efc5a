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
        Decide, Decision, DecisionEffect, Exchanger, IssueConfirmation, ReadConfirmation,
        ReadMember, ReadScan,
    },
};
use serde::Deserialize;
use service_kit::{
    client_address::TrustedProxies,
    redis::{Store, StoreError},
};

use super::profile::{STATE, failed, redirect};
use crate::{
    phone::{
        links::PhoneLinks,
        pages::{self, Message},
    },
    push::events::LoginEvents,
    wechat::web_authorization::{AuthorizationError, Scope, WebAuthorization},
};

/// Codes that were brought here are good for nothing else.
const PURPOSE: &str = "confirm";

/// Which login it is about.
#[derive(Clone, Deserialize)]
pub(super) struct About {
    scene: Scene,
    #[serde(default)]
    code: String,
    #[serde(default)]
    again: bool,
}

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

/// `GET`: WeChat says whose phone it is, without asking.
pub(super) async fn begin(
    about: Query<About>,
    links: Data<PhoneLinks>,
    authorization: Data<WebAuthorization>,
) -> HttpResponse {
    match links.confirm_return(&about.scene) {
        Some(return_to) => redirect(&authorization.authorize_url(Scope::Base, &return_to, STATE)),
        None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
    }
}

/// `GET …/return`: the phone gets a ticket, and a clean address.
pub(super) async fn recognise(
    request: HttpRequest,
    about: Query<About>,
    links: Data<PhoneLinks>,
    authorization: Data<WebAuthorization>,
    proxies: Data<TrustedProxies>,
    app_id: Data<AppId>,
    store: Data<Store>,
) -> HttpResponse {
    let exchange = {
        let authorization = Arc::clone(&authorization);
        let (app_id, about) = (app_id.as_ref().clone(), About::clone(&about));
        let client = Exchanger::Client(proxies.client(&request));
        async move {
            authorization.admit(client).await?;
            let openid = authorization.recognise(&about.code).await?.openid;
            let mut random = [0; 16];
            // Without random bytes the ticket would be anybody's.
            getrandom::fill(&mut random).map_err(|_| AuthorizationError::SpentCode)?;
            let ticket = format!("{:032x}", u128::from_be_bytes(random));
            store
                .run(&IssueConfirmation {
                    ticket: ticket.clone(),
                    scene: about.scene,
                    member: MemberId { app_id, openid },
                })
                .await?;
            Ok(format!("decision?ticket={ticket}"))
        }
    };
    match authorization
        .once_per_code(PURPOSE, &about.code, exchange)
        .await
    {
        Ok(next) => redirect(&next),
        Err(AuthorizationError::SpentCode) if !about.again => {
            match links.confirm_return(&about.scene) {
                Some(mut return_to) => {
                    return_to.query_pairs_mut().append_pair("again", "true");
                    redirect(&authorization.authorize_url(Scope::Base, &return_to, STATE))
                }
                None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
            }
        }
        Err(error) => failed(&error),
    }
}

/// `GET …/decision`: asks.
pub(super) async fn ask(
    asked: Query<Asked>,
    store: Data<Store>,
    events: Data<LoginEvents>,
) -> HttpResponse {
    let Asked { ticket } = asked.into_inner();
    let shown = async {
        let Some((scene, member)) = store
            .run(&ReadConfirmation {
                ticket: ticket.clone(),
            })
            .await?
        else {
            return Ok(said(pages::OVER));
        };
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
    pressed: Form<Pressed>,
    store: Data<Store>,
    links: Data<PhoneLinks>,
) -> HttpResponse {
    let Pressed { ticket, decision } = pressed.into_inner();
    let decision = match decision {
        Button::Confirm => Decision::Confirm,
        Button::Deny => Decision::Deny,
    };
    let decided = async {
        let Some((scene, member)) = store.run(&ReadConfirmation { ticket }).await? else {
            return Ok(said(pages::OVER));
        };
        let decide = Decide {
            scene,
            member: member.clone(),
            decision,
        };
        let (effect, known) = store.run_both(&decide, &ReadMember { member }).await?;
        let (message, outcome) = match effect {
            DecisionEffect::Stands(status) => (where_it_stands(status), status.as_str()),
            DecisionEffect::NotTheirs => (pages::NOT_YOURS, "not_theirs"),
            DecisionEffect::Gone => (pages::OVER, "gone"),
        };
        metrics::counter!("login_decisions_total", "outcome" => outcome).increment(1);
        let has_nickname = known.is_some_and(|member| member.nickname.is_some());
        Ok(match links.profile() {
            Some(link)
                if effect == DecisionEffect::Stands(AttemptStatus::Confirmed) && !has_nickname =>
            {
                pages::confirmed_without_profile(link)
            }
            _ => said(message),
        })
    };
    decided.await.unwrap_or_else(|error| unavailable(&error))
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
