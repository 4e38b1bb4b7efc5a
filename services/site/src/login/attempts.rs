//! Attempts, from the QR code on until they are over.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    gateway_api::{ClientLogins, CreateQrCode},
    login_prompt::CreateLoginPrompt,
    method::{Method, MethodChoice},
    scene::{BrowserSecret, Scene},
    site::{Realm, Site},
    steps::{
        CancelAttempt, OpenAttempt, OpenedAttempt, Progress, ReadAttempt, ReadProgress,
        ReadRemainingLife, ReadStatus,
    },
};
use service_kit::{asker, login_steps::StepCounter, random, redis::StoreError};

use super::Shown;
use super::{BeginError, Living, Logins, Visit, WORTH_RESUMING};
use crate::{gateway_client::GatewayError, login_methods::LoginMethods};

/// What login a visitor wants.
pub struct Wish<'a> {
    /// How, if they say.
    pub choice: Option<MethodChoice>,
    /// The client of OpenID Connect that they go on to.
    pub client: Option<&'a Arc<Site>>,
    /// The methods that are offered there.
    pub methods: &'a LoginMethods,
    /// The proof of work that their browser sends; empty without one.
    pub proof: String,
}

/// How much longer WeChat knows the code than the attempt lives: a scan in the last second is
/// answered that the code has expired.
const CODE_OUTLIVES_ATTEMPT_SECONDS: u32 = 60;

impl Logins {
    /// Starts an attempt, or takes up the one that this browser has: a reload, or a second tab,
    /// shows the same code, and WeChat's quota is spared. On the way to a client, its account, name
    /// and rules hold, and only an attempt of the same client is taken up. The methods are those that
    /// are offered there.
    ///
    /// # Errors
    ///
    /// Too many logins from this client; Redis, the gateway or WeChat unavailable.
    pub async fn start(
        &self,
        visit: Visit<'_>,
        secret: Option<BrowserSecret>,
        wish: Wish<'_>,
    ) -> Result<(BrowserSecret, Living), BeginError> {
        let Wish {
            choice,
            client,
            methods,
            proof,
        } = wish;
        if choice.is_some_and(|choice| !methods.offer(choice)) {
            return Err(BeginError::MethodNotOffered);
        }
        let site = client.unwrap_or(&self.site);
        if let Some(secret) = secret
            && let Some(living) = self.resumable(&secret, site).await?
        {
            let method = living.opened.method;
            if choice.map_or_else(|| methods.include(method), |choice| choice.includes(method)) {
                return Ok((secret, living));
            }
            // The browser takes another way. Nobody would see what the one before leads to.
            if method != Method::WebAuthorization {
                self.cancel(&secret).await?;
            }
        }
        let begun = self.admit(visit.client, &proof).await?;
        let secret = BrowserSecret::from_random(random::bytes()?);
        let scene = secret.scene();
        let choice = choice.unwrap_or(methods.first());
        let begun = begun.filter(|begun| *begun == ClientLogins::Many);
        let account = site.realm.account.clone();
        let shown = match self.prompt(scene.clone(), choice, begun, account).await {
            Ok(shown) => shown,
            Err(error) => {
                self.work.forget();
                return Err(self.could_not_begin(visit.client, error.into()).await);
            }
        };
        let living = self.open(visit, scene, shown, site).await?;
        Ok((secret, living))
    }

    /// Asks the gateway what to show.
    async fn prompt(
        &self,
        scene: Scene,
        choice: MethodChoice,
        client_logins: Option<ClientLogins>,
        account: AccountName,
    ) -> Result<Shown, GatewayError> {
        if choice == MethodChoice::Scan {
            let request = CreateQrCode {
                scene,
                ttl_seconds: self.attempt_lifetime_seconds + CODE_OUTLIVES_ATTEMPT_SECONDS,
                client_logins,
                account,
            };
            return Ok(self.gateway.create_qr_code(&request).await?.into());
        }
        let request = CreateLoginPrompt {
            scene,
            ttl_seconds: self.attempt_lifetime_seconds,
            method: choice,
            client_logins,
            account,
        };
        Ok(self.gateway.create_login_prompt(&request).await?.into())
    }

