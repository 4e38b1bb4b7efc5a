//! What a push changes. Everything here can happen twice, late or out of order, on any replica.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    identity::{MemberId, OpenId},
    member::{Member, Profile},
    scene::Scene,
    steps::{
        ReadMember, ReadSubject, RecordFollow, RecordScan, RecordUnfollow, ScanEffect, ScanOutcome,
    },
};
use service_kit::redis::{Store, StoreError};
use tokio::time::timeout;
use wechat_wire::push::{Push, PushBody};

use super::{
    figures::count,
    replies::{Arrival, Occasion, Replies},
    usable::UsablePush,
};
use crate::{
    phone::links::PhoneLinks,
    settings::ProfileSettings,
    subjects::Subjects,
    wechat::{access_tokens::AccessTokens, api::Api, profile},
};

/// How long a push waits for `user/info`. The login doesn't depend on it: the openid is in the
/// event.
const USER_INFO_BUDGET: Duration = Duration::from_millis(1500);

/// The same before somebody is given a subject: the answer may tell that they have one under
/// another account.
const FIRST_USER_INFO_BUDGET: Duration = Duration::from_secs(2);

/// Turns events into logins and members.
pub struct LoginEvents {
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    store: Arc<Store>,
    subjects: Subjects,
    replies: Replies,
    links: PhoneLinks,
    account: AccountName,
    approval: Approval,
    profile: ProfileSettings,
}

/// What the settings say about logins.
#[derive(Debug, Clone)]
pub struct LoginRules {
    /// What the owner calls the account.
    pub account: AccountName,
    /// What makes a scan a login, where a site says nothing.
    pub approval: Approval,
    /// When people are asked for nickname and avatar.
    pub profile: ProfileSettings,
}

/// The outcome of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Handled {
    /// It was about a login of ours; the phone reads this.
    Login {
        /// The words.
        reply: String,
    },
    /// It was about something else, which a backend of the owner's may want to answer.
    Other {
        /// The automatic reply, if there is one.
        reply: Option<String>,
    },
}

impl LoginEvents {
    /// For this account, with the owner's texts and rules.
    pub fn new(
        api: Arc<Api>,
        tokens: Arc<AccessTokens>,
        store: Arc<Store>,
        replies: Replies,
        links: PhoneLinks,
        rules: LoginRules,
    ) -> Self {
        Self {
            api,
            tokens,
            subjects: Subjects::new(Arc::clone(&store)),
            store,
            replies,
            links,
            account: rules.account,
            approval: rules.approval,
            profile: rules.profile,
        }
    }

    /// The name of sites that set none.
    pub fn site_name(&self) -> &str {
        self.replies.site_name()
    }

    /// Whether a push is about one of our codes. All others concern the account's owner as well.
    pub fn is_login(push: &UsablePush) -> bool {
        scene(&push.push).is_some()
    }

    /// Acts on a push. When this returns, all is stored.
    ///
    /// # Errors
    ///
    /// Redis failed: something may not be stored, and the push must come again.
    pub async fn handle(&self, push: &UsablePush) -> Result<Handled, StoreError> {
        let UsablePush { push, openid, at } = push;
        let member = MemberId {
            app_id: self.api.app_id().clone(),
            openid: openid.clone(),
        };
        let at = *at;
        let arrival = match &push.body {
            PushBody::Subscribe { .. } => Arrival::NewFollower,
            PushBody::Scan { .. } => Arrival::Follower,
            PushBody::Unsubscribe => {
                self.store.run(&RecordUnfollow { member, at }).await?;
                count(&self.account, "unsubscribe", "recorded");
                return Ok(Handled::Other { reply: None });
            }
            PushBody::Message { content, .. } => {
                count(&self.account, "message", "passed");
                let reply = content
                    .as_deref()
                    .and_then(|content| self.replies.to_message(content));
                return Ok(Handled::Other { reply });
            }
            PushBody::OtherEvent { .. } => {
                count(&self.account, "other", "passed");
                return Ok(Handled::Other { reply: None });
            }
        };
        // Scenes that aren't ours belong to the account's other codes.
        let Some(scene) = scene(push) else {
            self.store
                .run(&RecordFollow {
                    member,
                    at,
                    profile: None,
                })
                .await?;
            count(&self.account, name(arrival), "not_a_login");
            let welcome = (arrival == Arrival::NewFollower).then(|| self.replies.to_subscription());
            return Ok(Handled::Other {
                reply: welcome.flatten(),
            });
        };
        let reply = self.log_in(member, scene, at, arrival).await?;
        Ok(Handled::Login { reply })
    }

