//! What a push changes. Everything here can happen twice, late or out of order, on any replica.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    attempt::Approval,
    identity::{AppId, MemberId, OpenId},
    member::{Member, Profile},
    scene::Scene,
    steps::{ReadMember, RecordFollow, RecordScan, RecordUnfollow, ScanEffect},
};
use service_kit::redis::{Store, StoreError};
use tokio::time::timeout;
use wechat_wire::{
    api::UserInfo,
    push::{Push, PushBody},
};

use super::replies::{self, Arrival};
use crate::wechat::{access_tokens::AccessTokens, api::Api};

/// How long a push waits for `user/info`. The login doesn't depend on it: the openid is in the event.
const USER_INFO_BUDGET: Duration = Duration::from_millis(1500);

/// A profile older than this is asked for again at the next scan.
const PROFILE_MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Turns events into logins and members.
pub struct LoginEvents {
    app_id: AppId,
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    store: Arc<Store>,
}

impl LoginEvents {
    /// For this account.
    pub const fn new(
        app_id: AppId,
        api: Arc<Api>,
        tokens: Arc<AccessTokens>,
        store: Arc<Store>,
    ) -> Self {
        Self {
            app_id,
            api,
            tokens,
            store,
        }
    }

    /// Acts on a push and returns the reply, if it gets one. When this returns, all is stored.
    pub async fn handle(&self, push: &Push) -> Result<Option<&'static str>, StoreError> {
        let Ok(openid) = OpenId::parse(&push.from_user_name) else {
            tracing::warn!("ignored a push from a malformed openid");
            return Ok(None);
        };
        let member = MemberId {
            app_id: self.app_id.clone(),
            openid,
        };
        let at = Timestamp::from_second(push.create_time).unwrap_or_else(|_| Timestamp::now());
        let arrival = match &push.body {
            PushBody::Subscribe { .. } => Arrival::NewFollower,
            PushBody::Scan { .. } => Arrival::Follower,
            PushBody::Unsubscribe => {
                self.store.run(&RecordUnfollow { member, at }).await?;
                count("unsubscribe", "recorded");
                return Ok(None);
            }
            PushBody::OtherEvent { .. } | PushBody::Message { .. } => {
                count("other", "ignored");
                return Ok(None);
            }
        };
        // Scenes that aren't ours belong to the account's other codes.
        let Some(scene) = push.scene().and_then(|scene| Scene::parse(scene).ok()) else {
            self.store
                .run(&RecordFollow {
                    member,
                    at,
                    profile: None,
                })
                .await?;
            count(name(arrival), "not_a_login");
            return Ok(None);
        };
        let known = self
            .store
            .run(&ReadMember {
                member: member.clone(),
            })
            .await?;
        let profile = if is_profile_due(known.as_ref()) {
            self.learn(&member.openid).await
        } else {
            None
        };
        let follow = RecordFollow {
            member: member.clone(),
            at,
            profile,
        };
        let scan = RecordScan {
            scene,
            member,
            approval: Approval::Scan,
        };
        let ((), effect) = self.store.run_both(&follow, &scan).await?;
        count(
            name(arrival),
            match effect {
                ScanEffect::Accepted(_) => "accepted",
                ScanEffect::Repeated(_) => "repeated",
                ScanEffect::Taken => "taken",
                ScanEffect::Gone => "gone",
            },
        );
        Ok(Some(replies::to_scan(arrival, effect)))
    }

    /// What WeChat tells of a person, if it does so in time.
    async fn learn(&self, openid: &OpenId) -> Option<Profile> {
        let ask = self
            .tokens
            .with_token(async |token| self.api.user_info(token, openid).await);
        match timeout(USER_INFO_BUDGET, ask).await {
            Ok(Ok(info)) => Some(profile(&info)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "user/info failed; the scan logs in without a profile");
                None
            }
            Err(_) => {
                tracing::warn!("user/info took too long; the scan logs in without a profile");
                None
            }
        }
    }
}

fn is_profile_due(known: Option<&Member>) -> bool {
    let learned_at = known
        .filter(|member| member.subscribed)
        .and_then(|member| member.profile_at);
    learned_at.is_none_or(|at| Timestamp::now().duration_since(at) > PROFILE_MAX_AGE)
}

fn profile(info: &UserInfo) -> Profile {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let mut places = vec![info.province(), info.city()];
    // Nearly every visitor is in China; saying so would be noise.
    if info
        .country()
        .is_some_and(|country| country != "中国" && country != "China")
    {
        places.insert(0, info.country());
    }
    let mut places: Vec<&str> = places.into_iter().flatten().collect();
    // Municipalities are their own province.
    places.dedup();
    Profile {
        unionid: owned(info.union_id()),
        nickname: owned(info.nickname()),
        avatar_url: owned(info.head_image_url()),
        location: (!places.is_empty()).then(|| places.join(" ")),
    }
}

const fn name(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::NewFollower => "subscribe",
        Arrival::Follower => "scan",
    }
}

fn count(event: &'static str, outcome: &'static str) {
    metrics::counter!("wechat_pushes_total", "event" => event, "outcome" => outcome).increment(1);
}
