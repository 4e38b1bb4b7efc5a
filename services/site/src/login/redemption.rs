//! A confirmed attempt becomes a session, or a ticket, or both.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    event::{EventKind, Happening, LetIn, Occasion},
    history::Figure,
    identity::MemberId,
    method::Method,
    scene::{BrowserSecret, Scene},
    session_end::SessionEnd,
    site::{Realm, SiteId},
    steps::{
        AppendEvent, Appended, CreateSession, Denial, EndSession, GivenBack, Identified,
        IndexSession, IssueTicket, LookAtSession, Purpose, ReadMember, ReadSessionsEnd,
        ReadSubject, RedeemAttempt, Redemption, SeenSession, Session, SessionPlace, TicketDelivery,
        oidc::{LogoutQueue, LogoutTask, QueueLogouts, ReadSessionClients},
    },
};
use service_kit::{asker, clock::Clock, events, history, random, redis::StoreError, subjects};

use super::{CompleteError, Logins, Visit};
use crate::{
    sessions::{
        ending::{is_over, session_ended},
        identifier::SessionId,
        rules::TicketIssuing,
    },
    tickets::Ticket,
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
    /// When its stream, if it has one here, told it that the login is confirmed.
    pub told_at: Option<Timestamp>,
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
    /// Whether it is one is known only by the round trip that tells of it: until then nobody else
    /// is told who wouldn't be let in.
    fn completed(
        &self,
        realm: &Realm,
        scene: &Scene,
        identified: &Identified,
        following: bool,
    ) -> AppendEvent {
        const KIND: EventKind = EventKind::LoginCompleted;
        let Identified {
            member,
            nonce,
            method,
            client,
            confirmed_at,
            ..
        } = identified;
        let account = realm.account.clone();
        let happening = Happening::new(KIND, account, member)
            .with("method", method.as_str())
            .with("site", &*self.rules.site_name)
            .with("client", client.as_deref());
        let if_let_in = LetIn {
            site: realm.site.clone(),
            confirmed_at_ms: confirmed_at.as_millisecond(),
            following,
            ends_on_unfollow: self.rules.end_on_unfollow,
        };
        AppendEvent {
            occasion: Occasion::of(KIND, member, &[scene.as_str(), nonce]),
            happening: Happening {
                if_let_in: Some(if_let_in),
                ..happening
            },
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
            client: identified.client.clone(),
        }
    }

    /// Takes back what was told of a login that turned out to be none. Returns whether it is told
    /// all the same: to somebody already, or as an earlier one that was let in.
    async fn take_back(&self, told: Appended, was_let_in: bool) -> Result<bool, StoreError> {
        let position = match told {
            Appended::Before(_) if was_let_in => return Ok(true),
            // Also before: Redis was asked again, since it didn't know a script or an answer was
            // lost.
            Appended::Now(position) | Appended::Before(position) => position,
            Appended::Off => return Ok(false),
        };
        let is_untold = |login: &Happening| login.if_let_in.is_some();
        let taken = events::take_back(&self.store, position, is_untold).await?;
        Ok(!taken)
    }

    /// Ends the session of somebody who isn't let in. Nobody has it, and following later is to be
    /// confirmed by another login.
    async fn end_refused(&self, created: Option<CreateSession>) -> Result<(), StoreError> {
        let Some(created) = created else {
            return Ok(());
        };
        let end = EndSession {
            member: None,
            site: Some(created.site),
            id_sha256: created.id_sha256,
        };
        self.store.run(&end).await
    }

    /// Redeems the attempt, and says whether this is the first time, and what the session is that
    /// the browser had before.
    async fn redeem(
        &self,
        realm: &Realm,
        secret: &BrowserSecret,
        purpose: Purpose,
        previous: Option<&SessionId>,
    ) -> Result<(Identified, bool, Option<Before>), CompleteError> {
        let step = RedeemAttempt {
            scene: secret.scene(),
            realm: realm.clone(),
            nonce: URL_SAFE_NO_PAD.encode(random::bytes::<32>()?),
            purpose,
        };
        let look = |site: Option<SiteId>| {
            previous.map(|previous| LookAtSession {
                site,
                id_sha256: previous.sha256(),
            })
        };
        let (look, look_older) = (look(Some(realm.site.clone())), look(None));
        let read_clients = previous.map(|previous| ReadSessionClients {
            site: realm.site.clone(),
            session_sha256: previous.sha256(),
        });
        let (redemption, seen, seen_older, clients) = self
            .store
            .run_together((
                &step,
                look.as_ref(),
                look_older.as_ref(),
                read_clients.as_ref(),
            ))
            .await?;
        let was_at_clients = clients.is_some_and(|clients| !clients.is_empty());
        match redemption {
            Redemption::Redeemed(identified) => {
                let is_first = identified.nonce == step.nonce;
                let seen = seen.flatten().or(seen_older.flatten());
                let before = seen.map(|seen| Before {
                    seen,
                    was_at_clients,
                });
                Ok((identified, is_first, before))
            }
            Redemption::Refused(status) => Err(CompleteError::NotRedeemable(status)),
            Redemption::Banned => Err(CompleteError::Banned),
        }
    }

    /// Tells that somebody who is banned wasn't let in.
    async fn tell_denial(
        &self,
        account: &AccountName,
        member: &MemberId,
        scene: &Scene,
    ) -> Result<(), StoreError> {
        let denied = AppendEvent::of_denial(account, member, scene, Denial::Banned);
        self.store.run(&denied).await?;
        Ok(())
    }

    /// Ends the session that the browser had before a login that is certain by now.
    async fn end_before(&self, before: &Replacement) -> Result<(), StoreError> {
        let Replacement {
            told,
            clients,
            end,
            end_older,
        } = before;
        let steps = (told.as_ref(), clients.as_ref(), end, end_older);
        self.store.run_together(steps).await?;
        Ok(())
    }

    /// The ticket of a session, where there are any, and the step that keeps it.
    fn issue(
        &self,
        session: &SessionId,
        login: &Session,
        site: &SiteId,
        delivery: TicketDelivery,
    ) -> (Option<Ticket>, Option<IssueTicket>) {
        let is_due = self.have_tickets() && self.rules.trust(login);
        let ticket = is_due.then(|| Ticket::of_session(session));
        let issue = ticket.as_ref().map(|ticket| IssueTicket {
            site: site.clone(),
            ticket_sha256: ticket.sha256(),
            login: login.clone(),
            delivery,
        });
        (ticket, issue)
    }

    /// Whether only followers of the account are let in: as the client says that the visitor goes
    /// on to, or else this site.
    fn requires_following(&self, identified: &Identified) -> bool {
        let own = identified.client.is_none() && self.rules.require_following;
        identified.require_following || own
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
            told_at,
        } = completion;
        let realm = &self.realm_of(secret).await?;
        let (identified, is_first, before) = self.redeem(realm, secret, purpose, previous).await?;
        let following = self.requires_following(&identified);
        let completed = self.completed(realm, &secret.scene(), &identified, following);
        let login = self.session_of(realm, &identified, visit);
        let Identified {
            member,
            nonce,
            confirmed_at,
            method,
            ..
        } = identified;
        let session = SessionId::of_redemption(secret, &nonce);
        let (ticket, issue) = self.issue(&session, &login, &realm.site, delivery);
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
        let ask = self.ban_keys.ask(&member);
        let (told, bans, is_created, _, known, subject, ended_here, ended, unfollowed, ..) = self
            .store
            .run_together((
                &completed,
                &ask,
                create.as_ref(),
                // Before the ends are read: what ends sessions afterwards finds it.
                index.as_ref(),
                &read,
                &read_subject,
                &ended_here,
                &ended,
                unfollow.as_ref(),
                give_back.as_ref(),
                issue.as_ref(),
            ))
            .await?;
        let is_banned = self.ban_keys.settle(&self.store, ask, bans).await?;
        // Who reads the session finds it over as well, so an end that comes a moment later counts
        // too.
        let ended = ended_here.max(ended).max(unfollowed.flatten());
        let standing = Standing {
            banned: is_banned,
            ended: is_over(confirmed_at, ended),
            admitted: !following || known.as_ref().is_some_and(|known| known.subscribed),
            created: is_created,
        };
        if let Some(refusal) = standing.refusal() {
            // First: a repeat that comes between both is to find it ended, and not be let in untold.
            if !matches!(
                refusal,
                CompleteError::NotRedeemable(_) | CompleteError::SignedOutEverywhere
            ) {
                self.end_refused(create).await?;
            }
            // A repeat of a login that was let in finds its session ended, or unfollowed.
            let is_unfollowed = matches!(refusal, CompleteError::FollowingRequired);
            let was_let_in = !is_first && (is_unfollowed || is_created != Some(true));
            let is_told = self.take_back(told, was_let_in).await?;
            if is_banned && !is_told {
                self.tell_denial(&realm.account, &member, &secret.scene())
                    .await?;
            }
            return Err(refusal);
        }
        // Not together with it: a full Redis takes an end, and no beginning.
        if let Some(before) = Replacement::of(&realm.site, previous, before) {
            self.end_before(&before).await?;
        }
        // A gateway that couldn't give one, or of a version that gives none, leaves it to us.
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, &member, unionid).await?;
        self.count(is_first, &realm.account, method, confirmed_at, told_at);
        Ok(Completed {
            user: User::new(&member, subject, known),
            session,
            ticket,
        })
    }
}

