//! `?session=none`: the owner's backend keeps sessions of its own and wants a ticket alone.

use actix_web::HttpRequest;
use login_protocol::steps::Purpose;
use service_kit::problem::Problem;

use super::{problems, query::parameter};
use crate::login::Logins;

/// The parameter's name.
pub(super) const PARAMETER: &str = "session";
/// Its only value.
pub(super) const NONE: &str = "none";

/// What a login is asked for.
pub(super) fn of(request: &HttpRequest, logins: &Logins) -> Result<Purpose, Problem> {
    match parameter(request, PARAMETER).as_str() {
        "" => Ok(Purpose::Session),
        NONE if logins.have_tickets() => Ok(Purpose::Ticket),
        _ => Err(problems::no_such_completion(logins.have_tickets())),
    }
}