    async fn log_in(
        &self,
        member: MemberId,
        scene: Scene,
        at: Timestamp,
        arrival: Arrival,
    ) -> Result<String, StoreError> {
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let (known, subject) = self.store.run_both(&read, &read_subject).await?;
        let learned = if self.is_profile_due(known.as_ref()) {
            let budget = if subject.is_some() {
                USER_INFO_BUDGET
            } else {
                FIRST_USER_INFO_BUDGET
            };
            self.learn(&member.openid, budget).await
        } else {
            None
        };
        let unionid = learned
            .as_ref()
            .and_then(|profile| profile.unionid.as_deref())
            .or_else(|| known.as_ref()?.unionid.as_deref());
        let naming = self.subjects.name(&member, subject, unionid).await?;
        let known = known.filter(|member| member.subscribed);
        let is_outdated = known
            .as_ref()
            .and_then(|member| member.shown_at)
            .is_some_and(|at| Timestamp::now().duration_since(at) > self.profile.ask_again_after);
        let nickname = learned
            .as_ref()
            .and_then(|profile| profile.nickname.clone())
            .or_else(|| known?.nickname);
        let follow = RecordFollow {
            member: member.clone(),
            at,
            profile: learned,
        };
        let scan = RecordScan {
            scene: scene.clone(),
            account: self.account.clone(),
            member,
            approval: self.approval,
        };
        let ((), _, _, _, scanned) = self
            .store
            .run_together((
                &follow,
                naming.give.as_ref(),
                naming.claim.as_ref(),
                naming.note.as_ref(),
                &scan,
            ))
            .await?;
        let ScanOutcome { effect, site_name } = scanned;
        count(
            &self.account,
            name(arrival),
            match effect {
                ScanEffect::Accepted(_) => "accepted",
                ScanEffect::Repeated(_) => "repeated",
                ScanEffect::Taken => "taken",
                ScanEffect::Elsewhere => "elsewhere",
                ScanEffect::Gone => "gone",
            },
        );
        let confirm = self.links.confirm(Some(&scene));
        if confirm.is_none()
            && let ScanEffect::Accepted(AttemptStatus::Scanned)
            | ScanEffect::Repeated(AttemptStatus::Scanned) = effect
        {
            tracing::error!(
                account = self.account.in_log(),
                "a site asks for confirmation on the phone (its login.approval is tap), and this gateway has no \
                 page for it → Set GATEWAY__PUBLIC__URL, or the site's SITE__LOGIN__APPROVAL to scan"
            );
        }
        let occasion = Occasion {
            arrival,
            effect,
            site_name: site_name.as_deref(),
            nickname: nickname.as_deref(),
            ask_profile: self
                .links
                .profile()
                .filter(|_| nickname.is_none() || is_outdated),
            confirm,
        };
        Ok(self.replies.to_scan(&occasion))
    }

    fn is_profile_due(&self, known: Option<&Member>) -> bool {
        let learned_at = known
            .filter(|member| member.subscribed)
            .and_then(|member| member.profile_at);
        learned_at.is_none_or(|at| Timestamp::now().duration_since(at) > self.profile.max_age)
    }

    /// What WeChat returns about a person, if it does so in time.
    async fn learn(&self, openid: &OpenId, budget: Duration) -> Option<Profile> {
        let ask = self
            .tokens
            .with_token(async |token| self.api.user_info(token, openid).await);
        match timeout(budget, ask).await {
            Ok(Ok(info)) => Some(profile::from_user_info(&info)),
            Ok(Err(error)) => {
                tracing::warn!(account = self.account.in_log(), %error, "user/info failed; the login continues without a profile");
                None
            }
            Err(_) => {
                tracing::warn!(
                    account = self.account.in_log(),
                    "user/info took too long; the login continues without a profile"
                );
                None
            }
        }
    }
}

fn scene(push: &Push) -> Option<Scene> {
    push.scene().and_then(|scene| Scene::parse(scene).ok())
}

const fn name(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::NewFollower => "subscribe",
        Arrival::Follower => "scan",
    }
}
