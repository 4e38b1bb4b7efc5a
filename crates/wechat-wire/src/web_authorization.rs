//! Web authorisation (网页授权): how a page inside WeChat learns a person's nickname and avatar.
//!
//! Answers come as `text/plain`; [`crate::api::decode`] reads them all the same.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::api::not_empty;
use crate::json;

/// The answer of `/sns/oauth2/access_token` and `/sns/oauth2/refresh_token`. Its token has nothing
/// to do with the account's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebAccessGranted {
    /// Valid for `/sns/userinfo` of this person.
    #[serde(
        default,
        with = "json::loose_secret",
        skip_serializing_if = "Option::is_none"
    )]
    pub access_token: Option<SecretString>,
    /// Its life in seconds.
    #[serde(
        default,
        deserialize_with = "json::loose_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_in: Option<u64>,
    /// Valid for 30 days.
    #[serde(
        default,
        with = "json::loose_secret",
        skip_serializing_if = "Option::is_none"
    )]
    pub refresh_token: Option<SecretString>,
    /// The person, as this account sees them: all that an answer must hold.
    #[serde(deserialize_with = "json::needed_text")]
    pub openid: String,
    /// `snsapi_base` or `snsapi_userinfo`, or several with commas.
    #[serde(default, deserialize_with = "json::loose_string")]
    pub scope: String,
    /// 1 when the page was opened as a snapshot, whose user is not real; absent otherwise.
    #[serde(
        default,
        deserialize_with = "json::loose_integer",
        skip_serializing_if = "Option::is_none"
    )]
    pub is_snapshotuser: Option<i64>,
    /// The person across all accounts of one Open Platform account.
    #[serde(
        default,
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub unionid: Option<String>,
}

impl WebAccessGranted {
    /// Whether this is the virtual person of a snapshot page; nobody may be logged in or stored
    /// on its word.
    pub fn is_snapshot(&self) -> bool {
        self.is_snapshotuser == Some(1)
    }

    /// Whether the person was asked for nickname and avatar. The URL that sends people to WeChat is
    /// public, and anybody can put another scope into it: a code alone says nothing about it.
    /// `None` where the answer doesn't say; [`/sns/userinfo`](WebUserInfo) refuses the silent scope
    /// (48001).
    pub fn covers_user_info(&self) -> Option<bool> {
        let mut scopes = self
            .scope
            .split([',', ' '])
            .filter(|scope| !scope.is_empty())
            .peekable();
        scopes.peek()?;
        Some(scopes.any(|scope| scope == "snsapi_userinfo"))
    }

    /// The `UnionID`, when the account is bound to an Open Platform account.
    pub fn union_id(&self) -> Option<&str> {
        not_empty(self.unionid.as_deref())
    }
}

/// The answer of `/sns/userinfo`, the only call that still returns nickname and avatar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebUserInfo {
    /// The person, as this account sees them.
    #[serde(deserialize_with = "json::loose_string")]
    pub openid: String,
    /// The nickname.
    #[serde(deserialize_with = "json::loose_text")]
    pub nickname: Option<String>,
    /// Always 0 since 2021-10-20; a number or a text.
    #[serde(deserialize_with = "json::loose_integer")]
    pub sex: Option<i64>,
    /// Empty since 2021-10-20.
    #[serde(deserialize_with = "json::loose_text")]
    pub province: Option<String>,
    /// Empty since 2021-10-20.
    #[serde(deserialize_with = "json::loose_text")]
    pub city: Option<String>,
    /// Empty since 2021-10-20.
    #[serde(deserialize_with = "json::loose_text")]
    pub country: Option<String>,
    /// The avatar's URL. Its last path segment is the size in pixels, 0 for 640; it stops working
    /// when the person changes the avatar.
    #[serde(deserialize_with = "json::loose_text")]
    pub headimgurl: Option<String>,
    /// The person across all accounts of one Open Platform account.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub unionid: Option<String>,
}

impl WebUserInfo {
    /// The nickname, when there is one.
    pub fn nickname(&self) -> Option<&str> {
        not_empty(self.nickname.as_deref())
    }

    /// The avatar's URL, when there is one.
    pub fn head_image_url(&self) -> Option<&str> {
        not_empty(self.headimgurl.as_deref())
    }

    /// The `UnionID`, when the account is bound to an Open Platform account.
    pub fn union_id(&self) -> Option<&str> {
        not_empty(self.unionid.as_deref())
    }

    /// The city, if WeChat returns it.
    pub fn city(&self) -> Option<&str> {
        not_empty(self.city.as_deref())
    }

    /// The province, if WeChat returns it.
    pub fn province(&self) -> Option<&str> {
        not_empty(self.province.as_deref())
    }

    /// The country, if WeChat returns it.
    pub fn country(&self) -> Option<&str> {
        not_empty(self.country.as_deref())
    }
}
