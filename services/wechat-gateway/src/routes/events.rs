//! `GET /v1/events`.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Query},
};
use login_protocol::{account::AccountName, event::Position, problem::ProblemCode};
use serde::Deserialize;
use serde_json::json;
use service_kit::problem::Problem;
use tokio::time::Instant;

use super::account;
use crate::{
    accounts::Accounts,
    events::{AfterError, Events, Page},
};

/// How many events at most, where the request doesn't say.
const LIMIT: usize = 100;

/// The parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    after: Option<String>,
    limit: Option<usize>,
    account: Option<String>,
    wait_seconds: Option<u64>,
}

/// Reads the stream.
pub(super) async fn read(
    events: Data<Arc<Events>>,
    accounts: Data<Accounts>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Problem> {
    let asked = asked.into_inner();
    let limit = asked.limit.unwrap_or(LIMIT);
    let wait = asked.wait_seconds.unwrap_or(0);
    if !(1..=1000).contains(&limit) || wait > 30 {
        let detail = "`limit` is 1 to 1000, and `wait_seconds` 0 to 30.";
        return Err(Problem::new(ProblemCode::InvalidRequest, detail));
    }
    let account = match asked.account {
        Some(name) => {
            let name = AccountName::parse(&name).map_err(|_| account::unknown())?;
            Some(account::in_body(&accounts, &name)?.name.clone())
        }
        None => None,
    };
    let after = match asked.after.filter(|id| !id.is_empty()) {
        Some(id) => events.after(&id).await?,
        None => Position::BEGINNING,
    };
    let page = Page {
        after,
        limit,
        account,
    };
    let deadline = Instant::now() + Duration::from_secs(wait);
    let events = events.read(page, deadline).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "events": events })))
}

impl From<AfterError> for Problem {
    fn from(error: AfterError) -> Self {
        match error {
            AfterError::Unknown => Self::new(
                ProblemCode::UnknownEvent,
                "There is no event with this identifier.",
            ),
            AfterError::Gone => Self::new(
                ProblemCode::EventGone,
                "The event with this identifier isn't kept any longer. Read from the beginning.",
            ),
            AfterError::Store(error) => error.into(),
        }
    }
}
