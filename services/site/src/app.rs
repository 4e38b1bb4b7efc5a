//! The wiring: settings in, a running site out.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{App, web::Data};
use login_protocol::{
    account::AccountName,
    problem::ProblemCode,
    site::{self, Realm, Site, SiteId},
};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    api_key::ApiKeys,
    clock::Clock,
    essentials::Essentials,
    guessable::{self, Reach},
    history::{HistoryWriter, Waiting},
    http_server,
    lifecycle::{self, ServiceError},
    operations::{self, Readiness},
    redis::Store,
    settings_parse::API_KEY_CHARACTERS,
};
use tokio::{sync::oneshot, task::JoinSet};
use url::Url;

use crate::{
    account_pictures::AccountPictures,
    cookies::Cookies,
    forward_auth::ForwardAuth,
    gateway_client::GatewayClient,
    login::{LoginLimits, Logins, ProofsOfWork},
    login_page::Branding,
    login_watch::LoginWatch,
    metric_families::FAMILIES,
    oidc::{courier, provider::Provider, signing_keys::SigningKeysError},
    public_url::PublicUrl,
    routes::{
        self,
        internal::{self, InternalApi},
        openapi,
        own_origin::OwnOrigin,
        session_events::SignedInRoom,
    },
    session_watch::SessionWatch,
    sessions::{
        rules::{SessionRules, TicketIssuing},
        store::Sessions,
    },
    settings::{self, GatewaySettings, LimitSettings, LoginSettings, SiteSettings},
    tickets::Tickets,
    waiting_room::{Streams, WaitingRoom},
};

/// Runs the site until it is stopped.
///
/// # Errors
///
/// When an address can't be bound, a client can't be created, or a part of the service fails.
pub async fn run(settings: SiteSettings) -> Result<(), ServiceError> {
    let shutdown = lifecycle::shutdown_on_signal()?;
    let metrics = operations::record_metrics(FAMILIES);
    let SiteSettings {
        public,
        gateway,
        login,
        forward_auth,
        limits,
        page,
        ..
    } = settings;
    let (public_listener, internal_listener, addresses) =
        listeners(public.bind, settings.internal_bind)?;

    let store = Arc::new(Store::new(&settings.redis_url).map_err(ServiceError::client)?);
    warn_of_guessable_key(&gateway.api_key, &public.url);
    let site = Arc::new(site(&public.url, &login));
    let limit = login_limits(&login, limits, &site.realm.site, &gateway.api_key);
    let gateway = client_of(&gateway)?;
    let room = Arc::new(room_for(Streams::Logins, limits));
    let history = Arc::new(history(&settings.redis_url, &room, &login, &public.url)?);
    warn_of_guessable_internal_key(settings.internal_api_keys.as_ref(), &public.url);
    let issuing = issuing(settings.internal_api_keys.as_ref());
    let rules = session_rules(&public.url, &login, issuing);
    let internal_api = internal_api(settings.internal_api_keys, &site, &rules, &store);
    let sessions = sessions(&site, &login, &rules, &store);
    let session_watch = SessionWatch::new(Arc::clone(&sessions), shutdown.clone());
    let session_watch = Arc::new(session_watch);
    let public_url = PublicUrl::new(public.url.clone());
    let provider = Provider::new(
        settings.oidc,
        &site,
        login.session,
        &rules,
        &store,
        &public_url,
        Clock::system(),
    )?;
    let provider = provider.map(|one| Data::new(one.admitting(limits.logins_per_minute)));
    let other_accounts = other_accounts(provider.as_ref());
    let realms = realms(&site.realm, &other_accounts);
    let (watch, hang_ups) =
        LoginWatch::new(realms, Arc::clone(&store), Arc::clone(&session_watch))?;
    let watch = Arc::new(watch);
    let logins = Data::new(Logins::new(
        site,
        other_accounts,
        Arc::clone(&store),
        Arc::clone(&gateway),
        limit,
        rules,
        login.methods,
    ));
    let forward_auth = ForwardAuth::new(forward_auth, PublicUrl::new(public.url.clone()));
    let parts = routes::Parts {
        logins,
        pictures: Data::new(AccountPictures::new(gateway)),
        sessions: Data::from(sessions),
        watch: Data::from(Arc::clone(&watch)),
        room: Data::from(room),
        session_watch: Data::from(session_watch),
        signed_in_room: Data::new(SignedInRoom(Data::new(room_for(Streams::Sessions, limits)))),
        forward_auth: Data::new(forward_auth),
        cookies: Data::new(Cookies::new(&public.url)),
        own_origin: Arc::new(OwnOrigin::new(&public.url)),
        allowed_origins: Data::new(public.allowed_origins),
        front: Data::new(page.front),
        branding: Data::new(branding(page.name.or(login.site_name), page.logo)),
        public_url: Data::new(public_url),
        proxies: Data::new(public.trusted_proxies),
        provider: provider.clone(),
    };
    ready_to_sign(provider.as_ref()).await?;
    let public_server = http_server::serve(public_listener, move || routes::app(&parts))?;
    let readiness = readiness(Essentials::new(store, Clock::system()));
    let asked = Arc::clone(&readiness);
    let internal_server = http_server::serve_internal(internal_listener, move || {
        App::new().configure(|config| {
            operations::configure(config, Arc::clone(&asked), metrics.clone());
            openapi::configure(config);
            if let Some(api) = &internal_api {
                internal::configure(config, api);
            }
        })
    })?;

    let mut background = JoinSet::new();
    look_after_clients(&mut background, provider);
    keep_noting(&mut background, Arc::clone(&history));
    let (attending, attended) = oneshot::channel();
    let streams = watch.attend(hang_ups, shutdown.clone(), attending)?;
    keep_watching(&mut background, watch, attended);
    lifecycle::announce_when_ready("site", addresses, readiness, shutdown.clone());
    let servers = vec![public_server, internal_server];
    let ended = lifecycle::run_until_stopped(servers, background, shutdown).await;
    history.finish().await;
    // Browsers that waited were told of the end, and get a moment to notice.
    let streams = streams.join();
    ended?;
    let crashed = |_| io::Error::other("the thread of the event streams panicked");
    Ok(streams.map_err(crashed)??)
}

