//! An attempt's status as a browser reads it.

use jiff::Timestamp;
use login_protocol::attempt::AttemptStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// Where an attempt stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    pub(crate) status: AttemptStatus,
    /// Unknown once it has expired.
    #[schema(required)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// The same as a server-sent event.
pub(crate) fn event(status: AttemptStatus, expires_at: Option<Timestamp>) -> String {
    let body = Status {
        status,
        expires_at: expires_at.filter(|_| status != AttemptStatus::Expired),
    };
    let body = serde_json::to_string(&body).unwrap_or_default();
    format!("event: status\ndata: {body}\n\n")
}
