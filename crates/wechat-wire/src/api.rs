//! The JSON bodies of the server API, in both directions, and how to read an answer.
//!
//! WeChat reports failure inside HTTP 200, sends JSON under foreign content types, and lets
//! through control characters and broken UTF-8 that people put into their names (GitHub threads
//! `lanrion/weixin_authorize#52`, chanxuehong/wechat#187). [`decode`] takes the bytes alone.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use crate::answer::{Acknowledged, ApiError, DecodeError, Problem, decode};
use crate::json;

/// `POST /cgi-bin/stable_token`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StableTokenRequest {
    /// Always `client_credential`.
    pub grant_type: String,
    /// The account's `AppID`.
    pub appid: String,
    /// The account's `AppSecret`.
    #[serde(with = "json::secret_text")]
    pub secret: SecretString,
    /// Whether the current token must be replaced at once: at most 20 times a day and once in 30
    /// seconds, beyond which WeChat ignores it.
    #[serde(default)]
    pub force_refresh: bool,
}

impl StableTokenRequest {
    /// The token that is valid now; WeChat itself replaces it 5 minutes before it expires.
    pub fn current(app_id: &str, secret: SecretString) -> Self {
        Self {
            grant_type: "client_credential".to_owned(),
            appid: app_id.to_owned(),
            secret,
            force_refresh: false,
        }
    }

    /// A new token; the previous one stops working at once.
    pub fn forced(app_id: &str, secret: SecretString) -> Self {
        Self {
            force_refresh: true,
            ..Self::current(app_id, secret)
        }
    }
}

/// What `/cgi-bin/token` and `/cgi-bin/stable_token` grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenGranted {
    /// The token. Store at least 512 characters.
    #[serde(with = "json::needed_secret")]
    pub access_token: SecretString,
    /// The remaining lifetime in seconds, 7200 at most. `None` when the response has no usable one.
    #[serde(
        default,
        deserialize_with = "json::loose_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_in: Option<u64>,
}

/// `POST /cgi-bin/qrcode/create`. Everything that WeChat answers with an error code when it is
/// absent has a default, so that a simulator can do the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateQrCodeRequest {
    /// The life of a temporary code in seconds, at most 2 592 000. The documentation disagrees
    /// with itself on the default, so always say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_seconds: Option<u64>,
    /// `QR_STR_SCENE`, `QR_SCENE`, `QR_LIMIT_STR_SCENE` or `QR_LIMIT_SCENE`.
    #[serde(default)]
    pub action_name: String,
    /// What the code carries.
    #[serde(default)]
    pub action_info: QrActionInfo,
}

/// `action_info` of [`CreateQrCodeRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrActionInfo {
    /// What a scan of the code reports.
    #[serde(default)]
    pub scene: QrScene,
}

/// `action_info.scene` of [`CreateQrCodeRequest`]: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrScene {
    /// For `QR_SCENE` and `QR_LIMIT_SCENE`: unsigned 32 bits, not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_id: Option<u64>,
    /// For `QR_STR_SCENE` and `QR_LIMIT_STR_SCENE`: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_str: Option<String>,
}

impl CreateQrCodeRequest {
    /// A temporary code for a string scene, the only kind fit for logins: an account has no more
    /// than 100 000 permanent codes in its life.
    pub fn temporary_str_scene(scene: impl Into<String>, expire_seconds: u64) -> Self {
        Self {
            expire_seconds: Some(expire_seconds),
            action_name: "QR_STR_SCENE".to_owned(),
            action_info: QrActionInfo {
                scene: QrScene {
                    scene_id: None,
                    scene_str: Some(scene.into()),
                },
            },
        }
    }
}

/// The answer of `/cgi-bin/qrcode/create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCodeCreated {
    /// For `https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=`, percent-encoded exactly once
    /// (GitHub threads w7corp/easywechat#156, wechatpy/wechatpy#113).
    #[serde(deserialize_with = "json::needed_text")]
    pub ticket: String,
    /// The life of a temporary code in seconds.
    #[serde(
        default,
        deserialize_with = "json::loose_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub expire_seconds: Option<u64>,
    /// What the code encodes, `http://weixin.qq.com/q/…`; draw it unchanged.
    #[serde(deserialize_with = "json::needed_text")]
    pub url: String,
}

/// What a login needs of the answer of `/cgi-bin/user/info`: the remaining half of its members is
/// 4,000 instructions to read.
///
/// Somebody who doesn't follow is a success with `subscribe` 0 and little else. Since 2021-12-27
/// nickname and avatar come empty, yet the keys are often still there, so the accessors take an
/// empty text for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserInfo {
    /// 1: follows the account. 0: doesn't.
    #[serde(
        deserialize_with = "json::loose_integer",
        skip_serializing_if = "Option::is_none"
    )]
    pub subscribe: Option<i64>,
    /// The person, as this account sees them.
    #[serde(deserialize_with = "json::loose_string")]
    pub openid: String,
    /// Empty since 2021-12-27.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub nickname: Option<String>,
    /// Empty since 2021-10-20.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub city: Option<String>,
    /// Empty since 2021-10-20.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub province: Option<String>,
    /// Empty since 2021-10-20.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub country: Option<String>,
    /// The avatar's URL. Empty since 2021-12-27.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub headimgurl: Option<String>,
    /// The person across all accounts of one Open Platform account.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub unionid: Option<String>,
}

/// Asks for the new openids of an account that moved.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeOpenIdsRequest<'a> {
    /// The AppID of the former account.
    pub from_appid: &'a str,
    /// Up to a hundred openids at the former account.
    pub openid_list: Vec<&'a str>,
}

/// The answer to [`ChangeOpenIdsRequest`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenIdsChanged {
    /// What became of each.
    pub result_list: Vec<ChangedOpenId>,
}

/// What became of an OpenID.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangedOpenId {
    /// The OpenID at the former account.
    #[serde(deserialize_with = "json::loose_string")]
    pub ori_openid: String,
    /// The OpenID at the new one, where there is any.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub new_openid: Option<String>,
    /// `ok`, or why there is none, such as `ori_openid error`.
    #[serde(
        deserialize_with = "json::loose_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub err_msg: Option<String>,
}

impl std::fmt::Debug for ChangedOpenId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ChangedOpenId(…)")
    }
}

impl UserInfo {
    /// Whether the person follows the account now, if the answer says so.
    pub fn is_subscribed(&self) -> Option<bool> {
        match self.subscribe {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        }
    }

    /// The nickname, if WeChat still returns it.
    pub fn nickname(&self) -> Option<&str> {
        not_empty(self.nickname.as_deref())
    }

    /// The avatar's URL, if WeChat still returns it.
    pub fn head_image_url(&self) -> Option<&str> {
        not_empty(self.headimgurl.as_deref())
    }

    /// The `UnionID`, when the account is bound to an Open Platform account.
    pub fn union_id(&self) -> Option<&str> {
        not_empty(self.unionid.as_deref())
    }

    /// The city, if WeChat still returns it.
    pub fn city(&self) -> Option<&str> {
        not_empty(self.city.as_deref())
    }

    /// The province, if WeChat still returns it.
    pub fn province(&self) -> Option<&str> {
        not_empty(self.province.as_deref())
    }

    /// The country, if WeChat still returns it.
    pub fn country(&self) -> Option<&str> {
        not_empty(self.country.as_deref())
    }
}

/// Takes an empty text for none.
pub(crate) fn not_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
