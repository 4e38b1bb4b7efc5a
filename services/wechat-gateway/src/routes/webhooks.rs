//! `/v1/webhooks`: how far the receivers of events are, and sending them events again.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Json, Path},
};
use jiff::Timestamp;
use login_protocol::{gateway_api, problem::ProblemCode};
use serde::{Deserialize, Serialize};
use service_kit::{
    api_description::{BodyProblems, Problems},
    problem::Problem,
};
use utoipa::ToSchema;

use super::actor::Caller;
use crate::webhooks::{Again, RedeliverError, Report, Webhooks};

/// What is to be sent again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Redeliver)]
pub(super) enum Asked {
    /// The event with this identifier.
    Id(String),
    /// All from this time on.
    Since(Timestamp),
}

/// How many events will be sent.
#[derive(Serialize, ToSchema)]
pub(super) struct Redelivered {
    count: usize,
}

/// The receivers, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhooks)]
pub(super) struct Listed {
    webhooks: Vec<Report>,
}

/// `GET /v1/webhooks`: how far each receiver is.
#[utoipa::path(
    get,
    path = gateway_api::WEBHOOKS,
    tag = "events",
    summary = "How far the receivers of events are",
    responses(
        (status = 200, description = "The receivers", body = Listed),
        Problems<401>,
        Problems<503>
    )
)]
pub(super) async fn list(webhooks: Data<Arc<Webhooks>>) -> Result<HttpResponse, Problem> {
    let webhooks = webhooks.reports().await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(Listed { webhooks }))
}

/// `POST /v1/webhooks/{name}/redeliver`: has events sent again.
#[utoipa::path(
    post,
    path = gateway_api::WEBHOOK_REDELIVER,
    tag = "events",
    summary = "Send an event, or all since a time, to a receiver again; one that is switched off is switched on",
    params(("name" = String, Path, description = "The name of the receiver in the settings")),
    request_body = Asked,
    responses(
        (status = 202, description = "They will be sent", body = Redelivered),
        BodyProblems,
        Problems<401>,
        Problems<404>,
        Problems<410>,
        Problems<503>
    )
)]
pub(super) async fn redeliver(
    webhooks: Data<Arc<Webhooks>>,
    name: Path<String>,
    asked: Json<Asked>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let again = match asked.into_inner() {
        Asked::Id(id) => Again::Event(id),
        Asked::Since(since) => Again::Since(since),
    };
    let count = webhooks.redeliver(&name, again, &caller).await?;
    Ok(HttpResponse::Accepted().json(Redelivered { count }))
}

impl From<RedeliverError> for Problem {
    fn from(error: RedeliverError) -> Self {
        match error {
            RedeliverError::UnknownWebhook => Self::new(
                ProblemCode::UnknownWebhook,
                "No webhook of this name is set up.",
            ),
            RedeliverError::Event(error) => error.into(),
            RedeliverError::Audit(error) => error.into(),
        }
    }
}
