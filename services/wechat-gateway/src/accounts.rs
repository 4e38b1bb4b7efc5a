//! The Official Accounts that this gateway serves, each with everything that belongs to it, by
//! name.

use std::{collections::BTreeMap, sync::Arc};

use login_protocol::{
    account::AccountName, account_picture::PictureName, attempt::Approval, identity::AppId,
    webhook::WebhookName,
};
use secrecy::SecretString;
use service_kit::{client_address::TrustedProxies, clock::Clock, redis::Store};
use tokio::task::JoinSet;
use url::Url;

use crate::{
    account_picture::AccountPicture,
    compat::CompatCodes,
    digits::AccountDigits,
    login_prompts::LoginPrompts,
    members::Members,
    phone::{
        browser::PhoneBrowsers, confirmation::Confirmations, links::PhoneLinks,
        page_authorization::PageAuthorization, page_login::PageLogins, profile::ShownProfiles,
        web_authorization_login::WebAuthorizationLogin,
    },
    push::{
        envelope::PushSecurity,
        events::{LoginEvents, LoginRules},
        intake::Pushes,
        relay::Relay,
        replies::Replies,
        senders::Senders,
    },
    settings::{
        AccountSettings, AccountsSettings, CompatSettings, Credentials, QrCodeSettings,
        ShownAccount, WechatSettings,
    },
    wechat::{
        access_tokens::AccessTokens, api::Api, clock::WechatClock, code_budget::CodeBudget,
        qr_codes::QrCodes, stray_codes::StrayCodes, web_authorization::WebAuthorization,
    },
};

/// An HTTP client can't be made.
pub type ClientError = Box<dyn std::error::Error + Send + Sync>;

/// One Official Account.
pub struct Account {
    /// What the owner calls it.
    pub name: AccountName,
    /// The calls to WeChat.
    pub api: Arc<Api>,
    /// Its access token.
    pub tokens: Arc<AccessTokens>,
    /// What WeChat pushes.
    pub pushes: Pushes,
    /// Logins that are confirmed on the phone.
    pub confirmations: Confirmations,
    /// Logins by a page of ours.
    pub page_logins: PageLogins,
    /// Nicknames and avatars that people show.
    pub profiles: ShownProfiles,
    /// Logins by web authorization.
    pub web_authorization: Arc<WebAuthorizationLogin>,
    /// Codes of web authorization that are of no use.
    pub stray_codes: Arc<StrayCodes>,
    /// The people who have met it.
    pub members: Members,
    /// What is left of the day's QR codes.
    pub code_budget: Arc<CodeBudget>,
    /// Its QR codes.
    pub qr_codes: Arc<QrCodes>,
    /// What its visitors are shown.
    pub login_prompts: LoginPrompts,
    /// Its codes in the protocol of wechat-server, if it gives any.
    pub compat_codes: Option<Arc<CompatCodes>>,
    senders: Arc<Senders>,
}

/// What all accounts share.
pub struct Shared {
    /// Redis.
    pub store: Arc<Store>,
    /// Where WeChat is.
    pub wechat: WechatSettings,
    /// The time of day.
    pub clock: Clock,
    /// WeChat's clock.
    pub wechat_clock: Arc<WechatClock>,
    /// The gateway's own URL as phones see it.
    pub public_url: Option<Url>,
    /// Whose `X-Forwarded-For` is trusted.
    pub proxies: TrustedProxies,
    /// The phones' cookies.
    pub browsers: PhoneBrowsers,
    /// What makes a scan a login, where a site says nothing.
    pub approval: Approval,
    /// Whether the owner's software is told what happens.
    pub tells: bool,
    /// Which webhooks there are.
    pub webhooks: Vec<WebhookName>,
    /// The door for software that knows wechat-server.
    pub compat: Option<CompatSettings>,
    /// A secret that all gateways share and no stranger can guess.
    pub secret: SecretString,
}

impl Account {
    /// The account that these settings describe.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be created.
    pub fn new(
        name: AccountName,
        settings: AccountSettings,
        shared: &Shared,
    ) -> Result<Self, ClientError> {
        let AccountSettings {
            credentials,
            relay,
            replies,
            profile,
            qr_codes,
            shown,
        } = settings;
        let (store, clock, app_id) = (&shared.store, &shared.clock, &credentials.app_id);
        let (api, tokens) = calls(&name, &credentials, shared)?;
        let senders = Arc::new(Senders::new(
            shared.wechat.check_callback_ip,
            shared.proxies.clone(),
        ));
        // A profile is shown by web authorisation.
        let asks = profile.ask && shown.web_authorization;
        let links = PhoneLinks::new(&name, shared.public_url.as_ref(), asks);
        let authorization = Arc::new(WebAuthorization::new(
            Arc::clone(&api),
            Arc::clone(store),
            shared.wechat.open_url.clone(),
        ));
        let stray_codes = Arc::new(StrayCodes::new(Arc::clone(&authorization)));
        let pages = Arc::new(PageAuthorization::new(
            Arc::clone(&authorization),
            Arc::clone(&stray_codes),
            shared.browsers.clone(),
        ));
        let login_prompts = login_prompts(shown, qr_codes, links.clone(), &api, &tokens, shared);
        let compat_codes = compat_codes(&name, app_id, shared);
        let events = Arc::new(LoginEvents::new(
            Arc::clone(&api),
            Arc::clone(&tokens),
            Arc::clone(store),
            clock.clone(),
            Arc::clone(&login_prompts.digits),
            Replies::new(replies),
            LoginRules {
                account: name.clone(),
                approval: shared.approval,
                profile,
                links: links.clone(),
                tells: shared.tells,
                compat_codes: compat_codes.clone(),
            },
        ));
        let web_authorization = Arc::new(WebAuthorizationLogin::new(
            name.clone(),
            Arc::clone(&authorization),
            Arc::clone(&api),
            Arc::clone(&tokens),
            Arc::clone(store),
            clock.clone(),
        ));
        Ok(Self {
            page_logins: PageLogins::new(
                name.clone(),
                links.clone(),
                Arc::clone(&pages),
                Arc::clone(&authorization),
                Arc::clone(&web_authorization),
                Arc::clone(store),
            ),
            confirmations: Confirmations::new(
                name.clone(),
                app_id.clone(),
                events.site_name().to_owned(),
                links.clone(),
                Arc::clone(&pages),
                Arc::clone(&authorization),
                Arc::clone(store),
            ),
            profiles: ShownProfiles::new(
                app_id.clone(),
                shared.tells,
                links,
                pages,
                Arc::clone(&authorization),
                Arc::clone(store),
                clock.clone(),
            ),
            web_authorization,
            pushes: Pushes::new(
                name.clone(),
                PushSecurity::new(&credentials),
                Arc::clone(&senders),
                events,
                Relay::new(name.clone(), relay)?,
                clock.clone(),
            ),
            members: members(&name, app_id, shared),
            code_budget: Arc::clone(&login_prompts.code_budget),
            qr_codes: Arc::clone(&login_prompts.qr_codes),
            login_prompts,
            compat_codes,
            name,
            api,
            tokens,
            stray_codes,
            senders,
        })
    }

