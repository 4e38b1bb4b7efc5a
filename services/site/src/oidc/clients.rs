//! The clients, as the settings name them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use login_protocol::{
    account::AccountName,
    attempt::Approval,
    site::{Realm, Site},
    steps::SessionLifetime,
};
use secrecy::ExposeSecret as _;
use service_kit::{http_calls::HttpCalls, redis::Store};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use url::Url;

use crate::{
    login_methods::LoginMethods,
    sessions::{
        rules::{SessionRules, TicketIssuing},
        store::Sessions,
    },
    settings::oidc::{ClientName, ClientSettings, SigningAlgorithm, SubjectType},
};

/// How long a client may take to take note of a logout.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of the provider.
pub struct Client {
    /// Its name in the settings.
    pub name: ClientName,
    /// Its `client_id`.
    pub id: String,
    /// What the visitor reads.
    pub display_name: String,
    secret_sha256: Option<[u8; 32]>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) post_logout_redirect_uris: Vec<String>,
    pub(super) backchannel: Option<Backchannel>,
    pub(super) email_domain: Option<String>,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) subject_type: SubjectType,
    /// What its visitors' attempts say of it.
    pub site: Arc<Site>,
    /// How its visitors log in; the site's own way where it isn't set.
    pub methods: Option<LoginMethods>,
    /// The sessions that are good for it: those of its account.
    pub(super) sessions: Arc<Sessions>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Client({})", self.name)
    }
}

/// Where a client hears of logouts.
pub(super) struct Backchannel {
    pub(super) calls: HttpCalls,
    /// Its path and query.
    pub(super) path: String,
    /// How many logouts it is being told of.
    pub(super) told_now: AtomicUsize,
}

/// A client can't be prepared: the system's certificates can't be read.
type Unprepared = Box<dyn std::error::Error + Send + Sync>;

impl Client {
    fn new(
        name: ClientName,
        settings: ClientSettings,
        site: &Site,
        sessions: Arc<Sessions>,
    ) -> Result<Self, Unprepared> {
        let display_name = settings
            .site_name
            .clone()
            .unwrap_or_else(|| settings.id.clone());
        let secret_sha256 = settings
            .secret
            .as_ref()
            .map(|secret| Sha256::digest(secret.expose_secret()).into());
        let backchannel = settings
            .backchannel_logout_uri
            .as_ref()
            .map(|uri| {
                let mut server = uri.clone();
                server.set_path("");
                server.set_query(None);
                let query = uri.query().map(|query| format!("?{query}"));
                Ok::<_, Unprepared>(Backchannel {
                    calls: HttpCalls::new(&server, None, LOGOUT_TIMEOUT)?,
                    path: format!("{}{}", uri.path(), query.unwrap_or_default()),
                    told_now: AtomicUsize::new(0),
                })
            })
            .transpose()?;
        let site = Site {
            realm: realm(site, &settings),
            name: Some(display_name.clone()),
            approval: settings.approval.or(site.approval),
            require_following: settings.require_following.unwrap_or(site.require_following),
            client: Some(name.as_str().to_owned()),
        };
        Ok(Self {
            name,
            id: settings.id,
            display_name,
            secret_sha256,
            redirect_uris: settings.redirect_uris,
            post_logout_redirect_uris: settings.post_logout_redirect_uris,
            backchannel,
            email_domain: settings.email_domain,
            algorithm: settings.id_token_algorithm,
            subject_type: settings.subject_type,
            site: Arc::new(site),
            methods: settings.method,
            sessions,
        })
    }

    /// Whether it has no secret: it runs where nothing can be kept secret.
    pub(super) const fn is_public(&self) -> bool {
        self.secret_sha256.is_none()
    }

    /// Whether one of these is its secret; in a time that tells nothing of it.
    pub(super) fn has_one_of(&self, secrets: &[String]) -> bool {
        let Some(own) = self.secret_sha256 else {
            return false;
        };
        let none = Choice::from(0);
        let found = secrets.iter().fold(none, |found, secret| {
            let given: [u8; 32] = Sha256::digest(secret).into();
            found | own.ct_eq(&given)
        });
        found.into()
    }

    /// Whether its visitors have to follow the account.
    pub(super) fn requires_following(&self) -> bool {
        self.site.require_following
    }
}

fn realm(site: &Site, settings: &ClientSettings) -> Realm {
    let account = settings.account.clone();
    Realm {
        site: site.realm.site.clone(),
        account: account.unwrap_or_else(|| site.realm.account.clone()),
    }
}

/// All clients.
pub struct Clients {
    by_id: HashMap<String, Arc<Client>>,
    by_name: HashMap<String, Arc<Client>>,
    /// The origins of public clients' pages.
    origins: HashSet<String>,
    /// Those of each account that isn't the site's own.
    other_sessions: BTreeMap<AccountName, Arc<Sessions>>,
}

impl Clients {
    pub(super) fn new(
        settings: impl IntoIterator<Item = (ClientName, ClientSettings)>,
        site: &Site,
        lifetime: SessionLifetime,
        rules: &SessionRules,
        store: &Arc<Store>,
    ) -> Result<Self, Unprepared> {
        let rules = SessionRules {
            // Each client has a rule of its own.
            require_following: false,
            // A ticket is the site's own, and handed out elsewhere.
            tickets: TicketIssuing::Off,
            approval: Some(Approval::Scan),
            ..rules.clone()
        };
        let mut clients = Self {
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            origins: HashSet::new(),
            other_sessions: BTreeMap::new(),
        };
        for (name, settings) in settings {
            let realm_of = realm(site, &settings);
            let sessions = |rules| {
                let store = Arc::clone(store);
                Arc::new(Sessions::new(realm_of.clone(), lifetime, rules, store))
            };
            let account = realm_of.account.clone();
            if account != site.realm.account {
                clients
                    .other_sessions
                    .insert(account, sessions(rules.clone()));
            }
            let requires_following = settings.require_following.unwrap_or(site.require_following);
            let sessions = sessions(SessionRules {
                // Grants end with an unfollow, also of somebody who follows again: they log in anew.
                end_on_unfollow: rules.end_on_unfollow || requires_following,
                ..rules.clone()
            });
            let client = Arc::new(Client::new(name, settings, site, sessions)?);
            if client.is_public() {
                let origins = client.redirect_uris.iter().filter_map(|uri| {
                    let origin = Url::parse(uri).ok()?.origin();
                    origin.is_tuple().then(|| origin.ascii_serialization())
                });
                clients.origins.extend(origins);
            }
            let name = client.name.as_str().to_owned();
            clients.by_name.insert(name, Arc::clone(&client));
            clients.by_id.insert(client.id.clone(), client);
        }
        Ok(clients)
    }

    /// The client with this `client_id`.
    pub(super) fn with_id(&self, id: &str) -> Option<&Arc<Client>> {
        self.by_id.get(id)
    }

    /// The client of this name in the settings.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<Client>> {
        self.by_name.get(name)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.by_name.values()
    }

    /// The accounts that aren't the site's own.
    pub fn other_accounts(&self) -> impl Iterator<Item = &AccountName> {
        self.other_sessions.keys()
    }

    /// The sessions of each account that isn't the site's own.
    pub(super) fn other_sessions(&self) -> impl Iterator<Item = &Arc<Sessions>> {
        self.other_sessions.values()
    }

    /// Whether this is the origin of a public client's page.
    pub(super) fn have_origin(&self, origin: &str) -> bool {
        self.origins.contains(origin)
    }
}
