//! Login tickets, for backends with sessions of their own: a page gets one with its login and hands
//! it to its backend, which redeems it here, once, and learns who logged in.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    identity::MemberId,
    method::Method,
    site::SiteId,
    steps::{
        ReadMember, ReadSessionsEnd, ReadSubject, RedeemTicket, Session, TakeTicket,
        TicketRedemption,
    },
};
use service_kit::{
    random::{self, NoRandomness},
    redis::{Store, StoreError},
    subjects::{self, SubjectError},
};
use sha2::{Digest as _, Sha256};

use crate::{
    sessions::{ending::is_over, identifier::SessionId, rules::SessionRules},
    user::User,
};

/// What stands for a login: 256 bits in base64url. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// The ticket of a login, whether its session is begun or not. So a repeat of the same
    /// redemption leads to the same ticket, and a browser that comes back from WeChat to the one
    /// that waits for it. It says nothing of the session's identifier.
    pub fn of_session(session: &SessionId) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"wechat-login ticket\0");
        digest.update(session.expose());
        Self(URL_SAFE_NO_PAD.encode(digest.finalize()))
    }

    /// Reads what a backend sends. Anything that can't be a ticket is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// What the page hands on.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What Redis knows the ticket by: its SHA-256 in base64url.
    pub fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }

    /// The step that asks whether it waits for its browser.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub(crate) fn take(&self, site: SiteId) -> Result<TakeTicket, NoRandomness> {
        Ok(TakeTicket {
            site,
            ticket_sha256: self.sha256(),
            taker: URL_SAFE_NO_PAD.encode(random::bytes::<16>()?),
        })
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ticket(…)")
    }
}

/// A login that a ticket stands for.
#[derive(Debug)]
pub struct Redeemed {
    /// Who.
    pub user: User,
    /// When they confirmed the login, by Redis' clock.
    pub signed_in_at: Timestamp,
    /// How they logged in.
    pub method: Method,
    /// The account that they logged in to.
    pub account: AccountName,
}

/// Why a ticket says nothing.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// There is none, or it is forgotten.
    #[error("there is no such ticket")]
    Unknown,
    /// It was redeemed more than ten seconds ago.
    #[error("the ticket was redeemed before")]
    Used,
    /// Nobody redeemed it in time.
    #[error("the ticket has expired")]
    Expired,
    /// Its person signed out everywhere since, or unfollowed where that ends sessions.
    #[error("the user signed out everywhere")]
    SignedOutEverywhere,
    /// Its person doesn't follow, where that is required.
    #[error("the user doesn't follow")]
    NotFollowing,
    /// Redis failed, or there is no subject to be had.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

impl From<StoreError> for TicketError {
    fn from(error: StoreError) -> Self {
        Self::Subject(error.into())
    }
}

/// The tickets of a site.
pub struct Tickets {
    site: SiteId,
    rules: SessionRules,
    store: Arc<Store>,
}

impl Tickets {
    /// Those of this site, of whose logins as much is asked as of its sessions.
    pub const fn new(site: SiteId, rules: SessionRules, store: Arc<Store>) -> Self {
        Self { site, rules, store }
    }

    /// Redeems a ticket. Within ten seconds it can be repeated: the answer may have got lost.
    ///
    /// # Errors
    ///
    /// Why it says nothing.
    pub async fn redeem(&self, ticket: &Ticket) -> Result<Redeemed, TicketError> {
        let step = RedeemTicket {
            site: self.site.clone(),
            ticket_sha256: ticket.sha256(),
        };
        let Session {
            member,
            account,
            method,
            begun_at,
            ..
        } = match self.store.run(&step).await? {
            TicketRedemption::Redeemed(login) => *login,
            TicketRedemption::Used => return Err(TicketError::Used),
            TicketRedemption::Expired => return Err(TicketError::Expired),
            TicketRedemption::Unknown => return Err(TicketError::Unknown),
        };
        let user = self.user(&member, begun_at).await?;
        Ok(Redeemed {
            user,
            signed_in_at: begun_at,
            method,
            account,
        })
    }

    async fn user(&self, member: &MemberId, begun_at: Timestamp) -> Result<User, TicketError> {
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let [ended_here, ended] = [Some(self.site.clone()), None].map(|site| ReadSessionsEnd {
            member: member.clone(),
            site,
        });
        let unfollow = self.rules.unfollow_of(member);
        let (known, subject, ended_here, ended, unfollowed) = self
            .store
            .run_together((&read, &read_subject, &ended_here, &ended, unfollow.as_ref()))
            .await?;
        let ended = ended_here.max(ended).max(unfollowed.flatten());
        if is_over(begun_at, ended) {
            return Err(TicketError::SignedOutEverywhere);
        }
        if !self.rules.admit(known.as_ref()) {
            return Err(TicketError::NotFollowing);
        }
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, member, unionid).await?;
        Ok(User::new(member, subject, known))
    }
}

#[cfg(test)]
mod tests {
    use login_protocol::scene::BrowserSecret;

    use super::*;

    #[test]
    fn a_ticket_belongs_to_one_login_and_is_read_back() {
        let secret = BrowserSecret::from_random([1; 32]);
        let [first, second] = ["a", "b"].map(|nonce| SessionId::of_redemption(&secret, nonce));
        let ticket = Ticket::of_session(&first);
        assert_eq!(ticket, Ticket::of_session(&first));
        assert_ne!(ticket, Ticket::of_session(&second));
        assert_ne!(ticket.expose(), first.expose());
        assert_eq!(Ticket::parse(ticket.expose()), Some(ticket.clone()));
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
    }

    #[test]
    fn garbage_is_no_ticket() {
        let (short, long) = ("A".repeat(42), "A".repeat(44));
        for text in ["", "x", &short, &long, "../../../etc/passwd"] {
            assert_eq!(Ticket::parse(text), None, "{text}");
        }
    }
}
