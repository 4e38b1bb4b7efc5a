//! Signing in to the console by WeChat: a login of the gateway's own, which one of the owners
//! confirms on the phone. To the account the console is one more site.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use login_protocol::{
    account::AccountName,
    attempt::Approval,
    gateway_api::ClientLogins,
    history::Figure,
    identity::{AppId, MemberId, OpenId},
    login_prompt::CreateLoginPrompt,
    method::MethodChoice,
    scene::BrowserSecret,
    site::{Realm, Site, SiteId},
    steps::{
        AdmitConsoleSignIn, ConsoleSignIn, GiveBackConsoleSignIn, OpenAttempt, OpenedAttempt,
        Purpose, ReadAttempt, RedeemAttempt, Redemption, ShownCode, ShownDigits,
    },
};
use service_kit::{
    asker, bans, cookie, history,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use url::Url;

use super::sessions;
use crate::{
    accounts::Account,
    login_prompts::{LoginPrompts, PromptError},
    settings::ConsoleOwners,
};

/// The cookie of a browser that waits for the phone.
const COOKIE: &str = "wechat-login-console-sign-in";

/// How long a code is good for, in seconds.
const LIFETIME_SECONDS: u32 = 300;

/// The console as a site. No site's public URL is this.
const SITE: &str = "http://console.invalid";

/// What the phone calls it.
const NAME: &str = "微信登录控制台";

/// Signing in by WeChat.
pub(crate) struct WechatSignIn {
    store: Arc<Store>,
    account: Arc<Account>,
    owners: Vec<MemberId>,
    site: Arc<Site>,
}

/// A browser that waits for the phone. Its `Debug` form is redacted.
#[derive(Debug, Clone)]
pub(crate) struct Waiting(BrowserSecret);

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    /// Too many sign-ins of this client failed.
    #[error("too many sign-ins failed")]
    TooMany {
        /// Until there is one again.
        retry_after: Duration,
    },
    /// The account has none.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// No secret can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose phone it was.
#[derive(Debug)]
pub(crate) enum Finished {
    /// An owner's.
    Owner(MemberId),
    /// Somebody else's, or that of an owner who is banned.
    Stranger,
    /// Nobody's yet, or it is over, or was used.
    Over,
}

impl WechatSignIn {
    /// By a code of this account.
    pub(crate) fn new(
        owners: &ConsoleOwners,
        account: Arc<Account>,
        app_id: &AppId,
        store: Arc<Store>,
    ) -> Self {
        let realm = Realm {
            site: SiteId::of(&Url::parse(SITE).expect("it is a URL")),
            account: owners.account.clone(),
        };
        let site = Site {
            realm,
            name: Some(NAME.to_owned()),
            // A code that was scanned by mistake, or shown by a stranger, signs nobody in.
            approval: Some(Approval::Tap),
            require_following: false,
            client: None,
        };
        Self {
            store,
            account,
            owners: owners_of(app_id, &owners.openids),
            site: Arc::new(site),
        }
    }

    fn prompts(&self) -> &LoginPrompts {
        &self.account.login_prompts
    }

    fn account_name(&self) -> AccountName {
        self.site.realm.account.clone()
    }

    /// Shows a browser a new code. It counts as a sign-in that failed until it succeeds, so that
    /// nobody uses up the account's codes.
    ///
    /// # Errors
    ///
    /// Too many failed, there is no code, or Redis failed.
    pub(crate) async fn begin(
        &self,
        user_agent: &str,
        client: IpAddr,
    ) -> Result<Waiting, BeginError> {
        if let ConsoleSignIn::Refused { retry_after } =
            self.store.run(&AdmitConsoleSignIn { client }).await?
        {
            return Err(BeginError::TooMany { retry_after });
        }
        let secret = BrowserSecret::from_random(random::bytes()?);
        let prompt = CreateLoginPrompt {
            scene: secret.scene(),
            ttl_seconds: LIFETIME_SECONDS,
            method: MethodChoice::Auto,
            client_logins: Some(ClientLogins::Few),
            account: self.account_name(),
        };
        let prompt = self.prompts().create(prompt).await?;
        let code = prompt.qr.map(|qr| ShownCode {
            content: qr.content,
            image_url: qr.image_url.unwrap_or_default(),
        });
        let digits = prompt.code.and_then(|shown| {
            Some(ShownDigits {
                digits: login_protocol::digits::Digits::read(&shown.digits)?,
                account_name: shown.account_name,
                account_qr_url: shown.account_qr_url,
            })
        });
        let open = OpenAttempt {
            scene: secret.scene(),
            lifetime: Duration::from_secs(LIFETIME_SECONDS.into()),
            method: prompt.method,
            code,
            digits,
            asker: asker::describe(user_agent, client),
            site: Arc::clone(&self.site),
        };
        self.store.run(&open).await?;
        history::count(Figure::Shown);
        Ok(Waiting(secret))
    }

    /// Where it stands; `None`: its time is over.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn look(
        &self,
        waiting: &Waiting,
    ) -> Result<Option<OpenedAttempt>, StoreError> {
        let read = ReadAttempt {
            scene: waiting.0.scene(),
            realm: self.site.realm.clone(),
        };
        self.store.run(&read).await
    }

    /// Takes what the phone confirmed, once.
    ///
    /// # Errors
    ///
    /// Redis failed, or there is no randomness.
    pub(crate) async fn finish(
        &self,
        waiting: &Waiting,
        client: IpAddr,
    ) -> Result<Finished, FinishError> {
        let redeem = RedeemAttempt {
            scene: waiting.0.scene(),
            realm: self.site.realm.clone(),
            nonce: random::name()?,
            purpose: Purpose::Session,
        };
        let member = match self.store.run(&redeem).await? {
            // Another nonce is an earlier request's: what was taken isn't taken again.
            Redemption::Redeemed(found) if found.nonce == redeem.nonce => found.member,
            Redemption::Redeemed(_) | Redemption::Refused(_) => return Ok(Finished::Over),
            Redemption::Banned => return Ok(Finished::Stranger),
        };
        if !self.owners.contains(&member) || bans::is_banned(&self.store, &member).await? {
            return Ok(Finished::Stranger);
        }
        self.store.run(&GiveBackConsoleSignIn { client }).await?;
        history::count(Figure::Completed);
        Ok(Finished::Owner(member))
    }
}

