//! `/console/webhooks`: the receivers of events.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use serde::Deserialize;

use super::page::{Visit, not_found, not_kept, redirect, say_in_short, store_failed};
use crate::{
    console::{
        Console,
        language::Language,
        pages::{Place, RedeliverPage, WebhooksPage},
    },
    events::AfterError,
    webhooks::{Again, RedeliverError},
};

const WEBHOOKS: &str = "/console/webhooks";

/// The longest time whose events are sent again from here, in hours.
const MOST_HOURS: u32 = 366 * 24;

#[derive(Deserialize)]
pub(super) struct Done {
    sent: Option<usize>,
}

/// `GET /console/webhooks`.
pub(super) async fn list(visit: Visit, done: Query<Done>, console: Data<Console>) -> HttpResponse {
    let say = visit.say;
    let reports = match console.webhooks.reports().await {
        Ok(reports) => reports,
        Err(error) => return store_failed(say, &error),
    };
    let done = done.sent.map(|count| match say {
        Language::Chinese => format!("将重新发送 {count} 个事件。"),
        Language::English => format!("{count} events will be sent again."),
    });
    let page = WebhooksPage {
        say,
        reports: &reports,
        done,
    };
    visit.page(Place::Webhooks, say.say("Webhook", "Webhooks"), &page)
}

/// `GET /console/webhooks/{name}/redeliver`: asks.
pub(super) async fn ask(visit: Visit, name: Path<String>, console: Data<Console>) -> HttpResponse {
    let say = visit.say;
    if !console.webhooks.has(&name) {
        return not_found(say);
    }
    let token = visit.owner.form_token();
    let page = RedeliverPage {
        say,
        name: &name,
        token: &token,
    };
    let title = say.say("重新发送事件？", "Send events again?");
    visit.page(Place::Webhooks, title, &page)
}

#[derive(Deserialize)]
pub(super) struct Sure {
    token: String,
    hours: u32,
}

/// `POST /console/webhooks/{name}/redeliver`: does it.
pub(super) async fn redeliver(
    request: HttpRequest,
    visit: Visit,
    name: Path<String>,
    sure: Form<Sure>,
    console: Data<Console>,
) -> HttpResponse {
    if let Some(refusal) = visit.refusal(&request, &sure.token) {
        return refusal;
    }
    let say = visit.say;
    let span = Duration::from_hours(sure.hours.min(MOST_HOURS).into());
    let since = console.now().checked_sub(span);
    let since = since.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let actor = visit.actor(&request, &console);
    let again = Again::Since(since);
    match console.webhooks.redeliver(&name, again, &actor).await {
        Ok(count) => {
            tracing::info!(action = "redeliver", "done in the console");
            redirect(&format!("{WEBHOOKS}?sent={count}"))
        }
        Err(RedeliverError::UnknownWebhook) => not_found(say),
        Err(RedeliverError::Event(AfterError::Store(error))) => store_failed(say, &error),
        Err(RedeliverError::Audit(error)) => not_kept(say, error),
        Err(RedeliverError::Event(_)) => {
            let title = say.say("没有这些事件", "There are no such events");
            say_in_short(say, StatusCode::CONFLICT, title, "")
        }
    }
}