/// The site's sessions.
fn sessions(
    site: &Site,
    login: &LoginSettings,
    rules: &SessionRules,
    store: &Arc<Store>,
) -> Arc<Sessions> {
    Arc::new(Sessions::new(
        site.realm.clone(),
        login.session,
        rules.clone(),
        Arc::clone(store),
    ))
}

/// Room for the streams that a process may hold open.
fn room_for(streams: Streams, limits: LimitSettings) -> WaitingRoom {
    WaitingRoom::new(streams, limits.waiting_per_client, limits.waiting)
}

/// What the login page calls itself.
const fn branding(name: Option<String>, logo: Option<String>) -> Branding {
    Branding { name, logo }
}

/// The client of the gateway, and of its pictures.
fn client_of(gateway: &GatewaySettings) -> Result<Arc<GatewayClient>, ServiceError> {
    let client = GatewayClient::new(&gateway.url, &gateway.api_key);
    client.map(Arc::new).map_err(ServiceError::Client)
}

/// The listeners' addresses, by name.
type Addresses = [(&'static str, SocketAddr); 2];

/// The public listener, the internal one, and where they listen.
fn listeners(
    public: SocketAddr,
    internal: SocketAddr,
) -> Result<(TcpListener, TcpListener, Addresses), ServiceError> {
    let public = lifecycle::bind(public, &settings::PUBLIC_BIND)?;
    let internal = lifecycle::bind(internal, &settings::INTERNAL_BIND)?;
    let addresses = [
        ("public", public.local_addr()?),
        ("internal", internal.local_addr()?),
    ];
    Ok((public, internal, addresses))
}

/// What the owner's console is told of this site.
fn history(
    redis_url: &SecretString,
    room: &Arc<WaitingRoom>,
    login: &LoginSettings,
    public_url: &Url,
) -> Result<HistoryWriter, ServiceError> {
    let room = Arc::clone(room);
    let waiting = Waiting {
        site: site::called(login.site_name.as_deref(), public_url),
        count: Box::new(move || room.taken().into()),
    };
    HistoryWriter::new(redis_url, Clock::system(), Some(waiting)).map_err(ServiceError::client)
}

fn keep_noting(background: &mut JoinSet<&'static str>, history: Arc<HistoryWriter>) {
    background.spawn(async move {
        history.keep_noting().await;
        "writing the hour's figures"
    });
}

fn keep_watching(
    background: &mut JoinSet<&'static str>,
    watch: Arc<LoginWatch>,
    attended: oneshot::Receiver<()>,
) {
    background.spawn(async move {
        watch.follow().await;
        "following status changes"
    });
    background.spawn(async move {
        let _ = attended.await;
        "attending to event streams"
    });
}

/// The accounts that clients name beside the site's own.
fn other_accounts(provider: Option<&Data<Provider>>) -> Vec<AccountName> {
    provider.map_or_else(Vec::new, |provider| {
        provider.clients.other_accounts().cloned().collect()
    })
}

/// Where attempts of this site's browsers belong: to its own account, or a client's.
fn realms(own: &Realm, other_accounts: &[AccountName]) -> Vec<Realm> {
    let others = other_accounts.iter().map(|account| Realm {
        site: own.site.clone(),
        account: account.clone(),
    });
    std::iter::once(own.clone()).chain(others).collect()
}

/// What the site says of itself.
fn site(public_url: &Url, login: &LoginSettings) -> Site {
    Site {
        realm: Realm {
            site: SiteId::of(public_url),
            account: login.account.clone(),
        },
        name: login.site_name.clone(),
        approval: login.approval,
        require_following: login.require_following,
        client: None,
    }
}

/// Makes or reads the signing keys. While Redis is away the site starts without, as it does in all
/// else, and looks for them every second.
async fn ready_to_sign(provider: Option<&Data<Provider>>) -> Result<(), ServiceError> {
    let Some(provider) = provider else {
        return Ok(());
    };
    match provider.keys.refresh().await {
        Ok(()) => Ok(()),
        Err(SigningKeysError::Store(error)) => {
            error.log();
            Ok(())
        }
        Err(error) => Err(ServiceError::Background(error.to_string())),
    }
}

fn look_after_clients(background: &mut JoinSet<&'static str>, provider: Option<Data<Provider>>) {
    let Some(provider) = provider else {
        return;
    };
    let keys = Arc::clone(&provider.keys);
    background.spawn(async move {
        let error = keys.keep_fresh().await;
        tracing::error!(%error, "the signing keys can't be used");
        "looking after the signing keys"
    });
    background.spawn(async move {
        courier::keep_telling(provider.into_inner()).await;
        "telling clients of logouts"
    });
}

fn warn_of_guessable_key(key: &SecretString, public_url: &Url) {
    let reach = Reach::of(Some(public_url));
    if let Some(why) = guessable::judge(key.expose_secret(), API_KEY_CHARACTERS, reach) {
        tracing::warn!(
            "gateway.api_key is a weak secret: {why} → Set SITE__GATEWAY__API_KEY, and the gateway's \
             GATEWAY__INTERNAL__API_KEY, to the output of openssl rand -hex 32"
        );
    }
}

fn session_rules(public_url: &Url, login: &LoginSettings, tickets: TicketIssuing) -> SessionRules {
    SessionRules {
        site_name: site::called(login.site_name.as_deref(), public_url).into(),
        require_following: login.require_following,
        end_on_unfollow: login.end_on_unfollow,
        approval: login.approval,
        tickets,
    }
}

fn login_limits(
    login: &LoginSettings,
    limits: LimitSettings,
    site: &SiteId,
    secret: &SecretString,
) -> LoginLimits {
    LoginLimits {
        attempt_lifetime_seconds: login.ttl_seconds,
        session_lifetime: login.session,
        per_minute: limits.logins_per_minute,
        work: ProofsOfWork::new(site, secret, Clock::system(), limits.logins_without_proof),
        web_authorizations: limits.web_authorizations,
    }
}

/// The internal API, where somebody has its key: they redeem tickets.
fn internal_api(
    api_keys: Option<ApiKeys>,
    site: &Site,
    rules: &SessionRules,
    store: &Arc<Store>,
) -> Option<InternalApi> {
    let tickets = || Tickets::new(site.realm.site.clone(), rules.clone(), Arc::clone(store));
    api_keys.map(|api_keys| InternalApi {
        api_keys: Data::new(api_keys),
        tickets: Data::new(tickets()),
    })
}

const fn issuing(api_keys: Option<&ApiKeys>) -> TicketIssuing {
    match api_keys {
        None => TicketIssuing::Off,
        Some(_) => TicketIssuing::On,
    }
}

fn warn_of_guessable_internal_key(keys: Option<&ApiKeys>, public_url: &Url) {
    let reach = Reach::of(Some(public_url));
    if let Some(keys) = keys
        && let Some(why) = guessable::judge(keys.current.expose_secret(), API_KEY_CHARACTERS, reach)
    {
        tracing::warn!(
            "internal.api_key is a weak secret: {why} → Set SITE__INTERNAL__API_KEY, and the key of \
             the backends that redeem tickets, to the output of openssl rand -hex 32"
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
                // A site has no other reference.
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
