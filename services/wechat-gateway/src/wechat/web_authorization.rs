//! Web authorisation (网页授权): a page opened inside WeChat learns whose phone it is, and with their
//! consent nickname and avatar.
//! <https://developers.weixin.qq.com/doc/service/guide/h5/auth.html>

use std::{
    future::pending,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::{
    identity::OpenId,
    steps::{
        Admission, Claim, ClaimCode, Exchanger, GiveBackExchange, ReleaseCode, ReserveExchange,
        ResolveCode,
    },
};
use secrecy::ExposeSecret as _;
use service_kit::{
    redis::{Store, StoreError},
    request_id,
};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};
use url::Url;
use wechat_wire::web_authorization::{WebAccessGranted, WebUserInfo};

use super::{
    api::Api,
    error::WechatError,
    patience::{FOR_THE_FIRST, patiently},
};

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The OpenID alone, without asking the person.
    Base,
    /// Nickname and avatar as well. WeChat asks the person, unless they come from the account's chat.
    UserInfo,
}

/// Why a page learned nothing.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationError {
    /// The code is spent or too old: start again.
    #[error("the authorisation code is spent or too old")]
    SpentCode,
    /// The page was opened as a snapshot, whose person isn't real.
    #[error("the page was opened as a snapshot")]
    Snapshot,
    /// Whoever sent the person to WeChat had them asked for nothing.
    #[error("the person wasn't asked for their consent")]
    ConsentMissing,
    /// WeChat refused more codes than honest browsers bring.
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
}

/// Somebody whose phone was recognised.
pub struct Authorized {
    /// Who.
    pub openid: OpenId,
    granted: WebAccessGranted,
}

