//! One visitor's login, from the QR code to the session.

use std::{net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    gateway_api::{ClientLogins, CreateQrCode},
    identity::MemberId,
    member::Member,
    method::Method,
    scene::{BrowserSecret, Scene},
    site::Site,
    steps::{
        CancelAttempt, CreateSession, GivenBack, Identified, OpenAttempt, OpenedAttempt,
        ReadAttempt, ReadMember, ReadRemainingLife, ReadSessionsEnd, ReadStatus, RedeemAttempt,
        Redemption, SessionLifetime, ShownCode,
    },
};
use serde::Serialize;
use service_kit::{
    random,
    redis::{Store, StoreError},
};
use tokio::time::Instant;

use crate::{asker, gateway_client::GatewayClient, session::SessionId};

mod admission;
mod error;
mod sessions;
mod stray_codes;
mod web_authorization;
mod web_authorization_limit;

pub use error::{BeginError, CompleteError};
use stray_codes::StrayCodes;
pub use web_authorization::{AuthorizationRequest, AuthorizationResponse, WebAuthorizationError};
use web_authorization_limit::WebAuthorizationLimit;

/// How much longer WeChat knows the code than the attempt lives: a scan in the last second is told
/// that the code has expired, and not that nothing is there.
const CODE_OUTLIVES_ATTEMPT_SECONDS: u32 = 60;

/// An attempt with less left than this isn't worth showing again after a reload.
const WORTH_RESUMING: Duration = Duration::from_secs(15);

/// Logins on this site.
pub struct Logins {
    site: Arc<Site>,
    store: Arc<Store>,
    gateway: Arc<GatewayClient>,
    stray_codes: StrayCodes,
    attempt_lifetime_seconds: u32,
    session_lifetime: SessionLifetime,
    per_minute: u32,
    web_authorizations: WebAuthorizationLimit,
}

/// How long things live and how many are allowed.
#[derive(Debug, Clone, Copy)]
pub struct LoginLimits {
    /// An attempt's lifetime.
    pub attempt_lifetime_seconds: u32,
    /// A session's lifetime.
    pub session_lifetime: SessionLifetime,
    /// Logins that one client may start in a minute; 0 is no limit.
    pub per_minute: u32,
    /// Attempts by web authorisation that this process may start in the time that one lives; 0 is no limit.
    pub web_authorizations: u32,
}

/// An attempt, and how long it will live: Redis' time left, because the clocks of Redis and of the sites
/// differ.
#[derive(Debug, Clone)]
pub struct Living {
    /// The attempt.
    pub opened: OpenedAttempt,
    /// How long it will live.
    pub left: Duration,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// Its `User-Agent`; empty without one.
    pub user_agent: &'a str,
}

/// Who is signed in, as `GET /api/session` tells.
#[derive(Debug, Serialize)]
pub struct User {
    openid: String,
    unionid: Option<String>,
    nickname: Option<String>,
    avatar_url: Option<String>,
    location: Option<String>,
    subscribed: bool,
}

impl Logins {
    /// Logins at this site with these limits.
    pub fn new(
        site: Arc<Site>,
        store: Arc<Store>,
        gateway: GatewayClient,
        limits: LoginLimits,
    ) -> Self {
        let LoginLimits {
            attempt_lifetime_seconds,
            session_lifetime,
            per_minute,
            web_authorizations,
        } = limits;
        let gateway = Arc::new(gateway);
        Self {
            stray_codes: StrayCodes::new(site.realm.account.clone(), Arc::clone(&gateway)),
            site,
            store,
            gateway,
            attempt_lifetime_seconds,
            session_lifetime,
            per_minute,
            web_authorizations: WebAuthorizationLimit::new(
                web_authorizations,
                Duration::from_secs(attempt_lifetime_seconds.into()),
                Instant::now(),
            ),
        }
    }

    /// How long a session's cookie is of use.
    pub const fn session_lifetime(&self) -> Duration {
        self.session_lifetime.absolute
    }

