//! Attempts, from the QR code on until they are over.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    gateway_api::{ClientLogins, CreateQrCode},
    method::Method,
    scene::{BrowserSecret, Scene},
    site::{Realm, Site},
    steps::{
        CancelAttempt, OpenAttempt, OpenedAttempt, ReadAttempt, ReadRemainingLife, ReadStatus,
        ShownCode,
    },
};
use service_kit::{random, redis::StoreError};

use super::{BeginError, Living, Logins, Visit, WORTH_RESUMING};
use crate::asker;

/// How much longer WeChat knows the code than the attempt lives: a scan in the last second is
/// answered that the code has expired.
const CODE_OUTLIVES_ATTEMPT_SECONDS: u32 = 60;

impl Logins {
    /// Starts an attempt, or takes up the one that this browser has: a reload, or a second tab,
    /// shows the same code, and WeChat's quota is spared. On the way to a client, its account, name
    /// and rules hold, and only an attempt of the same client is taken up.
    ///
    /// # Errors
    ///
    /// Too many logins from this client; Redis, the gateway or WeChat unavailable.
    pub async fn start(
        &self,
        visit: Visit<'_>,
        secret: Option<BrowserSecret>,
        client: Option<&Arc<Site>>,
    ) -> Result<(BrowserSecret, Living), BeginError> {
        let site = client.unwrap_or(&self.site);
        if let Some(secret) = secret
            && let Some(living) = self.resumable(&secret, site).await?
        {
            return Ok((secret, living));
        }
        let begun = self.admit(visit.client).await?;
        let secret = BrowserSecret::from_random(random::bytes()?);
        let scene = secret.scene();
        let request = CreateQrCode {
            scene: scene.clone(),
            ttl_seconds: self.attempt_lifetime_seconds + CODE_OUTLIVES_ATTEMPT_SECONDS,
            client_logins: begun.filter(|begun| *begun == ClientLogins::Many),
            account: site.realm.account.clone(),
        };
        let code = match self.gateway.create_qr_code(&request).await {
            Ok(code) => code,
            Err(error) => return Err(self.could_not_begin(visit.client, error.into()).await),
        };
        let code = ShownCode {
            content: code.content,
            image_url: code.image_url,
        };
        let living = self
            .open(visit, scene, Method::Scan, Some(code), site)
            .await?;
        Ok((secret, living))
    }

    pub(super) async fn open(
        &self,
        visit: Visit<'_>,
        scene: Scene,
        method: Method,
        code: Option<ShownCode>,
        site: &Arc<Site>,
    ) -> Result<Living, StoreError> {
        let step = OpenAttempt {
            scene,
            lifetime: Duration::from_secs(self.attempt_lifetime_seconds.into()),
            method,
            code,
            asker: asker::describe(visit.user_agent, visit.client),
            site: Arc::clone(site),
        };
        let expires_at = self.store.run(&step).await?;
        metrics::counter!("logins_total", "outcome" => "started").increment(1);
        Ok(Living {
            opened: OpenedAttempt {
                status: AttemptStatus::Pending,
                expires_at,
                method,
                code: step.code,
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
        Ok(living
            .filter(|living| living.opened.method == Method::Scan && is_worth_resuming(living)))
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

    /// The same, and for how long there will be an attempt.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn status_and_life(
        &self,
        secret: &BrowserSecret,
    ) -> Result<(AttemptStatus, Option<Timestamp>, Duration), StoreError> {
        let status = ReadStatus {
            scene: secret.scene(),
            realm: self.realm_of(secret).await?,
        };
        let remaining = ReadRemainingLife {
            scene: secret.scene(),
        };
        let ((status, expires_at), left) = self.store.run_both(&status, &remaining).await?;
        Ok((status, expires_at, left))
    }

    /// The modal was closed: nobody can log in with this code any more.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn cancel(&self, secret: &BrowserSecret) -> Result<(), StoreError> {
        let step = CancelAttempt {
            scene: secret.scene(),
            realm: self.realm_of(secret).await?,
        };
        self.store.run(&step).await
    }
}

fn is_worth_resuming(living: &Living) -> bool {
    match living.opened.status {
        AttemptStatus::Pending => living.left > WORTH_RESUMING,
        AttemptStatus::Scanned | AttemptStatus::Confirmed => true,
        AttemptStatus::Denied | AttemptStatus::Expired | AttemptStatus::Consumed => false,
    }
}
