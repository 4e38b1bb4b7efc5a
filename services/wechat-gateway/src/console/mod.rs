//! The owner's console: how the installation stands, who its people are, and what to do about
//! either. It is a part of the internal listener, and whoever has the internal API's key may use it.
//!
//! It shows and does what the internal API and `doctor` show and do; nothing is kept here but who is
//! signed in. History comes from the counters in [`login_protocol::history`].

use std::sync::Arc;

use actix_web::HttpRequest;
use jiff::Timestamp;
use login_protocol::{event::Position, identity::OpenId, member::StoredMember, steps::MemberPlace};
use secrecy::SecretString;
use service_kit::{
    client_address::TrustedProxies,
    clock::Clock,
    redis::{Store, StoreError},
};
use tokio::sync::Mutex;

use crate::{
    accounts::{Account, Accounts},
    audit::{Act, Actor, AuditError, Door, OwnerAction},
    doctor::{
        self,
        report::{Check, Status},
    },
    settings::GatewaySettings,
    webhooks::Webhooks,
};
use history::History;
use language::Language;
use overview::Overview;
use sessions::ConsoleSessions;
use wechat_sign_in::WechatSignIn;

pub(crate) mod acts;
mod advice;
mod charts;
mod cookies;
mod history;
pub(crate) mod language;
mod overview;
pub(crate) mod pages;
mod qr_picture;
pub(crate) mod sessions;
pub(crate) mod wechat_sign_in;

/// The style sheet of its pages.
pub(crate) const STYLE_SHEET: &str = include_str!("style.css");
/// Keeps its pages current.
pub(crate) const SCRIPT: &str = include_str!("console.js");
/// Its icon.
pub(crate) const ICON: &str = include_str!("icon.svg");

/// How many people a page lists.
const LISTED: usize = 50;

/// How many people a search looks through at once.
const SEARCHED: usize = 2000;

/// The console.
pub(crate) struct Console {
    /// Who is signed in.
    pub(crate) sessions: ConsoleSessions,
    /// Signing in by WeChat, if somebody may.
    pub(crate) wechat: Option<WechatSignIn>,
    /// The receivers of events.
    pub(crate) webhooks: Arc<Webhooks>,
    /// Whose `X-Forwarded-For` is trusted.
    pub(crate) proxies: TrustedProxies,
    accounts: Accounts,
    clock: Clock,
    history: History,
    store: Arc<Store>,
    settings: GatewaySettings,
    /// Locked while the checks run.
    examining: Mutex<()>,
}

/// Some of the people.
pub(crate) struct Found {
    /// Who.
    pub(crate) members: Vec<StoredMember>,
    /// From where on there may be more.
    pub(crate) next: Option<MemberPlace>,
}

impl Console {
    /// Of these accounts. The settings are what the checks examine.
    pub(crate) fn new(
        settings: GatewaySettings,
        accounts: Accounts,
        webhooks: Arc<Webhooks>,
        store: &Arc<Store>,
        clock: Clock,
    ) -> Self {
        let api_key: SecretString = settings.internal.api_keys.current.clone();
        let by_wechat = settings.console.as_ref().and_then(|owners| {
            let account = accounts.named(&owners.account)?;
            let app_id = &settings.accounts.named(&owners.account)?.credentials.app_id;
            Some((owners, Arc::clone(account), app_id.clone()))
        });
        let owners = by_wechat
            .as_ref()
            .map(|(owners, _, app_id)| wechat_sign_in::owners_of(app_id, &owners.openids));
        let wechat = by_wechat.map(|(owners, account, app_id)| {
            WechatSignIn::new(owners, account, &app_id, Arc::clone(store))
        });
        let owners = owners.unwrap_or_default();
        Self {
            sessions: ConsoleSessions::new(Arc::clone(store), api_key, owners),
            wechat,
            webhooks,
            proxies: settings.public.trusted_proxies.clone(),
            accounts,
            clock,
            history: History::new(Arc::clone(store)),
            store: Arc::clone(store),
            settings,
            examining: Mutex::new(()),
        }
    }

