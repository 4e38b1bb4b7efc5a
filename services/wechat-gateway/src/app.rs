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
    http_server,
    lifecycle::{self, ServiceError},
    operations::{self, Readiness},
    redis::{REDIS_URL, Store},
    settings::Settings,
};
use tokio::task::JoinSet;

use crate::{
    doctor,
    phone::{links::PhoneLinks, web_login::WebLogin},
    push::{envelope::PushSecurity, events::LoginEvents, relay::Relay, senders::Senders},
    routes::{self, verification_file::VerificationFiles},
    settings,
    wechat::{
        access_tokens::AccessTokens, api::Api, code_budget::CodeBudget, qr_codes::QrCodes,
        web_authorization::WebAuthorization,
    },
};

/// Runs the gateway until it is told to stop.
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
    let app_id = values.get(&settings::APP_ID)?;
    let api = Api::new(
        app_id.clone(),
        values.get(&settings::APP_SECRET)?,
        values.get(&settings::API_URL)?,
        values.get(&settings::MP_URL)?,
        values.optional(&settings::PROXY_URL)?.as_ref(),
    );
    let api = Arc::new(api.map_err(ServiceError::client)?);
    let tokens = Arc::new(AccessTokens::new(
        Arc::clone(&api),
        Arc::clone(&store),
        values.get(&settings::TOKEN_MODE)?,
    ));
    let senders = Data::new(Senders::new(&values)?);
    let authorization = Arc::new(WebAuthorization::new(
        Arc::clone(&api),
        Arc::clone(&store),
        values.get(&settings::OPEN_URL)?,
    ));
    let web_login = Data::new(WebLogin::new(
        Arc::clone(&authorization),
        Arc::clone(&api),
        Arc::clone(&tokens),
        Arc::clone(&store),
    ));
    let phone = Phone {
        security: Data::new(PushSecurity::new(&values)?),
        senders: senders.clone(),
        events: Data::new(LoginEvents::new(
            &values,
            Arc::clone(&api),
            Arc::clone(&tokens),
            Arc::clone(&store),
        )?),
        relay: Data::new(Relay::new(&values)?),
        links: Data::new(PhoneLinks::new(&values)?),
        authorization: Data::from(authorization),
        proxies: Data::new(values.get(&settings::TRUSTED_PROXIES)?),
        files: Data::new(VerificationFiles(
            values
                .optional(&settings::VERIFICATION_FILES)?
                .unwrap_or_default(),
        )),
        app_id: Data::new(app_id.clone()),
        store: Data::from(Arc::clone(&store)),
    };
    let budget = Data::new(CodeBudget::new(&values, Arc::clone(&store))?);
    let qr_codes = Data::new(QrCodes::new(Arc::clone(&api), Arc::clone(&tokens)));
    let api_key: Data<SecretString> = Data::new(values.get(&settings::API_KEY)?);

    let public_server = http_server::serve(public, move || {
        App::new().configure(|config| phone.configure(config))
    })?;
    let readiness = readiness(Arc::clone(&store), Arc::clone(&tokens));
    let internal_server = {
        let (store, tokens, readiness) = (
            Data::from(Arc::clone(&store)),
            Data::from(Arc::clone(&tokens)),
            readiness.clone(),
        );
        http_server::serve(internal, move || {
            App::new()
                .app_data(qr_codes.clone())
                .app_data(budget.clone())
                .app_data(web_login.clone())
                .app_data(tokens.clone())
                .app_data(store.clone())
                .app_data(Data::new(app_id.clone()))
                .configure(|config| {
                    operations::configure(config, Arc::clone(&readiness), metrics.clone());
                    routes::configure_internal(config, api_key.clone());
                })
        })?
    };

    let mut background = JoinSet::new();
    let asker = Arc::clone(&tokens);
    background.spawn(async move {
        senders.keep_current(&api, &asker).await;
        "fetching WeChat's callback addresses"
    });
    background.spawn(async move {
        tokens.keep_fresh().await;
        "refreshing the access token"
    });
    doctor::settings::warn_at_start(&values)?;
    lifecycle::announce_when_ready("wechat-gateway", addresses, readiness, shutdown.clone());
    lifecycle::run_until_stopped(vec![public_server, internal_server], background, shutdown).await
}

/// What the public listener's handlers work with.
#[derive(Clone)]
struct Phone {
    security: Data<PushSecurity>,
    senders: Data<Senders>,
    events: Data<LoginEvents>,
    relay: Data<Option<Relay>>,
    links: Data<PhoneLinks>,
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
            .app_data(self.authorization.clone())
            .app_data(self.proxies.clone())
            .app_data(self.files.clone())
            .app_data(self.app_id.clone())
            .app_data(self.store.clone());
        routes::configure_public(config);
    }
}

fn readiness(store: Arc<Store>, tokens: Arc<AccessTokens>) -> Readiness {
    Arc::new(move || {
        let (store, tokens) = (Arc::clone(&store), Arc::clone(&tokens));
        Box::pin(async move {
            store
                .ping()
                .await
                .map_err(|error| (ProblemCode::StoreUnavailable, error.to_string()))?;
            tokens
                .held()
                .map_err(|missing| (ProblemCode::WechatUnavailable, missing))
        })
    })
}