/// The session that the browser had before.
struct Before {
    seen: SeenSession,
    /// Whether clients of the site's OpenID Connect provider used it.
    was_at_clients: bool,
}

/// Its end.
struct Replacement {
    told: Option<AppendEvent>,
    /// What the site is to tell its clients, if this process doesn't come to it.
    clients: Option<QueueLogouts>,
    end: EndSession,
    end_older: EndSession,
}

impl Replacement {
    fn of(site: &SiteId, previous: Option<&SessionId>, before: Option<Before>) -> Option<Self> {
        let previous = previous?;
        let Before {
            seen,
            was_at_clients,
        } = before?;
        let clients = was_at_clients.then(|| QueueLogouts {
            site: site.clone(),
            queue: LogoutQueue::Endings,
            tasks: vec![LogoutTask::Ended {
                session_sha256: previous.sha256(),
            }],
        });
        let end = |site| EndSession {
            member: Some(seen.member.clone()),
            site,
            id_sha256: previous.sha256(),
        };
        Some(Self {
            told: session_ended(&seen, &previous.sha256(), SessionEnd::Replaced),
            clients,
            end: end(Some(site.clone())),
            end_older: end(None),
        })
    }
}

/// How it stands with somebody whose attempt was redeemed.
struct Standing {
    banned: bool,
    /// Their sessions were ended after they confirmed.
    ended: bool,
    /// They follow the account, or needn't.
    admitted: bool,
    /// Whether there is a session now; `None`: none was to be.
    created: Option<bool>,
}

