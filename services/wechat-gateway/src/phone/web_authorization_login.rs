//! Logging in by web authorisation, inside WeChat: the browser that asks runs on the phone of the
//! person who agrees.

use std::{sync::Arc, time::Duration};

use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    identity::{MemberId, OpenId},
    member::{Member, Profile},
    method::Method,
    scene::Scene,
    steps::{
        AppendEvent, ConfirmAttempt, Denial, Exchanger, IndexMember, NoteAttempt, ReadMember,
        ReadSubject, RecordVisit, RefuseScan, ScanEffect,
    },
    subject::Subject,
};
use serde::{Deserialize, Serialize};
use service_kit::{
    bans,
    clock::Clock,
    login_steps::{LoginStep, StepCounters},
    redis::{Store, StoreError},
};
use tokio::time::timeout;
use url::Url;
use wechat_wire::api::UserInfo;

use crate::{
    denials,
    push::happenings::Person,
    subjects::Subjects,
    unfollows::Unfollow,
    wechat::{
        access_tokens::AccessTokens,
        api::Api,
        profile,
        web_authorization::{AuthorizationError, Authorized, Scope, WebAuthorization},
    },
};

/// How long a login waits for nickname and avatar, and whether the person follows. It succeeds
/// without either.
const DETAILS_BUDGET: Duration = Duration::from_secs(2);

/// The outcome of a code. It is stored, so that the same code again has the same outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It logged its attempt in.
    Confirmed,
    /// The owner banned whoever it identifies.
    Banned,
    /// Its attempt was over, or somebody else's.
    #[serde(alias = "thrown_away")]
    Over,
    /// It was a snapshot's.
    Snapshot,
    /// Nobody agreed to it.
    ConsentMissing,
}

/// Logs people in by web authorisation.
pub struct WebAuthorizationLogin {
    account: AccountName,
    authorization: Arc<WebAuthorization>,
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    subjects: Subjects,
    store: Arc<Store>,
    clock: Clock,
    scanned: StepCounters,
    confirmed: StepCounters,
    denied: StepCounters,
}

/// The outcome of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// The attempt is this person's; its browser can redeem it.
    Confirmed,
    /// The owner banned the person: the attempt is denied.
    Banned,
    /// The attempt is over, or became another person's.
    Over,
}

impl WebAuthorizationLogin {
    /// Logins to this account.
    pub fn new(
        account: AccountName,
        authorization: Arc<WebAuthorization>,
        api: Arc<Api>,
        tokens: Arc<AccessTokens>,
        store: Arc<Store>,
        clock: Clock,
    ) -> Self {
        Self {
            scanned: StepCounters::new(LoginStep::Scanned, &account),
            confirmed: StepCounters::new(LoginStep::Confirmed, &account),
            denied: StepCounters::new(LoginStep::Denied, &account),
            subjects: Subjects::new(account.clone(), Arc::clone(&store)),
            account,
            authorization,
            api,
            tokens,
            store,
            clock,
        }
    }

    /// Where to send the browser of this attempt. WeChat asks the person for nickname and avatar.
    pub fn authorize_url(&self, scene: &Scene, redirect_uri: &Url) -> String {
        self.authorization.authorize_url(
            Scope::UserInfo,
            redirect_uri,
            &scene.authorization_state(),
        )
    }

    /// Confirms the attempt for the person who returned with this code, also in tap mode: they hold
    /// the very phone that asks, and have just consented on it. The caller has made sure that it is
    /// the browser that started.
    ///
    /// # Errors
    ///
    /// The code is spent, the person isn't real or didn't agree, WeChat or Redis failed.
    pub async fn complete(
        self: &Arc<Self>,
        scene: &Scene,
        code: &str,
    ) -> Result<Completed, AuthorizationError> {
        let exchange = {
            let (this, scene, code) = (Arc::clone(self), scene.clone(), code.to_owned());
            async move {
                let attempt = Exchanger::Attempt(scene.clone());
                let recognised = this
                    .authorization
                    .recognise(attempt, &code, Scope::UserInfo)
                    .await;
                match recognised {
                    Ok(person) => this.confirm(&scene, person).await,
                    Err(AuthorizationError::Snapshot) => Ok(Outcome::Snapshot),
                    Err(AuthorizationError::ConsentMissing) => Ok(Outcome::ConsentMissing),
                    Err(error) => Err(error),
                }
            }
        };
        let outcome = self
            .authorization
            .once_per_code(scene.as_str(), code, exchange)
            .await;
        count(&self.account, &outcome);
        match outcome? {
            Outcome::Confirmed => Ok(Completed::Confirmed),
            Outcome::Banned => Ok(Completed::Banned),
            Outcome::Over => Ok(Completed::Over),
            Outcome::Snapshot => Err(AuthorizationError::Snapshot),
            Outcome::ConsentMissing => Err(AuthorizationError::ConsentMissing),
        }
    }

