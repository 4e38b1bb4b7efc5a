//! A confirmed attempt becomes a session.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::{
    attempt::AttemptStatus,
    scene::BrowserSecret,
    steps::{
        CreateSession, EndSession, GivenBack, Identified, ReadMember, ReadSessionsEnd, ReadSubject,
        RedeemAttempt, Redemption, Session,
    },
};
use service_kit::{random, subjects};

use super::{CompleteError, Logins};
use crate::{
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
    pub client: IpAddr,
    /// How it logged in.
    pub by: GivenBack,
}

impl Logins {
    /// Redeems this browser's attempt and signs it in; the session that it had before ends. Within
    /// a minute it can be repeated: the outcome is the same session.
    ///
    /// # Errors
    ///
    /// The attempt isn't confirmed, is over, the user signed out everywhere since they confirmed,
    /// its session was ended, or Redis is unavailable.
    pub async fn complete(
        &self,
        completion: Completion<'_>,
    ) -> Result<(SessionId, User), CompleteError> {
        let Completion {
            secret,
            previous,
            client,
            by,
        } = completion;
        let realm = &self.realm_of(secret).await?;
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
            },
            lifetime: self.session_lifetime,
        };
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
        let give_back = is_first.then(|| self.give_back(client, by)).flatten();
        // A repeat comes with the very session that it leads to.
        let previous = previous.filter(|previous| **previous != session);
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
                &create,
                &read,
                &read_subject,
                &ended_here,
                &ended,
                give_back.as_ref(),
                end.as_ref(),
                end_older.as_ref(),
            ))
            .await?;
        // Who reads the session finds it over as well, so an end that comes a moment later counts
        // too.
        if is_over(confirmed_at, ended_here.max(ended)) {
            return Err(CompleteError::SignedOutEverywhere);
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
