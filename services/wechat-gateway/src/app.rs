//! The wiring: settings in, a running gateway out.

use std::sync::Arc;

use actix_web::{
    App,
    web::{Data, ServiceConfig},
};
use login_protocol::{account::AccountName, problem::ProblemCode};
use secrecy::SecretString;
use service_kit::{
    essentials::Essentials,
    http_server,
    lifecycle::{self, ServiceError},
    operations::{self, Readiness, Remarks},
    redis::Store,
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
        envelope::PushSecurity,
        events::{LoginEvents, LoginRules},
        intake::Pushes,
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
    let account_name = AccountName::default();
    let api = Arc::new(Api::new(&account.credentials, &wechat).map_err(ServiceError::client)?);
    let tokens = Arc::new(AccessTokens::new(
        Arc::clone(&api),
        Arc::clone(&store),
        account.credentials.token_mode,
    ));
    let proxies = public.trusted_proxies;
    let senders = Arc::new(Senders::new(wechat.check_callback_ip, proxies.clone()));
    let authorization = Arc::new(WebAuthorization::new(
        Arc::clone(&api),
        Arc::clone(&store),
        wechat.open_url,
    ));
    let logins = Data::new(WebAuthorizationLogin::new(
        account_name.clone(),
        Arc::clone(&authorization),
        Arc::clone(&api),
        Arc::clone(&tokens),
        Arc::clone(&store),
    ));
    let stray_codes = Arc::new(StrayCodes::new(Arc::clone(&authorization)));
    let links = PhoneLinks::new(public.url.clone(), account.profile.ask);
    let browsers = PhoneBrowsers::new(public.url.as_ref(), proxies);
    let events = Arc::new(LoginEvents::new(
        Arc::clone(&api),
        Arc::clone(&tokens),
        Arc::clone(&store),
        Replies::new(account.replies),
        links.clone(),
        LoginRules {
            account: account_name.clone(),
            approval,
            profile: account.profile,
        },
    ));
    let pages = Arc::new(PageAuthorization::new(
        Arc::clone(&authorization),
        Arc::clone(&stray_codes),
        browsers.clone(),
    ));
    let confirmations = Confirmations::new(
        account_name,
        app_id.clone(),
        events.site_name().to_owned(),
        links.clone(),
        Arc::clone(&pages),
        Arc::clone(&authorization),
        Arc::clone(&store),
    );
    let profiles = ShownProfiles::new(
        app_id.clone(),
        links,
        pages,
        Arc::clone(&authorization),
        Arc::clone(&store),
    );
    let pushes = Pushes::new(
        PushSecurity::new(&account.credentials),
        Arc::clone(&senders),
        events,
        Relay::new(account.relay).map_err(ServiceError::client)?,
    );
    let public_parts = PublicParts {
        pushes: Data::new(pushes),
        confirmations: Data::new(confirmations),
        profiles: Data::new(profiles),
        browsers: Data::new(browsers),
        files: Data::new(VerificationFiles(public.verification_files)),
    };
    let budget = CodeBudget::new(app_id.clone(), account.qr_codes, Arc::clone(&store));
    let budget = Data::new(budget);
    let members = Data::new(Members::new(app_id, Arc::clone(&store)));
    let qr_codes = Data::new(QrCodes::new(Arc::clone(&api), Arc::clone(&tokens)));
    let api_key: Data<SecretString> = Data::new(internal.api_key);

    let public_server = http_server::serve(listeners.0, move || {
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
        http_server::serve(listeners.1, move || {
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
        "fetching WeChat's callback IPs"
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