    /// Starts the background tasks.
    fn keep_going(self: &Arc<Self>, background: &mut JoinSet<&'static str>) {
        let account = Arc::clone(self);
        background.spawn(async move {
            account
                .senders
                .keep_current(&account.api, &account.tokens)
                .await;
            "fetching WeChat's callback IPs"
        });
        let account = Arc::clone(self);
        background.spawn(async move {
            account.code_budget.keep_shown().await;
            "showing how many of the day's QR codes are left"
        });
        let account = Arc::clone(self);
        background.spawn(async move {
            account.tokens.keep_fresh().await;
            "refreshing the access token"
        });
    }
}

fn members(name: &AccountName, app_id: &AppId, shared: &Shared) -> Members {
    Members::new(
        name.clone(),
        app_id.clone(),
        Arc::clone(&shared.store),
        shared.webhooks.clone(),
    )
}

/// The calls to WeChat, and the access token that they need.
fn calls(
    name: &AccountName,
    credentials: &Credentials,
    shared: &Shared,
) -> Result<(Arc<Api>, Arc<AccessTokens>), ClientError> {
    let api = Arc::new(Api::new(
        name.clone(),
        credentials,
        &shared.wechat,
        Arc::clone(&shared.wechat_clock),
    )?);
    let tokens = Arc::new(AccessTokens::new(
        Arc::clone(&api),
        Arc::clone(&shared.store),
        credentials.token_mode,
        shared.clock.clone(),
    ));
    Ok((api, tokens))
}

/// The codes of the account that gives codes in the protocol of wechat-server.
fn compat_codes(name: &AccountName, app_id: &AppId, shared: &Shared) -> Option<Arc<CompatCodes>> {
    let settings = shared.compat.as_ref();
    let settings = settings.filter(|settings| settings.account == *name)?;
    let store = Arc::clone(&shared.store);
    let codes = CompatCodes::new(app_id.clone(), store, settings, &shared.secret);
    Some(Arc::new(codes))
}

/// What visitors of this account are shown.
fn login_prompts(
    shown: ShownAccount,
    qr_codes: QrCodeSettings,
    links: PhoneLinks,
    api: &Arc<Api>,
    tokens: &Arc<AccessTokens>,
    shared: &Shared,
) -> LoginPrompts {
    let (store, clock) = (&shared.store, &shared.clock);
    let (name, app_id) = (api.account(), api.app_id());
    LoginPrompts::new(
        name,
        shown,
        links,
        Arc::new(AccountDigits::new(
            name.clone(),
            app_id.clone(),
            Arc::clone(store),
        )),
        CodeBudget::new(
            name.clone(),
            app_id.clone(),
            qr_codes,
            Arc::clone(store),
            clock.clone(),
        ),
        QrCodes::new(Arc::clone(api), Arc::clone(tokens), clock.clone()),
        clock.clone(),
    )
}

/// All accounts of the gateway.
#[derive(Clone)]
pub struct Accounts(Arc<BTreeMap<AccountName, Arc<Account>>>);

impl Accounts {
    /// Those that the settings describe.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be created.
    pub fn new(settings: &AccountsSettings, shared: &Shared) -> Result<Self, ClientError> {
        let accounts = settings.iter().map(|(name, settings)| {
            let account = Account::new(name.clone(), settings.clone(), shared)?;
            Ok((name, Arc::new(account)))
        });
        Ok(Self(Arc::new(
            accounts.collect::<Result<_, ClientError>>()?,
        )))
    }

    /// The account of this name.
    pub fn named(&self, name: &AccountName) -> Option<&Arc<Account>> {
        self.0.get(name)
    }

    /// The picture of this name, if it is one account's.
    pub fn picture(&self, name: &PictureName) -> Option<&AccountPicture> {
        let mut pictures = self
            .iter()
            .filter_map(|account| account.login_prompts.picture());
        pictures.find(|picture| picture.name == *name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.0.values()
    }

    /// Starts the background tasks.
    pub fn keep_going(&self) -> JoinSet<&'static str> {
        let mut background = JoinSet::new();
        for account in self.iter() {
            account.keep_going(&mut background);
        }
        background
    }
}
