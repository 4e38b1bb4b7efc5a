//! `POST /v1/tickets/redeem`: the owner's own backend asks who logged in.

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Json},
};
use jiff::Timestamp;
use login_protocol::{account::AccountName, method::Method};
use serde::{Deserialize, Serialize};
use service_kit::problem::Problem;

use crate::{
    tickets::{Redeemed, Ticket, TicketError, Tickets},
    user::User,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redemption {
    ticket: String,
}

#[derive(Serialize)]
struct Login {
    user: User,
    signed_in_at: Timestamp,
    method: Method,
    account: AccountName,
}

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
