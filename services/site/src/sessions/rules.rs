//! What a site asks of its sessions.

use std::sync::Arc;

use login_protocol::{identity::MemberId, member::Member, steps::ReadUnfollow};

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

    /// Whether somebody of whom this is known may be signed in.
    pub(crate) fn admit(&self, known: Option<&Member>) -> bool {
        !self.require_following || known.is_some_and(|known| known.subscribed)
    }
}
