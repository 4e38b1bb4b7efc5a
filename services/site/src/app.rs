//! The wiring: settings in, a running site out.

use std::{sync::Arc, time::Duration};

use actix_web::{App, web::Data};
use login_protocol::{problem::ProblemCode, steps::SessionLifetime};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    essentials::Essentials,
    guessable::{self, Reach},
    http_server,
    lifecycle::{self, ServiceError},
    operations::{self, Readiness},
    redis::{REDIS_URL, Store},
    settings::Settings,
    settings_parse::API_KEY_CHARACTERS,
};
use tokio::task::JoinSet;
use url::Url;

use crate::{
    cookies::Cookies,
    gateway_client::GatewayClient,
    login::{LoginLimits, Logins},
    login_watch::LoginWatch,
    routes::{self, own_origin::OwnOrigin, web_authorization::RedirectUris},
    settings,
    waiting_room::WaitingRoom,
};

/// Runs the site until it is told to stop.
///
/// # Errors
///
/// When a setting is no good, an address can't be had, or a part of the service fails.
pub async fn run(values: Settings) -> Result<(), ServiceError> {
    let shutdown = lifecycle::shutdown_on_signal()?;
    let metrics = operations::record_metrics();
    let public = lifecycle::bind(&values, &settings::PUBLIC_BIND)?;
    let internal = lifecycle::bind(&values, &settings::INTERNAL_BIND)?;
    let addresses = [
        ("public", public.local_addr()?),
        ("internal", internal.local_addr()?),
    ];

    let store = Arc::new(Store::new(&values.get(&REDIS_URL)?).map_err(ServiceError::client)?);
    let gateway = GatewayClient::new(
        values.get(&settings::GATEWAY_URL)?,
        values.get(&settings::GATEWAY_API_KEY)?,
    );
    let limits = LoginLimits {
        attempt_lifetime_seconds: values.get(&settings::LOGIN_TTL_SECONDS)?,
        session_lifetime: SessionLifetime {
            absolute: Duration::from_secs(values.get(&settings::SESSION_TTL_SECONDS)?.into()),
            idle: Duration::from_secs(values.get(&settings::SESSION_IDLE_SECONDS)?.into()),
        },
        per_minute: values.get(&settings::LOGINS_PER_MINUTE)?,
        web_authorizations: values.get(&settings::WEB_AUTHORIZATIONS)?,
    };
    let watch = Arc::new(LoginWatch::new(Arc::clone(&store)));
    let room = WaitingRoom::new(
        values.get(&settings::WAITING_PER_CLIENT)?,
        values.get(&settings::WAITING)?,
    );
    let public_url = values.get(&settings::PUBLIC_URL)?;
    warn_of_guessable_key(&values.get(&settings::GATEWAY_API_KEY)?, &public_url);
    let allowed_origins = values.get(&settings::ALLOWED_ORIGINS)?;
    if let Some(wrong) = allowed_origins.complaint(&public_url) {
        return Err(values.invalid(&settings::ALLOWED_ORIGINS, &wrong).into());
    }
    let logins = Data::new(Logins::new(
        Arc::clone(&store),
        gateway.map_err(ServiceError::client)?,
        limits,
    ));
    let parts = routes::Parts {
        logins,
        watch: Data::from(Arc::clone(&watch)),
        room: Data::new(room),
        cookies: Data::new(Cookies::new(&public_url)),
        own_origin: Arc::new(OwnOrigin::new(&public_url)),
        allowed_origins: Data::new(allowed_origins),
        redirect_uris: Data::new(RedirectUris(public_url)),
        proxies: Data::new(values.get(&settings::TRUSTED_PROXIES)?),
        shutdown: Data::new(shutdown.clone()),
    };
    let public_server = http_server::serve(public, move || routes::app(&parts))?;
    let readiness = readiness(Essentials::new(store));
    let internal_server = {
        let readiness = Arc::clone(&readiness);
        http_server::serve(internal, move || {
            App::new().configure(|config| {
                operations::configure(config, Arc::clone(&readiness), metrics.clone());
            })
        })?
    };

    let mut background = JoinSet::new();
    background.spawn(async move {
        watch.follow().await;
        "following the news of logins"
    });
    lifecycle::announce_when_ready("site", addresses, readiness, shutdown.clone());
    lifecycle::run_until_stopped(vec![public_server, internal_server], background, shutdown).await
}

fn warn_of_guessable_key(key: &SecretString, public_url: &Url) {
    let reach = Reach::of(Some(public_url));
    if let Some(why) = guessable::judge(key.expose_secret(), API_KEY_CHARACTERS, reach) {
        tracing::warn!(
            "gateway.api_key is no good secret: {why} → Set SITE__GATEWAY__API_KEY, and the gateway's \
             GATEWAY__INTERNAL__API_KEY, to the output of openssl rand -hex 32"
        );
    }
}

fn readiness(essentials: Essentials) -> Readiness {
    let essentials = Arc::new(essentials);
    Arc::new(move || {
        let essentials = Arc::clone(&essentials);
        Box::pin(async move {
            let by_redis = essentials.check().await?;
            if by_redis.is_dangerous() {
                // Nothing else tells a site the time.
                let missing = format!(
                    "One of two clocks is wrong: this machine's is {}.",
                    by_redis.words("Redis'")
                );
                return Err((ProblemCode::NotReady, missing));
            }
            Ok(())
        })
    })
}
