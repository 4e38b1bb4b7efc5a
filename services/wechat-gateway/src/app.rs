//! The wiring: settings in, a running gateway out.

use std::sync::Arc;

use actix_web::{
    App,
    web::{Data, ServiceConfig},
};
use login_protocol::problem::ProblemCode;
use secrecy::SecretString;
use service_kit::{
    essentials::Essentials,
    http_server,
    lifecycle::{self, ServiceError},
    operations::{self, Readiness, Remarks},
    redis::{REDIS_URL, Store},
    settings::{InvalidSettings, Settings},
};
use tokio::task::JoinSet;

use crate::{
    doctor,
    members::Members,
    phone::{
        browser::PhoneBrowsers, confirmation::Confirmations, links::PhoneLinks,
        page_authorization::PageAuthorization, profile::ShownProfiles,
        web_authorization_login::WebAuthorizationLogin,
    },
    push::{
        envelope::PushSecurity, events::LoginEvents, intake::Pushes, relay::Relay, senders::Senders,
    },
    routes::{self, verification_file::VerificationFiles},
    settings,
    wechat::{
        access_tokens::AccessTokens, api::Api, code_budget::CodeBudget, qr_codes::QrCodes,
        stray_codes::StrayCodes, web_authorization::WebAuthorization,
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
    let senders = Arc::new(Senders::new(&values)?);
    let authorization = Arc::new(WebAuthorization::new(
        Arc::clone(&api),
        Arc::clone(&store),
        values.get(&settings::OPEN_URL)?,
    ));
    let logins = Data::new(WebAuthorizationLogin::new(
        Arc::clone(&authorization),
        Arc::clone(&api),
        Arc::clone(&tokens),
        Arc::clone(&store),
    ));
    let stray_codes = Arc::new(StrayCodes::new(Arc::clone(&authorization)));
    let public_parts = PublicParts::new(
        &values,
        &api,
        &tokens,
        &store,
        &senders,
        &authorization,
        &stray_codes,
    )?;
    let members = Data::new(Members::new(app_id, Arc::clone(&store)));
    let budget = Data::new(CodeBudget::new(&values, Arc::clone(&store))?);
    let qr_codes = Data::new(QrCodes::new(Arc::clone(&api), Arc::clone(&tokens)));
    let api_key: Data<SecretString> = Data::new(values.get(&settings::API_KEY)?);

    let public_server = http_server::serve(public, move || {
        App::new().configure(|config| public_parts.configure(config))
    })?;
    let readiness = readiness(
        Essentials::new(Arc::clone(&store)),
        Arc::clone(&tokens),
        Arc::clone(&api),
    );
    let remarks = Data::new(remarks(budget.clone().into_inner()));
    let shown = budget.clone();
    let internal_server = {
        let (tokens, stray_codes, readiness) = (
            Data::from(Arc::clone(&tokens)),
            Data::from(stray_codes),
            readiness.clone(),
        );
        http_server::serve(internal, move || {
            App::new()
                .app_data(qr_codes.clone())
                .app_data(budget.clone())
                .app_data(logins.clone())
                .app_data(stray_codes.clone())
                .app_data(tokens.clone())
                .app_data(members.clone())
                .app_data(remarks.clone())
                .configure(|config| {
                    operations::configure(config, Arc::clone(&readiness), metrics.clone());
                    routes::configure_internal(config, api_key.clone());
                })
        })?
    };

    let background = background(api, tokens, senders, shown);
    doctor::settings::warn_at_start(&values)?;
    lifecycle::announce_when_ready("wechat-gateway", addresses, readiness, shutdown.clone());
    lifecycle::run_until_stopped(vec![public_server, internal_server], background, shutdown).await
}

/// What goes on beside the requests.
fn background(
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    senders: Arc<Senders>,
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
struct PublicParts {
    pushes: Data<Pushes>,
    confirmations: Data<Confirmations>,
    profiles: Data<ShownProfiles>,
    browsers: Data<PhoneBrowsers>,
    files: Data<VerificationFiles>,
}

impl PublicParts {
    fn new(
        values: &Settings,
        api: &Arc<Api>,
        tokens: &Arc<AccessTokens>,
        store: &Arc<Store>,
        senders: &Arc<Senders>,
        authorization: &Arc<WebAuthorization>,
        stray_codes: &Arc<StrayCodes>,
    ) -> Result<Self, InvalidSettings> {
        let app_id = api.app_id();
        let links = PhoneLinks::new(values)?;
        let browsers = PhoneBrowsers::new(values)?;
        let events = Arc::new(LoginEvents::new(
            values,
            Arc::clone(api),
            Arc::clone(tokens),
            Arc::clone(store),
        )?);
        let pages = Arc::new(PageAuthorization::new(
            Arc::clone(authorization),
            Arc::clone(stray_codes),
            browsers.clone(),
        ));
        let confirmations = Confirmations::new(
            app_id.clone(),
            events.site_name().to_owned(),
            links.clone(),
            Arc::clone(&pages),
            Arc::clone(authorization),
            Arc::clone(store),
        );
        let profiles = ShownProfiles::new(
            app_id.clone(),
            links,
            pages,
            Arc::clone(authorization),
            Arc::clone(store),
        );
        let pushes = Pushes::new(
            PushSecurity::new(values)?,
            Arc::clone(senders),
            events,
            Relay::new(values)?,
        );
        let files = values.optional(&settings::VERIFICATION_FILES)?;
        Ok(Self {
            pushes: Data::new(pushes),
            confirmations: Data::new(confirmations),
            profiles: Data::new(profiles),
            browsers: Data::new(browsers),
            files: Data::new(VerificationFiles(files.unwrap_or_default())),
        })
    }

    fn configure(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.pushes.clone())
            .app_data(self.confirmations.clone())
            .app_data(self.profiles.clone())
            .app_data(self.browsers.clone())
            .app_data(self.files.clone());
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
