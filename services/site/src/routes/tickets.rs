//! `POST /v1/tickets/redeem`: the owner's own backend asks who logged in.

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Json},
};
use jiff::Timestamp;
use login_protocol::{account::AccountName, method::Method};
use serde::{Deserialize, Serialize};
use service_kit::{
    api_description::{BodyProblems, Problems},
    problem::Problem,
};
use utoipa::ToSchema;

use crate::{
    tickets::{Redeemed, Ticket, TicketError, Tickets},
    user::User,
};

/// The ticket that the page got.
#[derive(Deserialize, ToSchema)]
#[schema(as = RedeemTicket)]
#[serde(deny_unknown_fields)]
pub(super) struct Redemption {
    ticket: String,
}

/// A login.
#[derive(Serialize, ToSchema)]
struct Login {
    user: User,
    signed_in_at: Timestamp,
    method: Method,
    account: AccountName,
}

#[utoipa::path(
    post,
    path = "/v1/tickets/redeem",
    tag = "tickets",
    summary = "Who logged in; only with SITE__INTERNAL__API_KEY",
    request_body = Redemption,
    responses(
        (status = 200, description = "The login", body = Login),
        BodyProblems,
        Problems<401>,
        Problems<404>,
        Problems<410>,
        Problems<503>
    )
)]
pub(super) async fn redeem(
    request: Json<Redemption>,
    tickets: Data<Tickets>,
) -> Result<HttpResponse, Problem> {
    let ticket = Ticket::parse(&request.ticket).ok_or(TicketError::Unknown);
    let redeemed = match ticket {
        Ok(ticket) => tickets.redeem(&ticket).await,
        Err(unknown) => Err(unknown),
    };
    let Redeemed {
        user,
        signed_in_at,
        method,
        account,
    } = redeemed.inspect_err(|error| count(outcome(error)))?;
    count("redeemed");
    let login = Login {
        user,
        signed_in_at,
        method,
        account,
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(login))
}

const fn outcome(error: &TicketError) -> &'static str {
    match error {
        TicketError::Unknown => "unknown",
        TicketError::Used => "used",
        TicketError::Expired => "expired",
        TicketError::SignedOutEverywhere => "signed_out",
        TicketError::NotFollowing => "not_following",
        TicketError::Subject(_) => "failed",
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("login_tickets_total", "outcome" => outcome).increment(1);
}
