//! Telling that sessions end.

use super::AppendEvent;
use crate::{
    account::AccountName,
    event::{EventKind, Happening, Occasion},
    identity::MemberId,
    session_end::SessionEnd,
};

/// A session that ends.
#[derive(Debug, Clone, Copy)]
pub struct EndingSession<'a> {
    /// Whose.
    pub member: &'a MemberId,
    /// The account that they logged in to.
    pub account: &'a AccountName,
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: &'a str,
    /// What people call the site, if its version kept that.
    pub site_name: Option<&'a str>,
    /// The client whose login began it.
    pub client: Option<&'a str>,
}

impl AppendEvent {
    /// What the owner's software is told of it, once, whatever else ends it a moment later. Nothing
    /// of somebody who is being erased: nothing of them is to stay.
    pub fn of_session_end(ending: &EndingSession<'_>, reason: SessionEnd) -> Option<Self> {
        const KIND: EventKind = EventKind::SessionEnded;
        if reason == SessionEnd::Deleted {
            return None;
        }
        let EndingSession {
            member,
            account,
            id_sha256,
            site_name,
            client,
        } = *ending;
        Some(Self {
            occasion: Occasion::of(KIND, member, &[id_sha256]),
            happening: Happening::new(KIND, account.clone(), member)
                .with("reason", reason.as_str())
                .with("session", id_sha256)
                .with("site", site_name)
                .with("client", client),
            opens: false,
        })
    }
}
