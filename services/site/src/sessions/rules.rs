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
    /// What has to happen on the phone; `None`: what the gateway's settings say.
    pub approval: Option<Approval>,
    /// Whether a login brings a ticket.
    pub tickets: TicketIssuing,
}

/// Whether what happened on the phone is what is wanted there; `None` is what the gateway's settings
/// say. A scan alone may be of a code that somebody else shows. (On a page, and inside WeChat,
/// everybody is asked.)
pub(crate) fn is_confirmed(
    wanted: Option<Approval>,
    method: Method,
    happened: Option<Approval>,
) -> bool {
    let by_phone = matches!(method, Method::Scan | Method::Code);
    let is_enough = match wanted {
        Some(Approval::Scan) => true,
        Some(Approval::Tap) => happened == Some(Approval::Tap),
        // The gateway's rule may be either; whoever asks for a scan by name may ask for less.
        None => happened != Some(Approval::Scan),
    };
    !by_phone || is_enough
}

impl SessionRules {
    /// What there is to ask about somebody's unfollow, where it ends sessions.
    pub(crate) fn unfollow_of(&self, member: &MemberId) -> Option<ReadUnfollow> {
        self.end_on_unfollow.then(|| ReadUnfollow {
            member: member.clone(),
        })
    }

    /// Whether a login was confirmed as the site wants it: a client may ask for less, and for itself
    /// alone. What began at the site itself went by the site's rule.
    pub(crate) fn trust(&self, login: &Session) -> bool {
        login.client.is_none() || is_confirmed(self.approval, login.method, login.approval)
    }

    /// Whether somebody of whom this is known may be signed in.
    pub(crate) fn admit(&self, known: Option<&Member>) -> bool {
        !self.require_following || known.is_some_and(|known| known.subscribed)
    }
}