impl Standing {
    /// Why they aren't let in.
    fn refusal(&self) -> Option<CompleteError> {
        if self.banned {
            Some(CompleteError::Banned)
        } else if self.ended {
            Some(CompleteError::SignedOutEverywhere)
        } else if !self.admitted {
            Some(CompleteError::FollowingRequired)
        } else if self.created == Some(false) {
            Some(CompleteError::NotRedeemable(AttemptStatus::Consumed))
        } else {
            None
        }
    }
}

impl Logins {
    /// Counts a completed login; a repeat is none for the funnel, nor for the pace of logins.
    fn count(
        &self,
        is_first: bool,
        account: &AccountName,
        method: Method,
        confirmed_at: Timestamp,
        told_at: Option<Timestamp>,
    ) {
        metrics::counter!("logins_total", "outcome" => "completed").increment(1);
        if !is_first {
            return;
        }
        // Below zero: two clocks differ by more than it took.
        let since = |at: Timestamp| -> Duration {
            at.duration_since(confirmed_at)
                .try_into()
                .unwrap_or_default()
        };
        let steps = self.steps.of(account);
        let took = since(Clock::system().now());
        history::count(Figure::of_delay(took));
        steps.signed_in.record(took);
        if let Some(told_at) = told_at {
            steps.told.record(since(told_at));
        }
        steps.completed.count(method);
        // Inside WeChat a login begins without work, and isn't counted.
        if method != Method::WebAuthorization {
            self.work.forget();
        }
    }
}