    /// How it stands.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn overview(&self, say: Language) -> Result<Overview, StoreError> {
        let reports = self.webhooks.reports().await?;
        let now = self.clock.now();
        Overview::read(&self.history, &self.accounts, &reports, now, say).await
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the browser speaks https, to a proxy that is trusted.
    pub(crate) fn is_https(&self, request: &HttpRequest) -> bool {
        self.proxies.protocol(request) == "https"
    }

    /// An owner, as this request comes from them; `None`: the one with the key, or nobody yet.
    pub(crate) fn actor(&self, request: &HttpRequest, owner: Option<OpenId>) -> Actor {
        Actor {
            door: Door::Console,
            owner,
            address: Some(self.proxies.client(request)),
        }
    }

    /// Keeps what somebody does here that concerns nobody.
    ///
    /// # Errors
    ///
    /// Redis failed, or there are no random bytes.
    pub(crate) async fn record(&self, actor: Actor, action: OwnerAction) -> Result<(), AuditError> {
        Act::new(actor, action).record(&self.store).await
    }

    /// What the owner did before this place; `None`: nothing is kept of it.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn acts(
        &self,
        before: Option<Position>,
    ) -> Result<Option<acts::Acts>, StoreError> {
        if self.settings.events.keep.is_none() {
            return Ok(None);
        }
        let owners = self.settings.console.as_ref();
        let owners = owners.and_then(|owners| self.settings.accounts.named(&owners.account));
        let app_id = owners.map(|account| &account.credentials.app_id);
        acts::read(&self.store, app_id, before).await.map(Some)
    }

    /// The names of the accounts.
    pub(crate) fn account_names(&self) -> Vec<String> {
        let names = self
            .accounts
            .iter()
            .map(|account| account.name.as_str().to_owned());
        names.collect()
    }

    /// The account of this name; the first one where none is named.
    pub(crate) fn account(&self, name: &str) -> Option<&Arc<Account>> {
        let mut accounts = self.accounts.iter();
        accounts.find(|account| name.is_empty() || account.name.as_str() == name)
    }

    /// People of an account, newest first: all, or those in whose record the text occurs.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn find(
        &self,
        account: &Account,
        query: &str,
        before: Option<MemberPlace>,
    ) -> Result<Found, StoreError> {
        let query = query.trim();
        if query.is_empty() {
            let page = account.members.page(before, LISTED, None).await?;
            return Ok(Found {
                members: page.members,
                next: page.next,
            });
        }
        if before.is_none()
            && OpenId::parse(query).is_ok()
            && let Some(member) = account.members.find(query).await?
        {
            return Ok(Found {
                members: vec![member],
                next: None,
            });
        }
        let page = account.members.page(before, SEARCHED, None).await?;
        let wanted = query.to_lowercase();
        let mut members = page.members;
        members.retain(|stored| is_meant(stored, &wanted));
        Ok(Found {
            members,
            next: page.next,
        })
    }

    /// Runs the checks, and returns what needs attention first; `None` while they run already.
    pub(crate) async fn examine(&self) -> Option<Vec<Check>> {
        let _examining = self.examining.try_lock().ok()?;
        let mut findings = doctor::findings(self.settings.clone()).await;
        findings.sort_by_key(|check| match check.status {
            Status::Fail => 0,
            Status::Warn => 1,
            Status::Ok | Status::Skip => 2,
        });
        Some(findings)
    }
}

fn is_meant(stored: &StoredMember, wanted: &str) -> bool {
    let member = &stored.member;
    let nickname = member.nickname.as_deref().map(str::to_lowercase);
    nickname.is_some_and(|nickname| nickname.contains(wanted))
        || member
            .unionid
            .as_deref()
            .is_some_and(|unionid| unionid.eq_ignore_ascii_case(wanted))
        || stored
            .sub
            .as_ref()
            .is_some_and(|sub| sub.as_str().eq_ignore_ascii_case(wanted))
}
