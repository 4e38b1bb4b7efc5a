//! What a site asks of its sessions.

use std::sync::Arc;

use login_protocol::{
    attempt::Approval,
    identity::MemberId,
    member::Member,
    method::Method,
    steps::{ReadUnfollow, Session},
};

/// Whether logins come with tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketIssuing {
    /// No backend has a key to redeem them with.
    Off,
    /// Each has one.
    On,
}

/// When somebody may be signed in, and what their sessions say of the site.
#[derive(Debug, Clone)]
pub struct SessionRules {
    /// What people call the site.
    pub site_name: Arc<str>,
    /// Whether only followers of the account are signed in.
    pub require_following: bool,
    /// Whether an unfollow ends a person's sessions.
    pub end_on_unfollow: bool,
    /// Whether logins have to be confirmed on the phone.
    pub wants_tap: bool,
    /// Whether a login brings a ticket.
    pub tickets: TicketIssuing,
}

impl SessionRules {
    /// What there is to ask about somebody's unfollow, where it ends sessions.
    pub(crate) fn unfollow_of(&self, member: &MemberId) -> Option<ReadUnfollow> {
        self.end_on_unfollow.then(|| ReadUnfollow {
            member: member.clone(),
        })
    }

    /// Whether a login was confirmed as the site wants it. A client may ask for less than the site
    /// does, and for itself alone. (What began at the site itself went by the site's rule; on a page,
    /// and inside WeChat, everybody is asked.)
    pub(crate) fn trust(&self, login: &Session) -> bool {
        let by_phone = matches!(login.method, Method::Scan | Method::Code);
        let is_tapped = login.approval == Some(Approval::Tap);
        !self.wants_tap || login.client.is_none() || !by_phone || is_tapped
    }

    /// Whether somebody of whom this is known may be signed in.
    pub(crate) fn admit(&self, known: Option<&Member>) -> bool {
        !self.require_following || known.is_some_and(|known| known.subscribed)
    }
}
