//! The wiring: settings in, a running gateway out.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{App, dev::Server, web::Data};
use service_kit::{
    clock::Clock,
    essentials::Essentials,
    history::HistoryWriter,
    http_server,
    lifecycle::{self, ServiceError},
    operations,
    redis::Store,
};
use tokio::task::JoinSet;

use crate::{
    accounts::{Accounts, Shared},
    console::Console,
    doctor,
    events::Events,
    member_indexing::MemberIndexing,
    metric_families::FAMILIES,
    phone::browser::PhoneBrowsers,
    readiness::{readiness, remarks},
    routes::{self, compat::WechatServer, verification_file::VerificationFiles},
    settings::{self, GatewaySettings},
    webhooks::Webhooks,
    wechat::clock::WechatClock,
};

/// Runs the gateway until it is stopped.
///
/// # Errors
///
/// When an address can't be bound, a client can't be created, or a part of the service fails.
pub async fn run(settings: GatewaySettings) -> Result<(), ServiceError> {
    let shutdown = lifecycle::shutdown_on_signal()?;
    let metrics = operations::record_metrics(FAMILIES);
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
        webhooks,
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
        webhooks: webhooks.keys().cloned().collect(),
        compat,
        secret: internal.api_keys.current.clone(),
    };
    let accounts = Accounts::new(&accounts, &shared).map_err(ServiceError::Client)?;

    let events = Arc::new(Events::new(
        Arc::clone(&store),
        clock.clone(),
        events,
        shutdown.clone(),
    ));

    let (told, stopping) = (Arc::clone(&events), shutdown.clone());
    let webhooks = Webhooks::new(webhooks, Arc::clone(&store), told, clock.clone(), stopping);
    let webhooks = Arc::new(webhooks.map_err(ServiceError::client)?);

    let files = VerificationFiles(public.verification_files);
    let public_server = serve_public(public_listener, accounts.clone(), browsers, files)?;
    let wechat_server = wechat_server(&accounts, &shared).map(Data::new);
    let history = HistoryWriter::new(&redis_url, clock.clone(), None);
    let indexing = MemberIndexing::new(Arc::clone(&store));
    let history = Arc::new(history.map_err(ServiceError::client)?);
    let console = Console::new(
        examined,
        accounts.clone(),
        Arc::clone(&webhooks),
        &store,
        clock.clone(),
    );
    let readiness = readiness(Essentials::new(store, clock), accounts.clone());
    let internal_server = {
        let remarks = Data::new(remarks(accounts.clone()));
        let (accounts, api_keys) = (Data::new(accounts.clone()), Data::new(internal.api_keys));
        let readiness = Arc::clone(&readiness);
        let wechat_server = wechat_server.clone();
        let events = Data::new(Arc::clone(&events));
        let webhooks = Data::new(Arc::clone(&webhooks));
        let console = Data::new(console);
        http_server::serve_internal(internal_listener, move || {
            App::new()
                .app_data(accounts.clone())
                .app_data(remarks.clone())
                .app_data(events.clone())
                .app_data(webhooks.clone())
                .app_data(console.clone())
                .configure(|config| {
                    operations::configure(config, Arc::clone(&readiness), metrics.clone());
                    routes::configure_internal(config, api_keys.clone());
                    if let Some(server) = &wechat_server {
                        routes::configure_wechat_server(config, server.clone());
                    }
                })
        })?
    };

    let mut background = background(&accounts, events, indexing, &history);
    let delivering = webhooks.keep_delivering(&mut background);
    delivering.map_err(ServiceError::client)?;
    lifecycle::announce_when_ready("wechat-gateway", addresses, readiness, shutdown.clone());
    let servers = vec![public_server, internal_server];
    let ended = lifecycle::run_until_stopped(servers, background, shutdown).await;
    webhooks.ended().await;
    history.finish().await;
    ended
}

/// Serves WeChat and phones.
fn serve_public(
    listener: TcpListener,
    accounts: Accounts,
    browsers: PhoneBrowsers,
    files: VerificationFiles,
) -> io::Result<Server> {
    let (accounts, browsers) = (Data::new(accounts), Data::new(browsers));
    let files = Data::new(files);
    http_server::serve(listener, move || {
        App::new()
            .app_data(accounts.clone())
            .app_data(browsers.clone())
            .app_data(files.clone())
            .configure(routes::configure_public)
    })
}

/// What goes on beside the servers, except webhooks.
fn background(
    accounts: &Accounts,
    events: Arc<Events>,
    indexing: MemberIndexing,
    history: &Arc<HistoryWriter>,
) -> JoinSet<&'static str> {
    let mut background = accounts.keep_going();
    background.spawn(async move {
        events.tend().await;
        "keeping the stream of events in order"
    });
    background.spawn(async move {
        indexing.see_to_it().await;
        "indexing members"
    });
    let noting = Arc::clone(history);
    background.spawn(async move {
        noting.keep_noting().await;
        "writing the hour's figures"
    });
    background
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
