//! `GET /v1/events`.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Query},
};
use login_protocol::{
    account::AccountName,
    event::{Event, Position},
    gateway_api,
    problem::ProblemCode,
};
use serde::{Deserialize, Serialize};
use service_kit::{api_description::Problems, problem::Problem};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::account;
use crate::{
    accounts::Accounts,
    events::{AfterError, Events, Page},
};

/// How many events at most, where the request doesn't say.
const LIMIT: usize = 100;

/// The parameters.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The identifier of the last event that was read; by default all that are kept are read.
    #[param(pattern = "^(evt_[0-9]{16})?$")]
    after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The account's name; by default those of all accounts are read.
    #[param(pattern = "^[a-z][a-z0-9]{0,31}$")]
    account: Option<String>,
    /// How long to wait for an event if there is none.
    #[param(minimum = 0, maximum = 30, default = 0)]
    wait_seconds: Option<u64>,
}

/// Events, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
pub(super) struct Stream {
    events: Vec<Event>,
}

/// Reads the stream.
#[utoipa::path(
    get,
    path = gateway_api::EVENTS,
    tag = "events",
    summary = "What happened, oldest first: follows, unfollows, logins, changed profiles",
    params(Asked),
    responses(
        (status = 200, description = "The events", body = Stream),
        Problems<400>,
        Problems<401>,
        Problems<404>,
        Problems<410>,
        Problems<503>
    )
)]
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
        .json(Stream { events }))
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
