//! Signing in to the console by WeChat: a login of the gateway's own, which one of the owners
//! confirms on the phone. To the account the console is one more site.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{HttpRequest, cookie::Cookie as SetCookie};
use login_protocol::{
    account::AccountName,
    attempt::Approval,
    gateway_api::ClientLogins,
    identity::{AppId, MemberId, OpenId},
    login_prompt::CreateLoginPrompt,
    method::MethodChoice,
    scene::{BrowserSecret, Scene},
    site::{Realm, Site, SiteId},
    steps::{
        AdmitConsoleSignIn, ConsoleSignIn, ConsoleSignInBy, GiveBackConsoleSignIn, OpenAttempt,
        OpenedAttempt, Purpose, ReadAttempt, RedeemAttempt, Redemption, ShownCode, ShownDigits,
    },
};
use service_kit::{
    asker, bans,
    login_steps::{LoginStep, StepCounters},
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    cookies::{Cookie, Sent},
    sessions,
};
use crate::{
    accounts::Account,
    login_prompts::{LoginPrompts, PromptError},
    settings::ConsoleOwners,
};

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
    shown: StepCounters,
    completed: StepCounters,
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
            shown: StepCounters::new(LoginStep::Shown, &owners.account),
            completed: StepCounters::new(LoginStep::Completed, &owners.account),
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
        let by = ConsoleSignInBy::Code;
        if let ConsoleSignIn::Refused { retry_after } =
            self.store.run(&AdmitConsoleSignIn { by, client }).await?
        {
            return Err(BeginError::TooMany { retry_after });
        }
        let waiting = Waiting(BrowserSecret::from_random(random::bytes()?));
        let scene = waiting.scene();
        let prompt = CreateLoginPrompt {
            scene: scene.clone(),
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
            scene,
            lifetime: Duration::from_secs(LIFETIME_SECONDS.into()),
            method: prompt.method,
            code,
            digits,
            asker: asker::describe(user_agent, client),
            site: Arc::clone(&self.site),
        };
        self.store.run(&open).await?;
        self.shown.count(open.method);
        Ok(waiting)
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
            scene: waiting.scene(),
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
            scene: waiting.scene(),
            realm: self.site.realm.clone(),
            nonce: random::name()?,
            purpose: Purpose::Session,
        };
        let (member, method) = match self.store.run(&redeem).await? {
            // Another nonce is an earlier request's: what was taken isn't taken again.
            Redemption::Redeemed(found) if found.nonce == redeem.nonce => {
                (found.member, found.method)
            }
            Redemption::Redeemed(_) | Redemption::Refused(_) => return Ok(Finished::Over),
            Redemption::Banned => return Ok(Finished::Stranger),
        };
        if !self.owners.contains(&member) || bans::is_banned(&self.store, &member).await? {
            return Ok(Finished::Stranger);
        }
        let by = ConsoleSignInBy::Code;
        let give_back = GiveBackConsoleSignIn { by, client };
        self.store.run(&give_back).await?;
        self.completed.count(method);
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

/// Which browser waits, by its cookie.
#[derive(Debug, Clone)]
pub(crate) enum Waiter {
    /// None does.
    Nobody,
    /// This one.
    One(Waiting),
    /// It has two cookies of this name: something else on this host shows it somebody else's code.
    Doubled,
}

impl Waiter {
    /// Who sends this request.
    pub(crate) fn of(request: &HttpRequest, is_https: bool) -> Self {
        match Cookie::SignIn.sent(request, is_https) {
            Sent::Nothing => Self::Nobody,
            Sent::Secret(secret) => Self::One(Waiting(secret)),
            Sent::Several => Self::Doubled,
        }
    }
}

impl Waiting {
    /// The scene of its attempt. No site's browser has a cookie that leads to it, nor has one that
    /// came from a site a scene here: a very old site's attempts don't say whose they are.
    fn scene(&self) -> Scene {
        let attempt = Sha256::new()
            .chain_update("console")
            .chain_update(self.0.as_bytes())
            .finalize();
        BrowserSecret::from_random(attempt.into()).scene()
    }

    /// What the address of its page has: the page is another one's for who has another cookie.
    pub(crate) fn page(&self) -> String {
        sessions::digest(&self.0, "sign-in page")
    }

    /// Whether this is the address of its page.
    pub(crate) fn is_at(&self, page: &str) -> bool {
        sessions::is_same(&self.page(), page)
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
    pub(crate) fn cookie(&self, is_https: bool) -> SetCookie<'static> {
        Cookie::SignIn.set(&self.0, is_https, LIFETIME_SECONDS.into())
    }
}

/// The cookie that takes the other one away.
pub(crate) fn no_cookie(is_https: bool) -> SetCookie<'static> {
    Cookie::SignIn.clear(is_https)
}
