//! A confirmed attempt becomes a session.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::{
    attempt::AttemptStatus,
    scene::BrowserSecret,
    steps::{
        CreateSession, EndSession, GivenBack, Identified, IndexSession, ReadMember,
        ReadSessionsEnd, ReadSubject, RedeemAttempt, Redemption, Session, SessionPlace,
    },
};
use service_kit::{random, subjects};

use super::{CompleteError, Logins, Visit};
use crate::{
    asker,
    sessions::{identifier::SessionId, store::is_over},
    user::User,
};

/// A browser that takes its session.
#[derive(Clone, Copy)]
pub struct Completion<'a> {
    /// What its attempt's cookie holds.
    pub secret: &'a BrowserSecret,
    /// The session that it had, which ends with the new login.
    pub previous: Option<&'a SessionId>,
    /// Where it comes from.
    pub visit: Visit<'a>,
    /// How it logged in.
    pub by: GivenBack,
}

impl Logins {
    /// What a session keeps of where it was begun.
    fn place(&self, visit: Visit<'_>) -> SessionPlace {
        SessionPlace {
            browser: asker::describe(visit.user_agent, visit.client),
            site_name: self.rules.site_name.to_string(),
            ends_on_unfollow: self.rules.end_on_unfollow,
        }
    }

    /// Redeems this browser's attempt and signs it in; the session that it had before ends. Within
    /// a minute it can be repeated: the outcome is the same session.
    ///
    /// # Errors
    ///
    /// The attempt isn't confirmed, is over, the user signed out everywhere or unfollowed since they
    /// confirmed, doesn't follow where that is required, its session was ended, or Redis is
    /// unavailable.
    pub async fn complete(
        &self,
        completion: Completion<'_>,
    ) -> Result<(SessionId, User), CompleteError> {
        let Completion {
            secret,
            previous,
            visit,
            by,
        } = completion;
        let realm = &self.site.realm;
        let nonce = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
        let step = RedeemAttempt {
            scene: secret.scene(),
            realm: realm.clone(),
            nonce,
        };
        let Identified {
            member,
            nonce,
            confirmed_at,
            method,
        } = match self.store.run(&step).await? {
            Redemption::Redeemed(identified) => identified,
            Redemption::Refused(status) => return Err(CompleteError::NotRedeemable(status)),
        };
        let is_first = nonce == step.nonce;
        let session = SessionId::of_redemption(secret, &nonce);
        let create = CreateSession {
            site: realm.site.clone(),
            id_sha256: session.sha256(),
            session: Session {
                member: member.clone(),
                account: realm.account.clone(),
                method,
                begun_at: confirmed_at,
                last_seen_at: confirmed_at,
                place: Some(self.place(visit)),
            },
            lifetime: self.session_lifetime,
        };
        let index = IndexSession::new(
            realm.site.clone(),
            create.id_sha256.clone(),
            &create.session,
            self.session_lifetime,
        );
        let unfollow = self.rules.unfollow_of(&member);
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
        let give_back = is_first.then(|| self.give_back(visit.client, by)).flatten();
        // A repeat comes with the very session that it leads to.
        let previous = previous.filter(|previous| **previous != session);
        let end = |site| {
            previous.map(|previous| EndSession {
                site,
                id_sha256: previous.sha256(),
            })
        };
        let (end, end_older) = (end(Some(realm.site.clone())), end(None));
        let (is_created, known, subject, ended_here, ended, unfollowed, ..) = self
            .store
            .run_together((
                &create,
                &read,
                &read_subject,
                &ended_here,
                &ended,
                unfollow.as_ref(),
                &index,
                give_back.as_ref(),
                end.as_ref(),
                end_older.as_ref(),
            ))
            .await?;
        // Who reads the session finds it over as well, so an end that comes a moment later counts
        // too.
        let ended = ended_here.max(ended).max(unfollowed.flatten());
        if is_over(confirmed_at, ended) {
            return Err(CompleteError::SignedOutEverywhere);
        }
        if !self.rules.admit(known.as_ref()) {
            // Nobody has it, and following later is to be confirmed by another login.
            let end = EndSession {
                site: Some(realm.site.clone()),
                id_sha256: create.id_sha256,
            };
            self.store.run(&end).await?;
            return Err(CompleteError::FollowingRequired);
        }
        if !is_created {
            return Err(CompleteError::NotRedeemable(AttemptStatus::Consumed));
        }
        // A gateway that couldn't give one, or of a version that gives none, leaves it to us.
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, &member, unionid).await?;
        metrics::counter!("logins_total", "outcome" => "completed").increment(1);
        Ok((session, User::new(&member, subject, known)))
    }
}