    /// How long the attempt's cookie is of use: the attempt, and the time to redeem it.
    pub fn cookie_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.attempt_lifetime_seconds))
            + login_protocol::steps::REDEMPTION_WINDOW
    }

    /// Starts an attempt, or takes up the one that this browser has: a reload, or a second tab, shows
    /// the same code, and WeChat's quota is spared.
    ///
    /// # Errors
    ///
    /// Too many logins from this client; Redis, the gateway or WeChat unavailable.
    pub async fn start(
        &self,
        visit: Visit<'_>,
        secret: Option<BrowserSecret>,
    ) -> Result<(BrowserSecret, Living), BeginError> {
        if let Some(secret) = secret
            && let Some(living) = self.resumable(&secret).await?
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
            account: self.site.realm.account.clone(),
        };
        let code = match self.gateway.create_qr_code(&request).await {
            Ok(code) => code,
            Err(error) => return Err(self.could_not_begin(visit.client, error.into()).await),
        };
        let code = ShownCode {
            content: code.content,
            image_url: code.image_url,
        };
        let living = self.open(visit, scene, Method::Scan, Some(code)).await?;
        Ok((secret, living))
    }

    async fn open(
        &self,
        visit: Visit<'_>,
        scene: Scene,
        method: Method,
        code: Option<ShownCode>,
    ) -> Result<Living, StoreError> {
        let step = OpenAttempt {
            scene,
            lifetime: Duration::from_secs(self.attempt_lifetime_seconds.into()),
            method,
            code,
            asker: asker::describe(visit.user_agent, visit.client),
            site: Arc::clone(&self.site),
        };
        let expires_at = self.store.run(&step).await?;
        metrics::counter!("logins_total", "outcome" => "started").increment(1);
        Ok(Living {
            opened: OpenedAttempt {
                status: AttemptStatus::Pending,
                expires_at,
                method,
                code: step.code,
            },
            left: step.lifetime,
        })
    }

    async fn resumable(&self, secret: &BrowserSecret) -> Result<Option<Living>, StoreError> {
        let living = self.living(secret).await?;
        Ok(living
            .filter(|living| living.opened.method == Method::Scan && is_worth_resuming(living)))
    }

    async fn living(&self, secret: &BrowserSecret) -> Result<Option<Living>, StoreError> {
        let read = ReadAttempt {
            scene: secret.scene(),
            realm: self.site.realm.clone(),
        };
        let remaining = ReadRemainingLife {
            scene: secret.scene(),
        };
        let (opened, left) = self.store.run_both(&read, &remaining).await?;
        Ok(opened.map(|opened| Living { opened, left }))
    }

    /// Where this browser's attempt stands, and when it expires unless it has.
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
            realm: self.site.realm.clone(),
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
            realm: self.site.realm.clone(),
        };
        let remaining = ReadRemainingLife {
            scene: secret.scene(),
        };
        let ((status, expires_at), left) = self.store.run_both(&status, &remaining).await?;
        Ok((status, expires_at, left))
    }

    /// Redeems this browser's attempt and signs it in. Within a minute it can be repeated: the outcome
    /// is the same session.
    ///
    /// # Errors
    ///
    /// The attempt isn't confirmed, is over, the user signed out everywhere since they confirmed, its
    /// session was ended, or Redis is unavailable.
    pub async fn complete(
        &self,
        secret: &BrowserSecret,
        client: IpAddr,
        by: GivenBack,
    ) -> Result<(SessionId, User), CompleteError> {
        let nonce = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
        let step = RedeemAttempt {
            scene: secret.scene(),
            realm: self.site.realm.clone(),
            nonce,
        };
        let Identified {
            member,
            nonce,
            confirmed_at,
            ..
        } = match self.store.run(&step).await? {
            Redemption::Redeemed(identified) => identified,
            Redemption::Refused(status) => return Err(CompleteError::NotRedeemable(status)),
        };
        let is_first = nonce == step.nonce;
        let session = SessionId::of_redemption(secret, &nonce);
        let create = CreateSession {
            id_sha256: session.sha256(),
            member: member.clone(),
            begun_at: confirmed_at,
            lifetime: self.session_lifetime,
        };
        let read = ReadMember {
            member: member.clone(),
        };
        let ended = ReadSessionsEnd {
            member: member.clone(),
        };
        // A repeat is no other login.
        let give_back = is_first.then(|| self.give_back(client, by));
        let written = if let Some(give_back) = give_back.flatten() {
            let all = self
                .store
                .run_four(&create, &read, &ended, &give_back)
                .await;
            all.map(|(is_created, known, ended_at, ())| (is_created, known, ended_at))
        } else {
            self.store.run_three(&create, &read, &ended).await
        };
        let (is_created, known, ended_at) = written?;
        // Who reads the session finds it over as well, so an end that comes a moment later counts too.
        if sessions::is_over(confirmed_at, ended_at) {
            return Err(CompleteError::SignedOutEverywhere);
        }
        if !is_created {
            return Err(CompleteError::NotRedeemable(AttemptStatus::Consumed));
        }
        metrics::counter!("logins_total", "outcome" => "completed").increment(1);
        Ok((session, User::new(&member, known)))
    }

    /// The modal was closed: nobody can log in with this code any more.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn cancel(&self, secret: &BrowserSecret) -> Result<(), StoreError> {
        let step = CancelAttempt {
            scene: secret.scene(),
            realm: self.site.realm.clone(),
        };
        self.store.run(&step).await
    }
}

impl User {
    fn new(id: &MemberId, known: Option<Member>) -> Self {
        let openid = id.openid.as_str().to_owned();
        match known {
            Some(Member {
                unionid,
                nickname,
                avatar_url,
                location,
                subscribed,
                ..
            }) => Self {
                openid,
                unionid,
                nickname,
                avatar_url,
                location,
                subscribed,
            },
            None => Self {
                openid,
                unionid: None,
                nickname: None,
                avatar_url: None,
                location: None,
                subscribed: false,
            },
        }
    }
}

fn is_worth_resuming(living: &Living) -> bool {
    match living.opened.status {
        AttemptStatus::Pending => living.left > WORTH_RESUMING,
        AttemptStatus::Scanned | AttemptStatus::Confirmed => true,
        AttemptStatus::Denied | AttemptStatus::Expired | AttemptStatus::Consumed => false,
    }
}
