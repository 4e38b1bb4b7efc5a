//! The wiring: settings in, a running gateway out.

use std::sync::Arc;

use actix_web::{
    App,
    web::{Data, ServiceConfig},
};
use login_protocol::{identity::AppId, problem::ProblemCode};
use secrecy::SecretString;
use service_kit::{
    client_address::TrustedProxies,
    essentials::Essentials,
    http_server,
    lifecycle::{self, ServiceError},
    operations::{self, Readiness, Remarks},
    redis::Store,
};
use tokio::task::JoinSet;

use crate::{
    doctor,
    phone::{
        browser::PhoneBrowsers, consent_trip::ConsentTrips, links::PhoneLinks, web_login::WebLogin,
    },
    push::{
        envelope::PushSecurity,
        events::{LoginEvents, LoginRules},
        relay::Relay,
        replies::Replies,
        senders::Senders,
    },
    routes::{self, verification_file::VerificationFiles},
    settings::{self, GatewaySettings},
    wechat::{
        access_tokens::AccessTokens, api::Api, code_budget::CodeBudget, qr_codes::QrCodes,
        stray_codes::StrayCodes, web_authorization::WebAuthorization,
    },
};

/// Runs the gateway until it is told to stop.
///
/// # Errors
///
/// When an address can't be had, a client can't be made, or a part of the service fails.
#[expect(clippy::too_many_lines, reason = "TEMPORARY")]
pub async fn run(settings: GatewaySettings) -> Result<(), ServiceError> {
    doctor::settings::warn_at_start(&settings);
    let shutdown = lifecycle::shutdown_on_signal()?;
    let metrics = operations::record_metrics();
    let GatewaySettings {
        accounts,
        wechat,
        public,
        internal,
        redis_url,
        approval,
        ..
    } = settings;
    let listeners = (
        lifecycle::bind(public.bind, &settings::PUBLIC_BIND)?,
        lifecycle::bind(internal.bind, &settings::INTERNAL_BIND)?,
    );
    let addresses = [
        ("public", listeners.0.local_addr()?),
        ("internal", listeners.1.local_addr()?),
    ];

    let store = Arc::new(Store::new(&redis_url).map_err(ServiceError::client)?);
    let account = accounts
        .default
        .or_else(|| accounts.named.into_values().next());
    let account = account.ok_or_else(|| ServiceError::Background("no account".to_owned()))?;
    let app_id = account.credentials.app_id.clone();
    let api = Arc::new(Api::new(&account.credentials, &wechat).map_err(ServiceError::client)?);
    let tokens = Arc::new(AccessTokens::new(
        Arc::clone(&api),
        Arc::clone(&store),
        account.credentials.token_mode,
    ));
    let proxies = public.trusted_proxies;
    let senders = Data::new(Senders::new(wechat.check_callback_ip, proxies.clone()));
    let authorization = Arc::new(WebAuthorization::new(
        Arc::clone(&api),
        Arc::clone(&store),
        wechat.open_url,
    ));
    let web_login = Data::new(WebLogin::new(
        Arc::clone(&authorization),
        Arc::clone(&api),
        Arc::clone(&tokens),
        Arc::clone(&store),
    ));
    let stray_codes = Arc::new(StrayCodes::new(Arc::clone(&authorization)));
    let trips = ConsentTrips::new(
        Arc::clone(&authorization),
        Arc::clone(&stray_codes),
        PhoneBrowsers::new(public.url.as_ref()),
        proxies.clone(),
    );
    let links = PhoneLinks::new(public.url, account.profile.ask);
    let phone = Phone {
        security: Data::new(PushSecurity::new(&account.credentials)),
        senders: senders.clone(),
        events: Data::new(LoginEvents::new(
            Arc::clone(&api),
            Arc::clone(&tokens),
            Arc::clone(&store),
            Replies::new(account.replies),
            links.clone(),
            LoginRules {
                approval,
                profile: account.profile,
            },
        )),
        relay: Data::new(Relay::new(account.relay).map_err(ServiceError::client)?),
        links: Data::new(links),
        trips: Data::new(trips),
        authorization: Data::from(authorization),
        proxies: Data::new(proxies),
        files: Data::new(VerificationFiles(public.verification_files)),
        app_id: Data::new(app_id.clone()),
        store: Data::from(Arc::clone(&store)),
    };
    let budget = CodeBudget::new(app_id.clone(), account.qr_codes, Arc::clone(&store));
    let budget = Data::new(budget);
    let qr_codes = Data::new(QrCodes::new(Arc::clone(&api), Arc::clone(&tokens)));
    let api_key: Data<SecretString> = Data::new(internal.api_key);

    let public_server = http_server::serve(listeners.0, move || {
        App::new().configure(|config| phone.configure(config))
    })?;
    let readiness = readiness(
        Essentials::new(Arc::clone(&store)),
        Arc::clone(&tokens),
        Arc::clone(&api),
    );
    let remarks = Data::new(remarks(budget.clone().into_inner()));
    let shown = budget.clone();
    let internal_server = {
        let (store, tokens, stray_codes, readiness) = (
            Data::from(Arc::clone(&store)),
            Data::from(Arc::clone(&tokens)),
            Data::from(stray_codes),
            readiness.clone(),
        );
        http_server::serve(listeners.1, move || {
            App::new()
                .app_data(qr_codes.clone())
                .app_data(budget.clone())
                .app_data(web_login.clone())
                .app_data(stray_codes.clone())
                .app_data(tokens.clone())
                .app_data(store.clone())
                .app_data(Data::new(app_id.clone()))
                .app_data(remarks.clone())
                .configure(|config| {
                    operations::configure(config, Arc::clone(&readiness), metrics.clone());
                    routes::configure_internal(config, api_key.clone());
                })
        })?
    };

    let background = background(api, tokens, senders, shown);
    lifecycle::announce_when_ready("wechat-gateway", addresses, readiness, shutdown.clone());
    lifecycle::run_until_stopped(vec![public_server, internal_server], background, shutdown).await
}