    async fn confirm(
        &self,
        scene: &Scene,
        person: Authorized,
    ) -> Result<Outcome, AuthorizationError> {
        let asked_at = self.clock.now();
        let member = self.id(&person);
        if bans::is_banned(&self.store, &member).await? {
            let refuse = RefuseScan {
                scene: scene.clone(),
                account: self.account.clone(),
                member,
            };
            let is_open =
                denials::is_open(&self.store, scene, &self.account, &refuse.member).await?;
            let append = is_open.then(|| {
                AppendEvent::of_denial(&self.account, &refuse.member, scene, Denial::Banned)
            });
            let (_, refused) = self.store.run_together((append.as_ref(), &refuse)).await?;
            if matches!(refused.effect, ScanEffect::Accepted(_)) {
                self.denied.count(Method::WebAuthorization);
            }
            return Ok(Outcome::Banned);
        }
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let read = ReadMember {
            member: member.clone(),
        };
        let (profile, account_info, stored) = tokio::join!(
            self.shown_by(&person),
            self.known_to_account(&person.openid),
            self.store.run_both(&read, &read_subject),
        );
        let (known, subject) = stored?;
        let account_info = account_info.unwrap_or_default();
        // The response to the code contains it as well, whatever becomes of the calls that follow.
        let unionid = person.unionid().or(account_info.union_id());
        let sub = subject.as_ref().map(|given| given.subject.clone());
        let naming = self.subjects.name(&member, subject, unionid).await?;
        let sub = sub.or_else(|| Some(naming.give.as_ref()?.subject.clone()));
        let unionid = unionid.map(str::to_owned);
        let visit = RecordVisit {
            member: member.clone(),
            at: asked_at,
            follows: account_info.is_subscribed(),
            unionid,
            profile,
        };
        let append = self.visited(&member, known.as_ref(), sub.as_ref(), &visit);
        let note = NoteAttempt {
            member: member.clone(),
            scene: scene.clone(),
        };
        let confirm = ConfirmAttempt {
            scene: scene.clone(),
            account: self.account.clone(),
            member: member.clone(),
        };
        self.leave(&member, append.as_ref(), &visit).await?;
        let index = IndexMember {
            member: visit.member.clone(),
            first_seen_at: asked_at,
            only_new: true,
        };
        let (_, _, _, _, _, _, (), confirmed) = self
            .store
            .run_together((
                append.as_ref(),
                &visit,
                &index,
                naming.give.as_ref(),
                naming.claim.as_ref(),
                naming.note.as_ref(),
                &note,
                &confirm,
            ))
            .await?;
        if matches!(confirmed.effect, ScanEffect::Accepted(_)) {
            self.scanned.count(Method::WebAuthorization);
            self.confirmed.count(Method::WebAuthorization);
        }
        Ok(match confirmed.effect {
            ScanEffect::Accepted(_)
            | ScanEffect::Repeated(AttemptStatus::Confirmed | AttemptStatus::Consumed) => {
                Outcome::Confirmed
            }
            ScanEffect::Repeated(_)
            | ScanEffect::Taken
            | ScanEffect::Elsewhere
            | ScanEffect::Gone => Outcome::Over,
        })
    }

    /// Whom web authorisation recognised.
    pub fn id(&self, person: &Authorized) -> MemberId {
        MemberId {
            app_id: self.api.app_id().clone(),
            openid: person.openid.clone(),
        }
    }