    pub(super) async fn open(
        &self,
        visit: Visit<'_>,
        scene: Scene,
        shown: Shown,
        site: &Arc<Site>,
    ) -> Result<Living, StoreError> {
        let step = OpenAttempt {
            scene,
            lifetime: Duration::from_secs(self.attempt_lifetime_seconds.into()),
            method: shown.method,
            code: shown.code,
            digits: shown.digits,
            asker: asker::describe(visit.user_agent, visit.client),
            site: Arc::clone(site),
        };
        let expires_at = self.store.run(&step).await?;
        metrics::counter!("logins_total", "outcome" => "started").increment(1);
        let steps = self.steps.of(&site.realm.account);
        steps.shown.count(step.method);
        Ok(Living {
            opened: OpenedAttempt {
                status: AttemptStatus::Pending,
                expires_at,
                method: step.method,
                code: step.code,
                digits: step.digits,
                client: site.client.clone(),
            },
            left: step.lifetime,
        })
    }

    async fn resumable(
        &self,
        secret: &BrowserSecret,
        site: &Site,
    ) -> Result<Option<Living>, StoreError> {
        let living = self.living(secret, site).await?;
        Ok(living.filter(is_worth_resuming))
    }

    pub(super) async fn living(
        &self,
        secret: &BrowserSecret,
        site: &Site,
    ) -> Result<Option<Living>, StoreError> {
        let read = ReadAttempt {
            scene: secret.scene(),
            realm: site.realm.clone(),
        };
        let remaining = ReadRemainingLife {
            scene: secret.scene(),
        };
        let (opened, left) = self.store.run_both(&read, &remaining).await?;
        // Another client's attempt says another name and may have other rules.
        let opened = opened.filter(|opened| opened.client == site.client);
        Ok(opened.map(|opened| Living { opened, left }))
    }

    /// Where a browser's attempt belongs. Without clients of other accounts Redis isn't asked.
    pub(super) async fn realm_of(&self, secret: &BrowserSecret) -> Result<Realm, StoreError> {
        for account in &self.other_accounts {
            let realm = Realm {
                site: self.site.realm.site.clone(),
                account: account.clone(),
            };
            let read = ReadStatus {
                scene: secret.scene(),
                realm: realm.clone(),
            };
            let (status, _) = self.store.run(&read).await?;
            if status != AttemptStatus::Expired {
                return Ok(realm);
            }
        }
        Ok(self.site.realm.clone())
    }

    /// The status of this browser's attempt, and when it expires unless it has.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn status(
        &self,
        secret: &BrowserSecret,
    ) -> Result<(AttemptStatus, Option<Timestamp>), StoreError> {
        let step = ReadStatus {
            scene: secret.scene(),
            realm: self.realm_of(secret).await?,
        };
        self.store.run(&step).await
    }

    /// What a stream has to know that begins to follow this browser's attempt.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn followed(&self, secret: &BrowserSecret) -> Result<Followed, StoreError> {
        let realm = self.realm_of(secret).await?;
        let steps = self.steps.of(&realm.account);
        let read = ReadProgress {
            scene: secret.scene(),
            realm,
        };
        let remaining = ReadRemainingLife {
            scene: secret.scene(),
        };
        let (progress, left) = self.store.run_both(&read, &remaining).await?;
        Ok(Followed {
            status: progress.status,
            expires_at: progress.expires_at,
            left,
            expiry: steps.expired.of(progress.method).clone(),
        })
    }

    /// The modal was closed: nobody can log in with this code any more.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn cancel(&self, secret: &BrowserSecret) -> Result<(), StoreError> {
        let realm = self.realm_of(secret).await?;
        let read = ReadProgress {
            scene: secret.scene(),
            realm: realm.clone(),
        };
        let cancel = CancelAttempt {
            scene: secret.scene(),
            realm,
        };
        let (Progress { status, method, .. }, ()) = self.store.run_both(&read, &cancel).await?;
        // What was denied, redeemed or over was given up by nobody.
        if matches!(
            status,
            AttemptStatus::Pending | AttemptStatus::Scanned | AttemptStatus::Confirmed
        ) {
            self.steps.of(&cancel.realm.account).cancelled.count(method);
        }
        Ok(())
    }
}

/// An attempt that a stream begins to follow.
pub struct Followed {
    /// Where it stands.
    pub status: AttemptStatus,
    /// When it expires, unless it has.
    pub expires_at: Option<Timestamp>,
    /// For how long there will be one.
    pub left: Duration,
    /// Counts it, should its time be over before it is redeemed.
    pub expiry: StepCounter,
}

fn is_worth_resuming(living: &Living) -> bool {
    match living.opened.status {
        AttemptStatus::Pending => living.left > WORTH_RESUMING,
        AttemptStatus::Scanned | AttemptStatus::Confirmed => true,
        AttemptStatus::Denied | AttemptStatus::Expired | AttemptStatus::Consumed => false,
    }
}
