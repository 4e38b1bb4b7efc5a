//! A confirmed attempt becomes a session, or a ticket, or both.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    event::{EventKind, Happening, Occasion},
    history::Figure,
    identity::MemberId,
    method::Method,
    scene::{BrowserSecret, Scene},
    site::Realm,
    steps::{
        AppendEvent, CreateSession, EndSession, GivenBack, Identified, IndexSession, IssueTicket,
        Purpose, ReadMember, ReadSessionsEnd, ReadSubject, RedeemAttempt, Redemption, Session,
        SessionPlace, TicketDelivery,
    },
};
use service_kit::{asker, clock::Clock, history, random, redis::StoreError, subjects};

use super::{CompleteError, Logins, Visit};
use crate::{
    sessions::{ending::is_over, identifier::SessionId},
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
    pub visit: Visit<'a>,
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

/// What is stored of somebody, and their subject.
fn reads(member: &MemberId) -> (ReadMember, ReadSubject) {
    let member = member.clone();
    let read = ReadMember {
        member: member.clone(),
    };
    (read, ReadSubject { member })
}

impl Logins {
    /// What the owner's software is told of a login. Whose it is says the gateway to it.
    fn completed(
        &self,
        realm: &Realm,
        scene: &Scene,
        nonce: &str,
        member: &MemberId,
        method: Method,
    ) -> AppendEvent {
        const KIND: EventKind = EventKind::LoginCompleted;
        let account = realm.account.clone();
        AppendEvent {
            occasion: Occasion::of(KIND, member, &[scene.as_str(), nonce]),
            happening: Happening::new(KIND, account, member)
                .with("method", method.as_str())
                .with("site", &*self.rules.site_name)
                .with("client", serde_json::Value::Null),
            opens: false,
        }
    }

    /// Whether there are tickets.
    pub fn have_tickets(&self) -> bool {
        self.rules.tickets == TicketIssuing::On
    }

    /// What a session keeps of where it was begun.
    fn place(&self, visit: Visit<'_>) -> SessionPlace {
        SessionPlace {
            browser: asker::describe(visit.user_agent, visit.client),
            site_name: self.rules.site_name.to_string(),
            ends_on_unfollow: self.rules.end_on_unfollow,
        }
    }

    fn session_of(&self, realm: &Realm, identified: &Identified, visit: Visit<'_>) -> Session {
        Session {
            member: identified.member.clone(),
            account: realm.account.clone(),
            method: identified.method,
            begun_at: identified.confirmed_at,
            last_seen_at: identified.confirmed_at,
            place: Some(self.place(visit)),
            approval: identified.approval,
        }
    }

    /// Ends the session of somebody who isn't let in. Nobody has it, and following later is to be
    /// confirmed by another login.
    async fn end_refused(&self, created: Option<CreateSession>) -> Result<(), StoreError> {
        let Some(created) = created else {
            return Ok(());
        };
        let end = EndSession {
            site: Some(created.site),
            id_sha256: created.id_sha256,
        };
        self.store.run(&end).await
    }

    /// Redeems the attempt, and says whether this is the first time.
    async fn redeem(
        &self,
        realm: &Realm,
        secret: &BrowserSecret,
        purpose: Purpose,
    ) -> Result<(Identified, bool), CompleteError> {
        let step = RedeemAttempt {
            scene: secret.scene(),
            realm: realm.clone(),
            nonce: URL_SAFE_NO_PAD.encode(random::bytes::<32>()?),
            purpose,
        };
        match self.store.run(&step).await? {
            Redemption::Redeemed(identified) => {
                let is_first = identified.nonce == step.nonce;
                Ok((identified, is_first))
            }
            Redemption::Refused(status) => Err(CompleteError::NotRedeemable(status)),
            Redemption::Banned => Err(CompleteError::Banned),
        }
    }

    /// Redeems this browser's attempt and signs it in, where a session is asked for; the one that it
    /// had before ends then. Within a minute it can be repeated: the outcome is the same.
    ///
    /// # Errors
    ///
    /// The attempt isn't confirmed, is over, the user signed out everywhere or unfollowed since they
    /// confirmed, doesn't follow where that is required, is banned, its session was ended, or Redis
    /// is unavailable.
    pub async fn complete(&self, completion: Completion<'_>) -> Result<Completed, CompleteError> {
        let Completion {
            secret,
            previous,
            visit,
            purpose,
            delivery,
        } = completion;
        let realm = &self.realm_of(secret).await?;
        let (identified, is_first) = self.redeem(realm, secret, purpose).await?;
        let login = self.session_of(realm, &identified, visit);
        let Identified {
            member,
            nonce,
            confirmed_at,
            method,
            ..
        } = identified;
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
        let index = create.as_ref().map(IndexSession::of);
        let unfollow = self.rules.unfollow_of(&member);
        let (read, read_subject) = reads(&member);
        let [ended_here, ended] = [Some(realm.site.clone()), None].map(|site| ReadSessionsEnd {
            member: member.clone(),
            site,
        });
        // A repeat is no other login.
        let give_back = is_first
            .then(|| self.give_back(visit.client, given_back(method)))
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
        let ask = self.ban_keys.ask(&member);
        let (_, bans, is_created, known, subject, ended_here, ended, unfollowed, ..) = self
            .store
            .run_together((
                &self.completed(realm, &secret.scene(), &nonce, &member, method),
                &ask,
                create.as_ref(),
                &read,
                &read_subject,
                &ended_here,
                &ended,
                unfollow.as_ref(),
                index.as_ref(),
                give_back.as_ref(),
                end.as_ref(),
                end_older.as_ref(),
                issue.as_ref(),
            ))
            .await?;
        if self.ban_keys.settle(&self.store, ask, bans).await? {
            self.end_refused(create).await?;
            return Err(CompleteError::Banned);
        }
        // Who reads the session finds it over as well, so an end that comes a moment later counts
        // too.
        let ended = ended_here.max(ended).max(unfollowed.flatten());
        if is_over(confirmed_at, ended) {
            return Err(CompleteError::SignedOutEverywhere);
        }
        if !self.rules.admit(known.as_ref()) {
            self.end_refused(create).await?;
            return Err(CompleteError::FollowingRequired);
        }
        if is_created == Some(false) {
            return Err(CompleteError::NotRedeemable(AttemptStatus::Consumed));
        }
        // A gateway that couldn't give one, or of a version that gives none, leaves it to us.
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, &member, unionid).await?;
        count(is_first, confirmed_at);
        Ok(Completed {
            user: User::new(&member, subject, known),
            session,
            ticket,
        })
    }
}

/// Counts a completed login; a repeat is none for the console.
fn count(is_first: bool, confirmed_at: Timestamp) {
    metrics::counter!("logins_total", "outcome" => "completed").increment(1);
    if is_first {
        let took = Clock::system().now().duration_since(confirmed_at);
        // Below zero: two clocks differ by more than the browser took.
        history::count(Figure::of_delay(took.try_into().unwrap_or_default()));
        history::count(Figure::Completed);
    }
}
