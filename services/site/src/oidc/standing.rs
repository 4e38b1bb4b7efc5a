//! What has become of a grant's person, asked in the round trip that reads the grant.
//!
//! Only the grant tells whose it is, so that asking about them takes a round trip more. A process
//! that has seen the grant remembers whose it is, and asks both at once: userinfo took 37 µs of the
//! processor in two round trips.
//!
//! What writes has a round trip of its own after that: a command that is sent to a Redis that hangs
//! is done when it goes on, and nobody hears of it. A code would be spent, and its client not know
//! by what.

use jiff::Timestamp;
use login_protocol::{
    member::Member,
    site::SiteId,
    steps::{
        GivenSubject, ReadMember, ReadSessionsEnd, ReadSubject, ReadUnfollow, Step,
        oidc::{EndGrant, GrantId},
    },
};
use service_kit::redis::StoreError;

use super::{
    clients::Client, grant_record::GrantRecord, grants::GrantError, provider::Provider,
    remembered_grants::Question, tokens::Token,
};

/// What is known of a person, and when which of their logins ended.
struct Standing {
    known: Option<Member>,
    subject: Option<GivenSubject>,
    ended_at: Option<Timestamp>,
    unfollowed_at: Option<Timestamp>,
}

impl Standing {
    fn new(
        known: Option<Member>,
        subject: Option<GivenSubject>,
        ended_at: Option<Timestamp>,
        unfollowed_at: Option<Timestamp>,
    ) -> Self {
        Self {
            known,
            subject,
            ended_at,
            unfollowed_at,
        }
    }
}

/// A question that was asked beside the grant, and its answer.
pub(super) struct AskedAlong(Question, Standing);

/// The steps of a question.
struct Reads {
    member: ReadMember,
    subject: ReadSubject,
    ended_here: ReadSessionsEnd,
    ended: ReadSessionsEnd,
    unfollow: Option<ReadUnfollow>,
}

impl Reads {
    fn new(question: &Question, site: &SiteId) -> Self {
        let member = || question.member.clone();
        let ended = |site| ReadSessionsEnd {
            member: member(),
            site,
        };
        Self {
            member: ReadMember { member: member() },
            subject: ReadSubject { member: member() },
            ended_here: ended(Some(site.clone())),
            ended: ended(None),
            unfollow: question
                .of_unfollow
                .then(|| ReadUnfollow { member: member() }),
        }
    }
}

impl Provider {
    fn question(&self, client: &Client, record: &GrantRecord) -> Question {
        Question {
            member: record.member.clone(),
            of_unfollow: client.requires_following() || self.ends_on_unfollow,
        }
    }

    /// Remembers whose a grant is.
    pub(super) fn remember(&self, grant: &GrantId, client: &Client, record: &GrantRecord) {
        let question = self.question(client, record);
        self.remembered.note(grant, question);
    }

    /// Reads a grant, and, if this process knows whose it is, what has become of them.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub(super) async fn read_grant<S: Step>(
        &self,
        grant: &GrantId,
        read: &S,
    ) -> Result<(S::Outcome, Option<AskedAlong>), StoreError> {
        let Some(question) = self.remembered.of(grant) else {
            return Ok((self.store.run(read).await?, None));
        };
        let reads = Reads::new(&question, &self.site);
        let (found, known, subject, ended_here, ended, unfollowed_at) = self
            .store
            .run_together((
                read,
                &reads.member,
                &reads.subject,
                &reads.ended_here,
                &reads.ended,
                reads.unfollow.as_ref(),
            ))
            .await?;
        let (ended_at, unfollowed_at) = (ended_here.max(ended), unfollowed_at.flatten());
        let standing = Standing::new(known, subject, ended_at, unfollowed_at);
        Ok((found, Some(AskedAlong(question, standing))))
    }

    async fn ask(&self, question: &Question) -> Result<Standing, StoreError> {
        let reads = Reads::new(question, &self.site);
        let (known, subject, ended_here, ended, unfollowed_at) = self
            .store
            .run_together((
                &reads.member,
                &reads.subject,
                &reads.ended_here,
                &reads.ended,
                reads.unfollow.as_ref(),
            ))
            .await?;
        let (ended_at, unfollowed_at) = (ended_here.max(ended), unfollowed_at.flatten());
        Ok(Standing::new(known, subject, ended_at, unfollowed_at))
    }

    /// What is known of a grant's person, unless their logins have ended: by a sign-out everywhere,
    /// a deletion, or an unfollow where the client requires following. Then the grant ends, too.
    ///
    /// # Errors
    ///
    /// They have ended, or Redis is unavailable.
    pub(super) async fn check(
        &self,
        client: &Client,
        record: &GrantRecord,
        token: &Token,
        asked_along: Option<AskedAlong>,
    ) -> Result<Option<Member>, GrantError> {
        let question = self.question(client, record);
        let standing = match asked_along {
            Some(AskedAlong(asked, standing)) if asked == question => standing,
            _ => {
                let standing = self.ask(&question).await?;
                self.remembered.note(token.grant(), question);
                standing
            }
        };
        let subject = standing.subject.as_ref();
        let is_same = subject.is_some_and(|given| given.subject.as_str() == record.subject);
        let is_over = standing
            .ended_at
            .is_some_and(|ended_at| record.begun_at_ms <= ended_at.as_millisecond());
        // Whoever follows again has unfollowed all the same.
        let has_unfollowed = standing
            .unfollowed_at
            .is_some_and(|at| at.as_millisecond() >= record.begun_at_ms);
        let known = standing.known;
        let follows = known.as_ref().is_some_and(|known| known.subscribed);
        let is_admitted = follows || !client.requires_following();
        if is_same && !is_over && !has_unfollowed && is_admitted {
            return Ok(known);
        }
        self.end_grant(token).await?;
        Err(GrantError::Ended)
    }

    /// Ends all that came of one authorization.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub(super) async fn end_grant(&self, token: &Token) -> Result<(), StoreError> {
        let end = EndGrant {
            site: self.site.clone(),
            grant: token.grant().clone(),
        };
        self.store.run(&end).await
    }
}
