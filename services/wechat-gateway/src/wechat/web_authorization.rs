//! Web authorisation (网页授权): a page opened inside WeChat learns whose phone it is, and with their
//! consent nickname and avatar.
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth.html>

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use login_protocol::{
    account::AccountName,
    identity::OpenId,
    steps::{Admission, Exchanger, GiveBackExchange, ReserveExchange},
};
use secrecy::ExposeSecret as _;
use service_kit::{
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use url::Url;
use wechat_wire::web_authorization::{WebAccessGranted, WebUserInfo};

use super::{
    api::Api,
    error::WechatError,
    patience::{FOR_THE_FIRST, FOR_THE_SECOND, patiently},
};

mod once_per_code;

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The OpenID alone, without asking the person.
    Base,
    /// Nickname and avatar as well. WeChat asks the person, unless they come from the account's
    /// chat.
    UserInfo,
}

/// Why a page learned nothing.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationError {
    /// The code is spent or too old: start again.
    #[error("the authorisation code was already used or has expired")]
    SpentCode,
    /// The page was opened as a snapshot, whose user isn't real.
    #[error("the page was opened as a snapshot")]
    Snapshot,
    /// The person wasn't asked for consent.
    #[error("the person wasn't asked for their consent")]
    ConsentMissing,
    /// WeChat refused more codes than honest browsers submit.
    #[error("too many authorisation codes were refused")]
    TooMany {
        /// Until others are exchanged.
        retry_after: Duration,
    },
    /// WeChat failed.
    #[error(transparent)]
    Wechat(#[from] WechatError),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random name could be generated under which a code could be exchanged.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// Somebody whose phone was recognised.
pub struct Authorized {
    /// Who.
    pub openid: OpenId,
    granted: WebAccessGranted,
    /// Nickname and avatar, where their consent had to be proven by asking for them.
    info: Option<WebUserInfo>,
}

impl Authorized {
    /// Their UnionID, which the answer to the code brings with the scope [`Scope::UserInfo`] when
    /// the account is bound to an Open Platform account.
    pub fn unionid(&self) -> Option<&str> {
        self.granted.union_id()
    }
}

/// Web authorisation of one account.
pub struct WebAuthorization {
    api: Arc<Api>,
    store: Arc<Store>,
    open_url: Url,
}

/// How many refused codes one attempt may have, and how long each counts: as long as an attempt
/// usually lives. Honest users need one.
const REFUSED_OF_ATTEMPT: (u32, Duration) = (5, Duration::from_mins(5));

/// How many refused codes without an attempt one IP address may have, and how long each counts. In
/// China many phones share an address; their valid codes don't count.
const REFUSED_OF_CLIENT: (u32, Duration) = (30, Duration::from_mins(1));

impl WebAuthorization {
    /// For this account; `open_url` is where phones are sent.
    pub const fn new(api: Arc<Api>, store: Arc<Store>, open_url: Url) -> Self {
        Self {
            api,
            store,
            open_url,
        }
    }

    /// Whose pages they are.
    pub fn account(&self) -> &AccountName {
        self.api.account()
    }

    /// Where to send the phone. WeChat compares the parameters as text: their order is fixed, and
    /// the fragment belongs to it. `state` comes back as it is; WeChat takes `a-zA-Z0-9` only.
    pub fn authorize_url(&self, scope: Scope, redirect_uri: &Url, state: &str) -> String {
        let redirect_uri: String =
            url::form_urlencoded::byte_serialize(redirect_uri.as_str().as_bytes()).collect();
        let scope = match scope {
            Scope::Base => "snsapi_base",
            Scope::UserInfo => "snsapi_userinfo",
        };
        format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={redirect_uri}&response_type=code&scope={scope}\
             &state={state}#wechat_redirect",
            self.open_url.as_str().trim_end_matches('/'),
            self.api.app_id().as_str(),
        )
    }

    /// Identifies the person with this code, and checks that they were asked for what the page
    /// needs. Transient errors are retried, since the person is waiting.
    ///
    /// Anybody can invent codes: those that WeChat refuses count against the client's limit.
    ///
    /// # Errors
    ///
    /// The code was already used, the user isn't real or wasn't asked for consent, there were too
    /// many codes, WeChat or Redis failed.
    pub async fn recognise(
        &self,
        exchanger: Exchanger,
        code: &str,
        asked: Scope,
    ) -> Result<Authorized, AuthorizationError> {
        let reserved = self.reserve(exchanger).await?;
        let recognised = self.exchange(code).await;
        if !matches!(recognised, Err(AuthorizationError::SpentCode))
            && let Err(error) = self.store.run(&reserved).await
        {
            // What WeChat gave for the code is worth more than the place.
            tracing::warn!(%error, "a code that WeChat accepted counts as refused for a while");
        }
        let mut person = recognised?;
        if asked == Scope::UserInfo {
            self.check_consent(&mut person).await?;
        }
        Ok(person)
    }

    /// Reserves a slot for an exchange, across all replicas, and returns how to release it.
    async fn reserve(&self, exchanger: Exchanger) -> Result<GiveBackExchange, AuthorizationError> {
        let (share, window) = match exchanger {
            Exchanger::Attempt(_) => REFUSED_OF_ATTEMPT,
            Exchanger::Client(_) => REFUSED_OF_CLIENT,
        };
        let reserve = ReserveExchange {
            exchanger,
            reservation: random::name()?,
            share,
            window,
        };
        match self.store.run(&reserve).await? {
            Admission::Admitted => Ok(GiveBackExchange {
                exchanger: reserve.exchanger,
                reservation: reserve.reservation,
            }),
            Admission::Refused { retry_after } => Err(AuthorizationError::TooMany { retry_after }),
        }
    }

    /// Whether the person was asked for nickname and avatar. If the response doesn't say so, the
    /// call that needs their consent decides; its result is kept, since it is what the consent is
    /// for.
    async fn check_consent(&self, person: &mut Authorized) -> Result<(), AuthorizationError> {
        match person.granted.covers_user_info() {
            Some(true) => Ok(()),
            Some(false) => Err(AuthorizationError::ConsentMissing),
            None => match patiently(FOR_THE_SECOND, || self.profile(person)).await {
                Ok(info) => {
                    person.info = Some(info);
                    Ok(())
                }
                Err(WechatError::Refused(refused)) if refused.errcode == 48001 => {
                    Err(AuthorizationError::ConsentMissing)
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    async fn exchange(&self, code: &str) -> Result<Authorized, AuthorizationError> {
        let was_answered = AtomicBool::new(false);
        let granted = patiently(FOR_THE_FIRST, || self.ask(code, &was_answered))
            .await
            .map_err(|error| match &error {
                WechatError::Refused(refused)
                    if matches!(refused.errcode, 40029 | 40163 | 42003) =>
                {
                    AuthorizationError::SpentCode
                }
                _ => AuthorizationError::Wechat(error),
            })?;
        if granted.is_snapshot() {
            return Err(AuthorizationError::Snapshot);
        }
        let openid = OpenId::parse(&granted.openid).map_err(|_| {
            let problem = "it holds no openid that can be used".to_owned();
            AuthorizationError::Wechat(WechatError::Unusable { problem })
        })?;
        Ok(Authorized {
            openid,
            granted,
            info: None,
        })
    }

    /// An unreadable response uses up the code nevertheless. If a retry then reports a used code,
    /// that is our own doing: another consent would end the same way.
    async fn ask(
        &self,
        code: &str,
        was_answered: &AtomicBool,
    ) -> Result<WebAccessGranted, WechatError> {
        let exchanged = self.api.web_access(code).await;
        match &exchanged {
            Err(WechatError::Malformed { status: 200, .. }) => {
                was_answered.store(true, Ordering::Relaxed);
            }
            Err(WechatError::Refused(refused))
                if refused.errcode == 40163 && was_answered.load(Ordering::Relaxed) =>
            {
                let problem = "the answer to the code can't be read, and the code is spent";
                return Err(WechatError::Unusable {
                    problem: problem.to_owned(),
                });
            }
            _ => {}
        }
        exchanged
    }

    /// The nickname and avatar of somebody who consented.
    ///
    /// # Errors
    ///
    /// WeChat failed.
    pub async fn profile(&self, person: &Authorized) -> Result<WebUserInfo, WechatError> {
        if let Some(info) = &person.info {
            return Ok(info.clone());
        }
        let token = person.granted.access_token.as_ref().ok_or_else(|| {
            let problem = "the answer to the code holds no access token".to_owned();
            WechatError::Unusable { problem }
        })?;
        self.api
            .web_user_info(token.expose_secret(), &person.openid)
            .await
    }
}