impl Authorized {
    /// Their UnionID, which the answer to the code brings with the scope [`Scope::UserInfo`] when the
    /// account is bound to an Open Platform account.
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

/// How many codes may be refused that come for one attempt, and how long each counts: as long as an attempt
/// lives usually. One is enough for whoever agrees at once.
const REFUSED_OF_ATTEMPT: (u32, Duration) = (5, Duration::from_mins(5));

/// How many codes may be refused that come from one address for no attempt, and how long each counts. In
/// China many phones share an address; their good codes don't count.
const REFUSED_OF_CLIENT: (u32, Duration) = (30, Duration::from_mins(1));

/// What is kept of a code that WeChat accepts no second time.
const FAILED: &str = "!";

/// Whether WeChat could have made this code; anything else isn't worth a call.
fn is_well_formed(code: &str) -> bool {
    (1..=128).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// How often to look whether another request is done with the same code.
const CLAIM_POLL: Duration = Duration::from_millis(100);

/// How long to look: longer than an exchange lasts with all its repeats and what follows it, and shorter
/// than the site waits for the gateway.
const CLAIM_WAIT: Duration = Duration::from_millis(8800);

impl WebAuthorization {
    /// For this account; `open_url` is where phones are sent.
    pub const fn new(api: Arc<Api>, store: Arc<Store>, open_url: Url) -> Self {
        Self {
            api,
            store,
            open_url,
        }
    }

    /// Where to send the phone. WeChat compares the parameters as text: their order is fixed, and the
    /// fragment belongs to it. `state` comes back as it is; WeChat takes `a-zA-Z0-9` only.
    pub fn authorize_url(&self, scope: Scope, return_to: &Url, state: &str) -> String {
        let redirect: String =
            url::form_urlencoded::byte_serialize(return_to.as_str().as_bytes()).collect();
        let scope = match scope {
            Scope::Base => "snsapi_base",
            Scope::UserInfo => "snsapi_userinfo",
        };
        format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={redirect}&response_type=code&scope={scope}\
             &state={state}#wechat_redirect",
            self.open_url.as_str().trim_end_matches('/'),
            self.api.app_id().as_str(),
        )
    }

    /// Runs `exchange` once for a code, however often and at how many replicas the code arrives. All
    /// who bring it for the same purpose get the same outcome; for another purpose it is a spent one.
    ///
    /// An exchange that began runs to its end, whoever hangs up meanwhile: a browser that WeChat
    /// redirects twice ends its first request, and by then WeChat may have spent the code.
    ///
    /// # Errors
    ///
    /// Those of `exchange`. After a failure of WeChat's or Redis' the code can be brought again.
    pub async fn once_per_code(
        self: &Arc<Self>,
        purpose: &str,
        code: &str,
        exchange: impl Future<Output = Result<String, AuthorizationError>> + Send + 'static,
    ) -> Result<String, AuthorizationError> {
        if !is_well_formed(code) {
            return Err(AuthorizationError::SpentCode);
        }
        let code_sha256 = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose}\0{code}")));
        let this = Arc::clone(self);
        let claimed = async move { this.claim_and(code_sha256, exchange).await };
        match tokio::spawn(request_id::carried(claimed)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is ending, and this task with it.
                Err(_) => pending().await,
            },
        }
    }

    async fn claim_and(
        &self,
        code_sha256: String,
        exchange: impl Future<Output = Result<String, AuthorizationError>> + Send,
    ) -> Result<String, AuthorizationError> {
        let claim = ClaimCode {
            code_sha256,
            holder: random_name()?,
        };
        let deadline = Instant::now() + CLAIM_WAIT;
        loop {
            match self.store.run(&claim).await? {
                Claim::Resolved(outcome) if outcome == FAILED => {
                    return Err(AuthorizationError::SpentCode);
                }
                Claim::Resolved(outcome) => return Ok(outcome),
                Claim::InProgress if Instant::now() < deadline => sleep(CLAIM_POLL).await,
                Claim::InProgress => return Err(AuthorizationError::SpentCode),
                Claim::Claimed => {
                    let exchanged = exchange.await;
                    self.settle(claim, &exchanged).await?;
                    return exchanged;
                }
            }
        }
    }

    /// Says what came of a code, or gives it back if WeChat refused or failed without taking it: a
    /// person's consent isn't lost by an outage that passes, and who brings the code again hears what is
    /// wrong then. If WeChat did take it, it says so itself.
    async fn settle(
        &self,
        claim: ClaimCode,
        exchanged: &Result<String, AuthorizationError>,
    ) -> Result<(), StoreError> {
        let ClaimCode {
            code_sha256,
            holder,
        } = claim;
        let outcome = match exchanged {
            Ok(outcome) => outcome,
            Err(
                AuthorizationError::Wechat(_)
                | AuthorizationError::Store(_)
                | AuthorizationError::TooMany { .. },
            ) => {
                let release = ReleaseCode {
                    code_sha256,
                    holder,
                };
                return self.store.run(&release).await;
            }
            Err(
                AuthorizationError::SpentCode
                | AuthorizationError::Snapshot
                | AuthorizationError::ConsentMissing,
            ) => FAILED,
        };
        let resolve = ResolveCode {
            code_sha256,
            outcome: outcome.to_owned(),
        };
        self.store.run(&resolve).await
    }

    /// Whose phone brought this code, and whether they were asked for what the page needs. What passes by
    /// itself is repeated, since the person waits.
    ///
    /// Anybody can invent codes: those that WeChat refuses count against the exchanger's share.
    ///
    /// # Errors
    ///
    /// The code is spent, the person isn't real or was asked for less, there were too many codes, WeChat
    /// or Redis failed.
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
            tracing::warn!(%error, "a code that WeChat accepted counts as a refused one for a while");
        }
        let person = recognised?;
        if asked == Scope::UserInfo {
            self.check_consent(&person).await?;
        }
        Ok(person)
    }

    /// Reserves a place for an exchange, on all replicas together, and says how to give it back.
    async fn reserve(&self, exchanger: Exchanger) -> Result<GiveBackExchange, AuthorizationError> {
        let (share, window) = match exchanger {
            Exchanger::Attempt(_) => REFUSED_OF_ATTEMPT,
            Exchanger::Client(_) => REFUSED_OF_CLIENT,
        };
        let reserve = ReserveExchange {
            exchanger,
            reservation: random_name()?,
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

    async fn check_consent(&self, person: &Authorized) -> Result<(), AuthorizationError> {
        match person.granted.covers_user_info() {
            Some(true) => Ok(()),
            Some(false) => Err(AuthorizationError::ConsentMissing),
            // Then the call that needs the consent says whether it was given.
            None => match self.profile(person).await {
                Ok(_) => Ok(()),
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
        Ok(Authorized { openid, granted })
    }

    /// An answer that can't be read spends the code all the same. What a repeat is told of a spent code
    /// then is our own doing: another consent would end in the same way.
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
        let token = person.granted.access_token.as_ref().ok_or_else(|| {
            let problem = "the answer to the code holds no access token".to_owned();
            WechatError::Unusable { problem }
        })?;
        self.api
            .web_user_info(token.expose_secret(), &person.openid)
            .await
    }
}

/// A name of 128 random bits. Without one of its own an asker could take what is another's for its own.
fn random_name() -> Result<String, AuthorizationError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|_| AuthorizationError::SpentCode)?;
    Ok(URL_SAFE_NO_PAD.encode(name))
}
