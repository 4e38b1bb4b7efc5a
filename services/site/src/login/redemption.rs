//! A confirmed attempt becomes a session, or a ticket, or both.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::{
    attempt::AttemptStatus,
    method::Method,
    scene::BrowserSecret,
    site::Realm,
    steps::{
        CreateSession, EndSession, GivenBack, Identified, IssueTicket, Purpose, ReadMember,
        ReadSessionsEnd, ReadSubject, RedeemAttempt, Redemption, Session, TicketDelivery,
    },
};
use service_kit::{random, subjects};

use super::{CompleteError, Logins};
use crate::{
    sessions::{identifier::SessionId, is_over},
    tickets::{Ticket, TicketIssuing},
    user::User,
};

/// A browser that takes its login.
#[derive(Clone, Copy)]
pub struct Completion<'a> {
    /// What its attempt's cookie holds.
    pub secret: &'a BrowserSecret,
    /// The session that it had, which ends when it is signed in anew.
    pub previous: Option<&'a SessionId>,
    /// Where it comes from.
    pub client: IpAddr,
    /// What for.
    pub purpose: Purpose,
    /// How a ticket reaches its page.
    pub delivery: TicketDelivery,
}

/// A completed login.
#[derive(Debug)]
pub struct Completed {
    /// Who logged in.
    pub user: User,
    /// Their session, unless a ticket alone was asked for.
    pub session: Option<SessionId>,
    /// Their ticket, where there are any.
    pub ticket: Option<Ticket>,
}

/// Why a login no longer counts against its client.
const fn given_back(method: Method) -> GivenBack {
    match method {
        Method::Scan | Method::Code | Method::Page => GivenBack::Scanned,
        Method::WebAuthorization => GivenBack::WebAuthorization,
    }
}

fn session_of(realm: &Realm, identified: &Identified) -> Session {
    Session {
        member: identified.member.clone(),
        account: realm.account.clone(),
        method: identified.method,
        begun_at: identified.confirmed_at,
        approval: identified.approval,
    }
}

impl Logins {
    /// Whether there are tickets.
    pub fn have_tickets(&self) -> bool {
        self.tickets == TicketIssuing::On
    }

    /// Redeems this browser's attempt and signs it in, where a session is asked for; the one that it
    /// had before ends then. Within a minute it can be repeated: the outcome is the same.
    ///
    /// # Errors
    ///
    /// The attempt isn't confirmed, is over, the user signed out everywhere since they confirmed,
    /// its session was ended, or Redis is unavailable.
    pub async fn complete(&self, completion: Completion<'_>) -> Result<Completed, CompleteError> {
        let Completion {
            secret,
            previous,
            client,
            purpose,
            delivery,
        } = completion;
        let realm = &self.realm_of(secret).await?;
        let nonce = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
        let step = RedeemAttempt {
            scene: secret.scene(),
            realm: realm.clone(),
            nonce,
            purpose,
        };
        let identified = match self.store.run(&step).await? {
            Redemption::Redeemed(identified) => identified,
            Redemption::Refused(status) => return Err(CompleteError::NotRedeemable(status)),
        };
        let login = session_of(realm, &identified);
        let Identified {
            member,
            nonce,
            confirmed_at,
            method,
            ..
        } = identified;
        let is_first = nonce == step.nonce;
        let session = SessionId::of_redemption(secret, &nonce);
        let ticket = self.have_tickets().then(|| Ticket::of_session(&session));
        let issue = ticket.as_ref().map(|ticket| IssueTicket {
            site: realm.site.clone(),
            ticket_sha256: ticket.sha256(),
            login: login.clone(),
            delivery,
        });
        let session = (purpose == Purpose::Session).then_some(session);
        let create = session.as_ref().map(|session| CreateSession {
            site: realm.site.clone(),
            id_sha256: session.sha256(),
            session: login,
            lifetime: self.session_lifetime,
        });
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let [ended_here, ended] = [Some(realm.site.clone()), None].map(|site| ReadSessionsEnd {
            member: member.clone(),
            site,
        });
        // A repeat is no other login.
        let give_back = is_first
            .then(|| self.give_back(client, given_back(method)))
            .flatten();
        // A repeat comes with the very session that it leads to, and a ticket ends none.
        let previous = session
            .as_ref()
            .and_then(|session| previous.filter(|previous| *previous != session));
        let end = |site| {
            previous.map(|previous| EndSession {
                site,
                id_sha256: previous.sha256(),
            })
        };
        let (end, end_older) = (end(Some(realm.site.clone())), end(None));
        let (is_created, known, subject, ended_here, ended, ..) = self
            .store
            .run_together((
                create.as_ref(),
                &read,
                &read_subject,
                &ended_here,
                &ended,
                give_back.as_ref(),
                end.as_ref(),
                end_older.as_ref(),
                issue.as_ref(),
            ))
            .await?;
        // Who reads the session finds it over as well, so an end that comes a moment later counts
        // too.
        if is_over(confirmed_at, ended_here.max(ended)) {
            return Err(CompleteError::SignedOutEverywhere);
        }
        if is_created == Some(false) {
            return Err(CompleteError::NotRedeemable(AttemptStatus::Consumed));
        }
        // A gateway that couldn't give one, or of a version that gives none, leaves it to us.
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, &member, unionid).await?;
        metrics::counter!("logins_total", "outcome" => "completed").increment(1);
        Ok(Completed {
            user: User::new(&member, subject, known),
            session,
            ticket,
        })
    }
}
