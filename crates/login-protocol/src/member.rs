//! What is kept about a follower.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{identity::OpenId, subject::Subject};

/// The profile, as far as WeChat returns it.
///
/// Since 2021-12-27 `user/info` returns neither nickname nor avatar; an empty string counts as
/// absent.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The UnionID, when the account is bound to an Open Platform account.
    pub unionid: Option<String>,
    /// The nickname that the person chose.
    pub nickname: Option<String>,
    /// The avatar's URL; it stops working when the person changes the avatar.
    pub avatar_url: Option<String>,
    /// Country, province and city as far as they are known, in words.
    pub location: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Profile(…)")
    }
}

/// Somebody who has met an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredMember {
    /// The person's subject; null if they have yet to log in.
    #[schema(required)]
    pub sub: Option<Subject>,
    /// What is stored of them.
    #[serde(flatten)]
    pub member: Member,
}

/// What is stored of somebody who has met an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The person towards this account.
    pub openid: OpenId,
    /// The person across the accounts of one Open Platform account.
    #[schema(required)]
    pub unionid: Option<String>,
    /// The nickname that the person chose.
    #[schema(required)]
    pub nickname: Option<String>,
    /// The avatar's URL.
    #[schema(required)]
    pub avatar_url: Option<String>,
    /// Country, province and city in words.
    #[schema(required)]
    pub location: Option<String>,
    /// Whether the person follows the account now.
    pub subscribed: bool,
    /// When the account's first event about this person happened.
    pub first_seen_at: Timestamp,
    /// When the latest one happened.
    pub last_seen_at: Timestamp,
    /// When WeChat last returned the profile.
    #[schema(required)]
    pub profile_at: Option<Timestamp>,
    /// When the person last showed nickname and avatar, by web authorisation.
    #[schema(required)]
    pub shown_at: Option<Timestamp>,
    /// Whether the owner banned the person.
    #[serde(default)]
    #[schema(required)]
    pub banned: bool,
    /// When WeChat said that they follow or don't, as far as this is known.
    #[serde(skip)]
    pub follow_changed_at: Option<Timestamp>,
    /// When a login inside WeChat last told that they don't any more.
    #[serde(skip)]
    pub unfollow_learned_at: Option<Timestamp>,
}

impl Member {
    /// What is stored after an event of somebody who follows, as the step of it does.
    #[must_use]
    pub fn after_follow(
        known: Option<&Self>,
        openid: &OpenId,
        at: Timestamp,
        profile: Option<&Profile>,
    ) -> Self {
        let mut member = Self::seen(known, openid, at);
        member.subscribed = true;
        member.follow_changed_at = Some(at);
        if let Some(profile) = profile.cloned() {
            member.unionid = profile.unionid.or(member.unionid);
            member.nickname = profile.nickname.or(member.nickname);
            member.avatar_url = profile.avatar_url.map(avatar_address).or(member.avatar_url);
            member.location = profile.location.or(member.location);
            member.profile_at = Some(at);
        }
        member
    }

    /// What is stored after somebody logged in inside WeChat, as the step of it does. `follows` is
    /// what WeChat said of that, if anything.
    #[must_use]
    pub fn after_visit(
        known: Option<&Self>,
        openid: &OpenId,
        at: Timestamp,
        follows: Option<bool>,
        unionid: Option<&str>,
        profile: Option<&Profile>,
    ) -> Self {
        let mut member = Self::seen(known, openid, at);
        let ahead = known
            .and_then(|known| known.follow_changed_at)
            .map(|changed| changed.as_second() - at.as_second());
        let overtaken = ahead.is_some_and(|ahead| (-4..=900).contains(&ahead));
        if !overtaken {
            member.subscribed = follows.unwrap_or(member.subscribed);
        }
        if overtaken && !member.subscribed {
            return member;
        }
        member.unionid = unionid.map(str::to_owned).or(member.unionid);
        if let Some(profile) = profile.cloned() {
            member.unionid = profile.unionid.or(member.unionid);
            member.nickname = profile.nickname.or(member.nickname);
            member.avatar_url = profile.avatar_url.map(avatar_address).or(member.avatar_url);
            member.location = profile.location.or(member.location);
            member.shown_at = Some(at);
        }
        member
    }

