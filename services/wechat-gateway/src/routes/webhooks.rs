//! `/v1/webhooks`: how far the receivers of events are, and sending them events again.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Json, Path},
};
use jiff::Timestamp;
use login_protocol::problem::ProblemCode;
use serde::Deserialize;
use serde_json::json;
use service_kit::problem::Problem;

use super::actor::Caller;
use crate::webhooks::{Again, RedeliverError, Webhooks};

/// What is to be sent again: one of both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    id: Option<String>,
    since: Option<Timestamp>,
}

/// `GET /v1/webhooks`: how far each receiver is.
pub(super) async fn list(webhooks: Data<Arc<Webhooks>>) -> Result<HttpResponse, Problem> {
    let reports = webhooks.reports().await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "webhooks": reports })))
}

/// `POST /v1/webhooks/{name}/redeliver`: has events sent again.
pub(super) async fn redeliver(
    webhooks: Data<Arc<Webhooks>>,
    name: Path<String>,
    asked: Json<Asked>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let again = match asked.into_inner() {
        Asked {
            id: Some(id),
            since: None,
        } => Again::Event(id),
        Asked {
            id: None,
            since: Some(since),
        } => Again::Since(since),
        _ => {
            let detail = "The body has to have either `id` or `since`.";
            return Err(Problem::new(ProblemCode::InvalidRequest, detail));
        }
    };
    let count = webhooks.redeliver(&name, again, &caller).await?;
    Ok(HttpResponse::Accepted().json(json!({ "count": count })))
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
