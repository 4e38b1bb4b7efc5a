//! How this WeChat behaves: everything that can be changed while the simulator runs.
//!
//! `GET` and `PUT /simulator/settings` show and change it; a change names only what it changes.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// How pushes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PushMode {
    /// Clear XML.
    Plain,
    /// Clear XML with the encrypted message beside it.
    Compatible,
    /// The encrypted message alone.
    Safe,
}

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountKind {
    /// A certified service account (认证服务号): may do everything.
    Service,
    /// A certified subscription account: no parametric QR codes, no web authorisation.
    Subscription,
    /// An account without certification: not even `user/info` or customer messages.
    Uncertified,
}

/// The state of the AppSecret that the gateway was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecretState {
    /// It is right.
    Ok,
    /// It was reset in the console, so the one in use is wrong: errcode 40125.
    Wrong,
    /// It was frozen in the console: errcode 40243.
    Frozen,
}

/// How event names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventCase {
    /// As recorded: `subscribe`, `SCAN`.
    Recorded,
    /// All in lower case.
    Lower,
    /// All in upper case.
    Upper,
}

/// What stands in an event's `EventKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKeyForm {
    /// As recorded: present and empty without a code.
    Recorded,
    /// Left out where it would be empty, as in the official sample.
    AbsentWhenEmpty,
    /// Left out of every event, codes or not.
    Absent,
    /// `last_trade_no_` and digits where it would be empty: someone who paid with WeChat Pay before
    /// (GitHub thread wechatpy/wechatpy#178).
    LastTradeNo,
}

/// The setup. Every member has the name that the control API uses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, and none excludes another"
)]
pub(crate) struct Setup {
    /// How pushes travel.
    pub(crate) mode: PushMode,
    /// Where they go.
    #[serde(serialize_with = "as_text", deserialize_with = "callback_url")]
    pub(crate) callback_url: Url,
    /// For how many milliseconds an answer to a push is awaited.
    pub(crate) push_timeout_ms: u32,
    /// How often a push without a usable answer is delivered, the first time included.
    #[serde(deserialize_with = "at_least_once")]
    pub(crate) push_deliveries: u32,
    /// The least time from the start of one delivery to the start of the next, in milliseconds.
    pub(crate) push_interval_ms: u32,
    /// Whether an answer that isn't 200 brings the same request again at once, its timestamp and
    /// nonce included, four times in all; what isn't answered comes again as usual. One published
    /// log shows it (tb.rustfisher.com, mp-wx-http-status-code, 2021-08-03).
    pub(crate) rapid_retries: bool,
    /// How many milliseconds pass between an event and the first delivery of its push.
    pub(crate) push_delay_ms: u32,
    /// Whether pushes are kept back until `POST /simulator/deliveries/release`.
    pub(crate) hold_pushes: bool,
    /// How event names are written.
    pub(crate) event_case: EventCase,
    /// What stands in `EventKey`.
    pub(crate) event_key: EventKeyForm,
    /// What kind of account it is.
    pub(crate) account: AccountKind,
    /// The state of the AppSecret.
    pub(crate) secret_state: SecretState,
    /// Whether the caller's address is on the whitelist; if not, token endpoints answer 40164.
    pub(crate) whitelist_ok: bool,
    /// How many seconds the `Date` of the API's answers is ahead of this machine's clock.
    pub(crate) clock_offset_seconds: i32,
    /// What `getcallbackip` answers.
    pub(crate) callback_addresses: Vec<String>,
    /// How many calls of a path the day allows; more answer 45009 until `clear_quota`.
    pub(crate) quota: BTreeMap<String, u64>,
    /// How many calls of a path a minute allows; more answer 45011.
    pub(crate) minute_quota: BTreeMap<String, u64>,
    /// Whether `user/info` tells nickname and avatar, as it did until 2021-12-27.
    pub(crate) profile_in_user_info: bool,
    /// Whether a follow that happens after the scanned code expired still reports the scene;
    /// WeChat's documents do not say.
    pub(crate) scene_after_expiry: bool,
    /// For how many seconds an access token works.
    pub(crate) token_lifetime_seconds: u32,
    /// The hosts that the console lists as 网页授权域名; null accepts every loopback host.
    pub(crate) oauth_domains: Option<Vec<String>>,
    /// Whether a follower who comes from the chat authorises without being asked, as WeChat does.
    pub(crate) silent_for_followers: bool,
    /// Whether pages open as snapshots, with a person who is not real.
    pub(crate) snapshot_pages: bool,
    /// Whether the phone calls the return address twice with the same code.
    pub(crate) double_callback: bool,
    /// For how many seconds the code of a web authorisation works.
    pub(crate) web_code_lifetime_seconds: u32,
    /// For how many seconds the access token of a web authorisation works.
    pub(crate) web_token_lifetime_seconds: u32,
    /// For how many seconds its refresh token works.
    pub(crate) web_refresh_lifetime_seconds: u32,
}

impl Setup {
    /// Today's WeChat and an account without troubles.
    pub(crate) fn usual(mode: PushMode, callback_url: Url) -> Self {
        Self {
            mode,
            callback_url,
            push_timeout_ms: 5000,
            push_deliveries: 3,
            push_interval_ms: 5000,
            rapid_retries: false,
            push_delay_ms: 0,
            hold_pushes: false,
            event_case: EventCase::Recorded,
            event_key: EventKeyForm::Recorded,
            account: AccountKind::Service,
            secret_state: SecretState::Ok,
            whitelist_ok: true,
            clock_offset_seconds: 0,
            callback_addresses: ["127.0.0.1", "127.0.0.0/8"].map(str::to_owned).to_vec(),
            quota: BTreeMap::new(),
            minute_quota: BTreeMap::new(),
            profile_in_user_info: false,
            scene_after_expiry: true,
            token_lifetime_seconds: 7200,
            oauth_domains: None,
            silent_for_followers: true,
            snapshot_pages: false,
            double_callback: false,
            web_code_lifetime_seconds: 300,
            web_token_lifetime_seconds: 7200,
            web_refresh_lifetime_seconds: 2_592_000,
        }
    }

    /// This setup with other values for some members.
    pub(crate) fn with(&self, members: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(self)?;
        if let Value::Object(all) = &mut all {
            all.extend(members);
        }
        serde_json::from_value(all)
    }

    /// For how long an access token works.
    pub(crate) fn token_lifetime(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.token_lifetime_seconds))
    }
}

impl AccountKind {
    /// Whether such an account may call this path. The official pages of the two interfaces name
    /// the certified service account alone.
    pub(crate) fn may_call(self, path: &str) -> bool {
        match path {
            "/cgi-bin/qrcode/create" => self == Self::Service,
            "/cgi-bin/user/info"
            | "/cgi-bin/user/info/batchget"
            | "/cgi-bin/message/custom/send" => self != Self::Uncertified,
            _ => true,
        }
    }

    /// Whether its pages may ask for web authorisation.
    pub(crate) fn may_authorize_pages(self) -> bool {
        self == Self::Service
    }
}

fn as_text<S: serde::Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}

fn callback_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| D::Error::custom("callback_url must be an http or https address"))
}

fn at_least_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    u32::deserialize(deserializer).map(|count| count.max(1))
}