    /// What is stored after somebody unfollowed, as the step of it does.
    #[must_use]
    pub fn after_unfollow(known: Option<&Self>, openid: &OpenId, at: Timestamp) -> Self {
        let member = Self::seen(known, openid, at);
        Self {
            unionid: None,
            nickname: None,
            avatar_url: None,
            location: None,
            subscribed: false,
            profile_at: None,
            shown_at: None,
            follow_changed_at: Some(at),
            ..member
        }
    }

    /// Whether an event of this time was overtaken by a change that came later. (Two events of just
    /// now lie no further apart than a quarter of an hour, whatever the clocks say.)
    pub fn overtakes(&self, at: Timestamp) -> bool {
        let ahead = self
            .follow_changed_at
            .map(|changed| changed.as_second() - at.as_second());
        ahead.is_some_and(|ahead| (1..=900).contains(&ahead))
    }

    fn seen(known: Option<&Self>, openid: &OpenId, at: Timestamp) -> Self {
        match known {
            Some(known) => Self {
                first_seen_at: known.first_seen_at.min(at),
                last_seen_at: known.last_seen_at.max(at),
                ..known.clone()
            },
            None => Self {
                openid: openid.clone(),
                unionid: None,
                nickname: None,
                avatar_url: None,
                location: None,
                subscribed: false,
                first_seen_at: at,
                last_seen_at: at,
                profile_at: None,
                shown_at: None,
                banned: false,
                follow_changed_at: None,
                unfollow_learned_at: None,
            },
        }
    }
}

/// An avatar's URL as it is stored and returned: WeChat still uses `http` for its image hosts, but
/// they serve `https`, without which a page under `https` shows no image. Other URLs stay as they
/// are.
pub(crate) fn avatar_address(address: String) -> String {
    match under_https(&address) {
        Some(address) => address,
        None => address,
    }
}

fn under_https(address: &str) -> Option<String> {
    const SCHEME: &str = "http://";
    let scheme = address.get(..SCHEME.len())?;
    let rest = &address[SCHEME.len()..];
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.strip_suffix(":80").unwrap_or(authority);
    let is_wechats = host
        .to_ascii_lowercase()
        .strip_suffix("qlogo.cn")
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    (is_wechats && scheme.eq_ignore_ascii_case(SCHEME))
        .then(|| format!("https://{host}{}", &rest[authority.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avatars_of_wechats_hosts_are_fetched_by_https() {
        for (told, kept) in [
            (
                "http://wx.qlogo.cn/mmopen/x/132",
                "https://wx.qlogo.cn/mmopen/x/132",
            ),
            (
                "http://thirdwx.qlogo.cn/mmopen/vi_32/x/0",
                "https://thirdwx.qlogo.cn/mmopen/vi_32/x/0",
            ),
            (
                "HTTP://WX.QLOGO.CN:80/x?a=b#c",
                "https://WX.QLOGO.CN/x?a=b#c",
            ),
            ("http://qlogo.cn", "https://qlogo.cn"),
            ("http://a.b.qlogo.cn?x", "https://a.b.qlogo.cn?x"),
        ] {
            assert_eq!(avatar_address(told.to_owned()), kept);
        }
        for other in [
            "https://wx.qlogo.cn/x/132",
            "http://wx.qlogo.cn:8080/x",
            "http://wx.qlogo.cn.example.com/x",
            "http://notqlogo.cn/x",
            "http://wx.qlogo.cn@example.com/x",
            "http://example.com/http://wx.qlogo.cn/x",
            "http://example.com\\.qlogo.cn/x",
            "http://127.0.0.1:8080/avatar",
            "//wx.qlogo.cn/x",
            "wx.qlogo.cn/x",
            "图.qlogo.cn",
            "",
        ] {
            assert_eq!(avatar_address(other.to_owned()), other);
        }
    }
}
