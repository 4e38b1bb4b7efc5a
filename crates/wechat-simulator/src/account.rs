//! The Official Account that the simulator plays WeChat for: who it is and what its console holds.

use std::sync::{PoisonError, RwLock};

use secrecy::SecretString;
use serde_json::{Map, Value};
use wechat_wire::message_crypto::MessageCrypto;
use wechat_wire::signature::CallbackToken;

use crate::setup::{PushMode, Setup};

/// The account's original id, the `ToUserName` of every push.
pub(crate) const ORIGINAL_ID: &str = "gh_51d0ca11bac4";

/// The account's name on the phone.
pub(crate) const NAME: &str = "扫码登录";

/// The account's picture on the phone.
pub(crate) const PICTURE: &str = "/phone/account.svg";

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
    /// A member that does not exist, or a value that it cannot have.
    #[error("{0}")]
    Member(#[from] serde_json::Error),
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

    /// Changes the named members of the setup and returns the new one.
    pub(crate) fn change(&self, members: Map<String, Value>) -> Result<Setup, SetupRefused> {
        let mut setup = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        let changed = setup.with(members)?;
        self.credentials.require_key(changed.mode)?;
        *setup = changed.clone();
        Ok(changed)
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