/// Why it can't be told whose phone it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishError {
    /// No nonce can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who may sign in, as members of the account with this AppID.
pub(super) fn owners_of(app_id: &AppId, openids: &[OpenId]) -> Vec<MemberId> {
    let owners = openids.iter().map(|openid| MemberId {
        app_id: app_id.clone(),
        openid: openid.clone(),
    });
    owners.collect()
}

impl Waiting {
    /// The browser that sends this request, if it waits for a phone.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        let secret = cookie::value(request, COOKIE)?;
        BrowserSecret::parse(secret).ok().map(Self)
    }

    /// What its form has to carry.
    pub(crate) fn form_token(&self) -> String {
        sessions::digest(&self.0, "sign-in form")
    }

    /// Whether a form came from its own page.
    pub(crate) fn sent(&self, token: &str) -> bool {
        sessions::is_same(&self.form_token(), token)
    }

    /// The cookie by which it is known.
    pub(crate) fn cookie(&self, secure: bool) -> Cookie<'static> {
        let lifetime = time::Duration::seconds(LIFETIME_SECONDS.into());
        cookie_of(self.0.expose(), secure, lifetime)
    }
}

/// The cookie that takes the other one away.
pub(crate) fn no_cookie(secure: bool) -> Cookie<'static> {
    cookie_of(String::new(), secure, time::Duration::ZERO)
}

fn cookie_of(value: String, secure: bool, max_age: time::Duration) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/console/sign-in")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .max_age(max_age)
        .finish()
}
