//! Ends of sessions.

use jiff::Timestamp;
use login_protocol::{
    session_end::SessionEnd,
    steps::{AppendEvent, EndingSession, SeenSession},
};

/// Whether a login that was confirmed then was ended with all of its person's.
pub(crate) fn is_over(confirmed_at: Timestamp, ended_at: Option<Timestamp>) -> bool {
    ended_at.is_some_and(|ended_at| confirmed_at <= ended_at)
}

/// What the owner's software is told of a session that ends.
pub(crate) fn session_ended(
    seen: &SeenSession,
    id_sha256: &str,
    reason: SessionEnd,
) -> Option<AppendEvent> {
    let ending = EndingSession {
        member: &seen.member,
        account: &seen.account,
        id_sha256,
        site_name: seen.place.as_ref().map(|place| &*place.site_name),
        client: seen.client.as_deref(),
    };
    AppendEvent::of_session_end(&ending, reason)
}