/// What goes on beside the requests.
fn background(
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    senders: Data<Senders>,
    budget: Data<CodeBudget>,
) -> JoinSet<&'static str> {
    let mut background = JoinSet::new();
    let asker = Arc::clone(&tokens);
    background.spawn(async move {
        senders.keep_current(&api, &asker).await;
        "fetching WeChat's callback addresses"
    });
    background.spawn(async move {
        budget.keep_shown().await;
        "showing how many of the day's QR codes are left"
    });
    background.spawn(async move {
        tokens.keep_fresh().await;
        "refreshing the access token"
    });
    background
}

/// What the public listener's handlers work with.
#[derive(Clone)]
struct Phone {
    security: Data<PushSecurity>,
    senders: Data<Senders>,
    events: Data<LoginEvents>,
    relay: Data<Option<Relay>>,
    links: Data<PhoneLinks>,
    trips: Data<ConsentTrips>,
    authorization: Data<WebAuthorization>,
    proxies: Data<TrustedProxies>,
    files: Data<VerificationFiles>,
    app_id: Data<AppId>,
    store: Data<Store>,
}

impl Phone {
    fn configure(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.security.clone())
            .app_data(self.senders.clone())
            .app_data(self.events.clone())
            .app_data(self.relay.clone())
            .app_data(self.links.clone())
            .app_data(self.trips.clone())
            .app_data(self.authorization.clone())
            .app_data(self.proxies.clone())
            .app_data(self.files.clone())
            .app_data(self.app_id.clone())
            .app_data(self.store.clone());
        routes::configure_public(config);
    }
}

/// What `/readyz` says beside "ready". Without a code left the service can still log in: scans of the codes that are
/// shown, and browsers inside WeChat.
fn remarks(budget: Arc<CodeBudget>) -> Remarks {
    Arc::new(move || {
        let budget = Arc::clone(&budget);
        Box::pin(async move { budget.remark().await })
    })
}

fn readiness(essentials: Essentials, tokens: Arc<AccessTokens>, api: Arc<Api>) -> Readiness {
    let essentials = Arc::new(essentials);
    Arc::new(move || {
        let essentials = Arc::clone(&essentials);
        let (tokens, api) = (Arc::clone(&tokens), Arc::clone(&api));
        Box::pin(async move {
            let by_redis = essentials.check().await?;
            tokens
                .held()
                .map_err(|missing| (ProblemCode::WechatUnavailable, missing))?;
            api.clock_complaint(by_redis)
                .map_or(Ok(()), |wrong| Err((ProblemCode::NotReady, wrong)))
        })
    })
}
