//! The wiring: settings in, a running gateway out.

use std::sync::Arc;

use actix_web::{App, web::Data};
use service_kit::{
    clock::Clock,
    essentials::Essentials,
    history::HistoryWriter,
    http_server,
    lifecycle::{self, ServiceError},
    operations,
    redis::Store,
};

use crate::{
    accounts::{Accounts, Shared},
    console::Console,
    doctor,
    events::Events,
    phone::browser::PhoneBrowsers,
    readiness::{readiness, remarks},
    routes::{self, compat::WechatServer, verification_file::VerificationFiles},
    settings::{self, GatewaySettings},
    wechat::clock::WechatClock,
};

/// Runs the gateway until it is stopped.
///
/// # Errors
///
/// When an address can't be bound, a client can't be created, or a part of the service fails.
pub async fn run(settings: GatewaySettings) -> Result<(), ServiceError> {
    let shutdown = lifecycle::shutdown_on_signal()?;
    let metrics = operations::record_metrics();
    let public_listener = lifecycle::bind(settings.public.bind, &settings::PUBLIC_BIND)?;
    let internal_listener = lifecycle::bind(settings.internal.bind, &settings::INTERNAL_BIND)?;
    let addresses = [
        ("public", public_listener.local_addr()?),
        ("internal", internal_listener.local_addr()?),
    ];
    doctor::settings::warn_at_start(&settings);
    let examined = settings.clone();
    let GatewaySettings {
        accounts,
        wechat,
        public,
        internal,
        redis_url,
        approval,
        events,
        compat,
        ..
    } = settings;

    let clock = Clock::system();
    let store = Arc::new(Store::new(&redis_url).map_err(ServiceError::client)?);
    let browsers = PhoneBrowsers::new(public.url.as_ref(), public.trusted_proxies.clone());
    let shared = Shared {
        store: Arc::clone(&store),
        wechat,
        wechat_clock: Arc::new(WechatClock::new(clock.clone())),
        clock: clock.clone(),
        public_url: public.url,
        proxies: public.trusted_proxies,
        browsers: browsers.clone(),
        approval,
        tells: events.keep.is_some(),
        compat,
        secret: internal.api_key.clone(),
    };
    let accounts = Accounts::new(&accounts, &shared).map_err(ServiceError::Client)?;

    let events = Arc::new(Events::new(
        Arc::clone(&store),
        clock.clone(),
        events,
        shutdown.clone(),
    ));

    let public_server = {
        let (accounts, browsers) = (Data::new(accounts.clone()), Data::new(browsers));
        let files = Data::new(VerificationFiles(public.verification_files));
        http_server::serve(public_listener, move || {
            App::new()
                .app_data(accounts.clone())
                .app_data(browsers.clone())
                .app_data(files.clone())
                .configure(routes::configure_public)
        })?
    };
    let wechat_server = wechat_server(&accounts, &shared).map(Data::new);
    let history = HistoryWriter::new(Arc::clone(&store), clock.clone(), None);
    let history = Arc::new(history.map_err(ServiceError::client)?);
    let console = Console::new(examined, accounts.clone(), &store, clock.clone());
    let readiness = readiness(Essentials::new(store, clock), accounts.clone());
    let internal_server = {
        let remarks = Data::new(remarks(accounts.clone()));
        let (accounts, api_key) = (Data::new(accounts.clone()), Data::new(internal.api_key));
        let readiness = Arc::clone(&readiness);
        let wechat_server = wechat_server.clone();
        let events = Data::new(Arc::clone(&events));
        let console = Data::new(console);
        http_server::serve(internal_listener, move || {
            App::new()
                .app_data(accounts.clone())
                .app_data(remarks.clone())
                .app_data(events.clone())
                .app_data(console.clone())
                .configure(|config| {
                    operations::configure(config, Arc::clone(&readiness), metrics.clone());
                    routes::configure_internal(config, api_key.clone());
                    if let Some(server) = &wechat_server {
                        routes::configure_wechat_server(config, server.clone());
                    }
                })
        })?
    };

    let mut background = accounts.keep_going();
    background.spawn(async move {
        events.tend().await;
        "keeping the stream of events in order"
    });
    let noting = Arc::clone(&history);
    background.spawn(async move {
        noting.keep_noting().await;
        "writing the hour's figures"
    });
    lifecycle::announce_when_ready("wechat-gateway", addresses, readiness, shutdown.clone());
    let servers = vec![public_server, internal_server];
    let ended = lifecycle::run_until_stopped(servers, background, shutdown).await;
    history.finish().await;
    ended
}

/// The door for software that knows wechat-server, if it is open.
fn wechat_server(accounts: &Accounts, shared: &Shared) -> Option<WechatServer> {
    let settings = shared.compat.as_ref()?;
    let account = accounts.named(&settings.account)?;
    Some(WechatServer {
        token: settings.token.clone(),
        codes: Arc::clone(account.compat_codes.as_ref()?),
        account: Arc::clone(account),
        clock: shared.clock.clone(),
    })
}
