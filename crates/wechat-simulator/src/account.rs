//! The Official Account that the simulator plays WeChat for: who it is and how it is set up.

use std::sync::{PoisonError, RwLock};

use jiff::SignedDuration;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use wechat_wire::message_crypto::MessageCrypto;
use wechat_wire::signature::CallbackToken;

/// The account's original id, the `ToUserName` of every push.
pub(crate) const ORIGINAL_ID: &str = "gh_51d0ca11bac4";

/// The account's name on the phone.
pub(crate) const NAME: &str = "扫码登录";

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
    /// A certified service account (服务号): may create parametric QR codes.
    Service,
    /// A subscription account: `qrcode/create` answers 48001.
    Subscription,
}

/// What the operator typed into WeChat's console.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// The AppID.
    pub(crate) app_id: String,
    /// The AppSecret.
    pub(crate) app_secret: SecretString,
    /// The callback token as it was typed.
    pub(crate) token_text: SecretString,
    /// The same, ready to sign.
    pub(crate) token: CallbackToken,
    /// The `EncodingAESKey` as it was typed; without it only plain pushes are possible.
    pub(crate) encoding_aes_key: Option<SecretString>,
    /// The same, ready to encrypt.
    pub(crate) crypto: Option<MessageCrypto>,
}

/// What can be changed while the simulator runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setup {
    /// How pushes travel.
    pub(crate) mode: PushMode,
    /// Where they go.
    #[serde(serialize_with = "as_text")]
    pub(crate) callback_url: Url,
    /// For how many milliseconds an answer to a push is awaited.
    pub(crate) push_timeout_ms: u32,
    /// How often a push without a usable answer is delivered, the first time included.
    pub(crate) push_deliveries: u32,
    /// The least time from the start of one delivery to the start of the next, in milliseconds.
    pub(crate) push_interval_ms: u32,
    /// What kind of account it is.
    pub(crate) account: AccountKind,
    /// Whether the caller's address is on the whitelist; if not, token endpoints answer 40164.
    pub(crate) whitelist_ok: bool,
    /// Whether `user/info` tells nickname and avatar, as it did until 2021-12-27.
    pub(crate) profile_in_user_info: bool,
    /// Whether a follow that happens after the scanned code expired still reports the scene;
    /// WeChat's documents do not say.
    pub(crate) scene_after_expiry: bool,
    /// For how many seconds an access token works.
    pub(crate) token_lifetime_seconds: u32,
}

/// A change of [`Setup`]; absent members stay as they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetupChange {
    mode: Option<PushMode>,
    callback_url: Option<String>,
    push_timeout_ms: Option<u32>,
    push_deliveries: Option<u32>,
    push_interval_ms: Option<u32>,
    account: Option<AccountKind>,
    whitelist_ok: Option<bool>,
    profile_in_user_info: Option<bool>,
    scene_after_expiry: Option<bool>,
    token_lifetime_seconds: Option<u32>,
}

/// The account.
#[derive(Debug)]
pub(crate) struct Account {
    credentials: Credentials,
    setup: RwLock<Setup>,
}

/// Why an account cannot be set up like that.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupRefused {
    /// An encrypting mode was asked for, and there is no key.
    #[error("compatible and safe mode need SIMULATOR__WECHAT__ENCODING_AES_KEY")]
    NoKey,
    /// The callback address is none.
    #[error("callback_url must be an http or https address")]
    CallbackUrl,
}

impl Account {
    /// An account; refuses an encrypting mode without a key.
    pub(crate) fn new(credentials: Credentials, setup: Setup) -> Result<Self, SetupRefused> {
        credentials.require_key(setup.mode)?;
        Ok(Self {
            credentials,
            setup: RwLock::new(setup),
        })
    }

    /// What the operator typed in.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How it is set up now.
    pub(crate) fn setup(&self) -> Setup {
        self.setup
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the setup and returns the new one.
    pub(crate) fn change(&self, change: &SetupChange) -> Result<Setup, SetupRefused> {
        if let Some(mode) = change.mode {
            self.credentials.require_key(mode)?;
        }
        let callback_url = change
            .callback_url
            .as_deref()
            .map(callback_url)
            .transpose()?;
        let mut setup = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        replace(&mut setup.mode, change.mode);
        replace(&mut setup.callback_url, callback_url);
        replace(&mut setup.push_timeout_ms, change.push_timeout_ms);
        replace(
            &mut setup.push_deliveries,
            change.push_deliveries.map(|count| count.max(1)),
        );
        replace(&mut setup.push_interval_ms, change.push_interval_ms);
        replace(&mut setup.account, change.account);
        replace(&mut setup.whitelist_ok, change.whitelist_ok);
        replace(&mut setup.profile_in_user_info, change.profile_in_user_info);
        replace(&mut setup.scene_after_expiry, change.scene_after_expiry);
        replace(
            &mut setup.token_lifetime_seconds,
            change.token_lifetime_seconds,
        );
        Ok(setup.clone())
    }
}

impl Credentials {
    fn require_key(&self, mode: PushMode) -> Result<(), SetupRefused> {
        if mode == PushMode::Plain || self.crypto.is_some() {
            Ok(())
        } else {
            Err(SetupRefused::NoKey)
        }
    }
}

impl Setup {
    /// For how long an access token works.
    pub(crate) fn token_lifetime(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.token_lifetime_seconds))
    }
}

/// Reads a callback address.
pub(crate) fn callback_url(text: &str) -> Result<Url, SetupRefused> {
    let url = Url::parse(text).map_err(|_| SetupRefused::CallbackUrl)?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(SetupRefused::CallbackUrl)
    }
}

fn replace<T>(value: &mut T, change: Option<T>) {
    if let Some(change) = change {
        *value = change;
    }
}

fn as_text<S: serde::Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}