    /// Keeps that somebody opened a page of ours to log in, with what the account knows of them, and
    /// gives them a subject. Says who they are and whether they follow the account, as far as that
    /// is known.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn meet(&self, person: &Authorized) -> Result<(MemberId, bool), StoreError> {
        let asked_at = self.clock.now();
        let member = self.id(person);
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let (account_info, stored) = tokio::join!(
            self.known_to_account(&person.openid),
            self.store.run_both(&read, &read_subject),
        );
        let (known, subject) = stored?;
        let account_info = account_info.unwrap_or_default();
        let unionid = person.unionid().or(account_info.union_id());
        let sub = subject.as_ref().map(|given| given.subject.clone());
        let naming = self.subjects.name(&member, subject, unionid).await?;
        let sub = sub.or_else(|| Some(naming.give.as_ref()?.subject.clone()));
        let visit = RecordVisit {
            member: member.clone(),
            at: asked_at,
            follows: account_info.is_subscribed(),
            unionid: unionid.map(str::to_owned),
            profile: None,
        };
        let append = self.visited(&member, known.as_ref(), sub.as_ref(), &visit);
        let index = IndexMember {
            member: member.clone(),
            first_seen_at: asked_at,
            only_new: true,
        };
        self.leave(&member, append.as_ref(), &visit).await?;
        self.store
            .run_together((
                append.as_ref(),
                &visit,
                &index,
                naming.give.as_ref(),
                naming.claim.as_ref(),
                naming.note.as_ref(),
            ))
            .await?;
        let was_following = || known.is_some_and(|member| member.subscribed);
        let follows = account_info.is_subscribed().unwrap_or_else(was_following);
        Ok((member, follows))
    }

    /// Ends what ends with an unfollow, if a visit is the first to tell of one. It is kept in a round
    /// trip of its own: a login that is confirmed in the next one comes later, however often Redis is
    /// asked.
    async fn leave(
        &self,
        member: &MemberId,
        event: Option<&AppendEvent>,
        visit: &RecordVisit,
    ) -> Result<(), StoreError> {
        let Some(left) = Unfollow::told_by(&self.store, member, event).await? else {
            return Ok(());
        };
        let (_, has_left, sessions, uses) = self
            .store
            .run_together((event, visit, &left.index, &left.uses))
            .await?;
        if has_left {
            left.conclude(visit.at, &sessions, &uses).await?;
        }
        Ok(())
    }

    /// What the owner's software is told of a visit.
    fn visited(
        &self,
        member: &MemberId,
        known: Option<&Member>,
        sub: Option<&Subject>,
        visit: &RecordVisit,
    ) -> Option<AppendEvent> {
        let person = Person {
            account: &self.account,
            member,
            known,
            sub,
        };
        // It is opened by whoever keeps it, if it is to be kept.
        Some(AppendEvent {
            opens: false,
            ..person.visited(visit)?
        })
    }

    async fn shown_by(&self, person: &Authorized) -> Option<Profile> {
        match timeout(DETAILS_BUDGET, self.authorization.profile(person)).await {
            Ok(Ok(info)) => Some(profile::from_web_user_info(&info)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "sns/userinfo failed; the login continues without a profile");
                None
            }
            Err(_) => {
                tracing::warn!("sns/userinfo took too long; the login continues without a profile");
                None
            }
        }
    }

    /// What the account may know of the person: whether they follow it, above all.
    async fn known_to_account(&self, openid: &OpenId) -> Option<UserInfo> {
        let ask = self
            .tokens
            .with_own_token(|token| async move { self.api.user_info(&token, openid).await });
        match timeout(DETAILS_BUDGET, ask).await {
            Ok(Ok(info)) => Some(info),
            Ok(Err(error)) => {
                tracing::warn!(%error, "user/info failed; whether the person follows the account stays unknown");
                None
            }
            Err(_) => {
                tracing::warn!(
                    "user/info took too long; whether the person follows the account stays unknown"
                );
                None
            }
        }
    }
}

fn count(account: &AccountName, outcome: &Result<Outcome, AuthorizationError>) {
    let name = match outcome {
        Ok(Outcome::Confirmed) => "confirmed",
        Ok(Outcome::Banned) => "banned",
        Ok(Outcome::Over) => "over",
        Ok(Outcome::Snapshot) | Err(AuthorizationError::Snapshot) => "snapshot",
        Ok(Outcome::ConsentMissing) | Err(AuthorizationError::ConsentMissing) => "consent_missing",
        Err(AuthorizationError::SpentCode) => "spent_code",
        Err(AuthorizationError::TooMany { .. }) => "too_many",
        Err(AuthorizationError::Wechat(_)) => "wechat_failed",
        Err(AuthorizationError::Store(_)) => "store_failed",
        Err(AuthorizationError::Randomness(_)) => "no_randomness",
    };
    let account = account.label();
    metrics::counter!("wechat_web_logins_total", "outcome" => name, "account" => account)
        .increment(1);
}
