//! A whole system: Redis, the simulator, a gateway and a site, or several of each.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

pub use harness::{
    account::{API_KEY, APP_ID, APP_SECRET, ENCODING_AES_KEY, TOKEN},
    service::Service,
};
use harness::{ports, process::Recipe, services};
use serde_json::{Value, json};

use crate::{
    binaries, deadline::PATIENCE, log_folder, redis_server::RedisServer, simulator::Simulator,
    visitor::Visitor,
};

/// What WeChat's console shows of a made-up account with a name.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The AppID.
    pub app_id: String,
    /// The AppSecret.
    pub app_secret: String,
    /// The callback token.
    pub token: String,
    /// The EncodingAESKey.
    pub encoding_aes_key: String,
}

impl Credentials {
    /// Those of the account of this name.
    pub fn of(name: &str) -> Self {
        Self {
            app_id: format!("wx00000000{name:0>8}"),
            app_secret: format!("{name:x>32}"),
            token: format!("token{name:x>16}"),
            // Its last character stands for four bits.
            encoding_aes_key: format!("{name:x>42}0"),
        }
    }
}

/// A running system.
pub struct Stack {
    /// Where everything logs.
    pub log: PathBuf,
    /// The store.
    pub redis: RedisServer,
    /// WeChat.
    pub wechat: Simulator,
    /// The gateways; the first one gets WeChat's pushes.
    pub gateways: Vec<Service>,
    /// The sites.
    pub sites: Vec<Service>,
    /// How they were started, to start more.
    pub plan: Plan,
}

/// What to start. Begin with [`Plan::default`].
#[derive(Debug, Clone)]
pub struct Plan {
    gateways: usize,
    sites: usize,
    encrypted: bool,
    gateway: BTreeMap<String, String>,
    site: BTreeMap<String, String>,
    simulator: BTreeMap<String, String>,
    accounts: Vec<String>,
    binaries: Option<PathBuf>,
}

impl Default for Plan {
    /// One of each, in safe mode.
    fn default() -> Self {
        Self {
            gateways: 1,
            sites: 1,
            encrypted: true,
            gateway: BTreeMap::new(),
            site: BTreeMap::new(),
            simulator: BTreeMap::new(),
            accounts: Vec::new(),
            binaries: None,
        }
    }
}

impl Plan {
    /// This many gateways.
    #[must_use]
    pub fn gateways(mut self, count: usize) -> Self {
        self.gateways = count;
        self
    }

    /// This many sites.
    #[must_use]
    pub fn sites(mut self, count: usize) -> Self {
        self.sites = count;
        self
    }

    /// No EncodingAESKey: pushes come in plain mode.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.encrypted = false;
        self
    }

    /// Another setting for the gateways, such as `GATEWAY__LOG__LEVEL`.
    #[must_use]
    pub fn gateway(mut self, key: &str, value: &str) -> Self {
        self.gateway.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Another setting for the sites.
    #[must_use]
    pub fn site(mut self, key: &str, value: &str) -> Self {
        self.site.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Both services use the Redis at this address, and not the one that is started for them.
    #[must_use]
    pub fn redis(self, url: &str) -> Self {
        self.gateway("GATEWAY__REDIS__URL", url)
            .site("SITE__REDIS__URL", url)
    }

    /// Another setting for the simulator.
    #[must_use]
    pub fn simulator(mut self, key: &str, value: &str) -> Self {
        self.simulator.insert(key.to_owned(), value.to_owned());
        self
    }

    /// One more account, in safe mode, with credentials of its own ([`Credentials::of`]).
    #[must_use]
    pub fn account(mut self, name: &str) -> Self {
        let own = Credentials::of(name);
        for (key, value) in [
            ("APP_ID", &own.app_id),
            ("APP_SECRET", &own.app_secret),
            ("TOKEN", &own.token),
            ("ENCODING_AES_KEY", &own.encoding_aes_key),
        ] {
            let rest = format!("ACCOUNT__{}__{key}", name.to_uppercase());
            self = self
                .gateway(&format!("GATEWAY__{rest}"), value)
                .simulator(&format!("SIMULATOR__{rest}"), value);
        }
        self = self.simulator(
            &format!(
                "SIMULATOR__ACCOUNT__{}__PROFILE_IN_USER_INFO",
                name.to_uppercase()
            ),
            "true",
        );
        self.accounts.push(name.to_owned());
        self
    }

    /// Gateways and sites of another version, from this folder.
    #[must_use]
    pub fn binaries(mut self, folder: &Path) -> Self {
        self.binaries = Some(folder.to_owned());
        self
    }

    fn service(&self, name: &str) -> PathBuf {
        let folder = self.binaries.as_ref();
        folder.map_or_else(|| binaries::path(name), |folder| folder.join(name))
    }

    /// Starts everything and waits until it is ready.
    pub async fn start(self) -> Stack {
        let log = log_folder::create();
        let mut secrets = [APP_SECRET, TOKEN, ENCODING_AES_KEY, API_KEY].join("\n");
        for name in &self.accounts {
            let own = Credentials::of(name);
            for secret in [own.app_secret, own.token, own.encoding_aes_key] {
                secrets = format!("{secrets}\n{secret}");
            }
        }
        fs::write(log.join("forbidden.txt"), secrets).expect("the log folder can be written");
        let redis = RedisServer::start(&log).await;
        let wechat = self.start_simulator(&log).await;
        let mut stack = Stack {
            log,
            redis,
            wechat,
            gateways: Vec::new(),
            sites: Vec::new(),
            plan: self,
        };
        for _ in 0..stack.plan.gateways {
            stack.add_gateway().await;
        }
        stack.push_to(0).await;
        for _ in 0..stack.plan.sites {
            stack.add_site().await;
        }
        stack
    }

    async fn start_simulator(&self, log: &Path) -> Simulator {
        let mut recipe = Recipe::new("simulator", binaries::path("wechat-simulator"), log);
        recipe.ready = services::SIMULATOR_READY;
        recipe.environment = services::simulator(ports::ANY);
        recipe
            .environment
            .extend(services::account("SIMULATOR", self.encrypted));
        // Most tests want a nickname and not its journey; those of web authorisation say otherwise.
        recipe.environment.extend(services::environment([(
            "SIMULATOR__WECHAT__PROFILE_IN_USER_INFO",
            "true",
        )]));
        recipe.environment.extend(self.simulator.clone());
        started(Simulator::start(recipe).await)
    }
}

/// What can't be started ends the test, in the words of whoever tried.
fn started<T>(outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|failure| panic!("{failure}"))
}

impl Stack {
    /// Stops the services, and returns all that they logged. Before their end some of it may not be
    /// read yet.
    pub async fn logs_to_the_end(&mut self) -> String {
        let mut logs = String::new();
        for service in self.sites.iter_mut().chain(&mut self.gateways) {
            service.process.stop().await;
            logs += &service.process.said().await;
            logs.push('\n');
        }
        logs
    }

    /// The environment of a gateway of this system.
    pub fn gateway_environment(&self) -> Vec<(String, String)> {
        let mut environment = services::gateway(ports::ANY, ports::ANY, &self.redis.url());
        environment.extend(services::account("GATEWAY", self.plan.encrypted));
        environment.extend(services::wechat_at(self.wechat.url()));
        environment.extend(self.plan.gateway.clone());
        environment.into_iter().collect()
    }

    /// The environment of a site of this system.
    pub fn site_environment(&self) -> Vec<(String, String)> {
        let gateway = self.gateways.first();
        let gateway = gateway.map_or("http://127.0.0.1:1", |gateway| &gateway.internal);
        let any = [ports::ANY; 2];
        // The port isn't known yet; pages are ours by their Host header.
        let mut environment = services::site(any, "http://localhost", &self.redis.url(), gateway);
        // A version before doesn't know it.
        if self.plan.binaries.is_none() {
            environment.insert("SITE__PAGE__DEMO".to_owned(), "true".to_owned());
        }
        environment.extend(self.plan.site.clone());
        environment.into_iter().collect()
    }

    /// Starts one more gateway.
    pub async fn add_gateway(&mut self) {
        let name = format!("gateway-{}", self.gateways.len());
        let mut recipe = Recipe::new(&name, self.plan.service("wechat-gateway"), &self.log);
        recipe.environment = self.gateway_environment().into_iter().collect();
        recipe.ready = services::GATEWAY_READY;
        self.gateways.push(started(Service::start(recipe).await));
    }

    /// Starts one more site.
    pub async fn add_site(&mut self) {
        let name = format!("site-{}", self.sites.len());
        let mut recipe = Recipe::new(&name, self.plan.service("site"), &self.log);
        recipe.environment = self.site_environment().into_iter().collect();
        recipe.ready = services::SITE_READY;
        self.sites.push(started(Service::start(recipe).await));
    }

    /// Makes WeChat push to this gateway.
    pub async fn push_to(&self, gateway: usize) {
        let Some(gateway) = self.gateways.get(gateway) else {
            return;
        };
        let callback_url = format!("{}/wechat/callback", gateway.public);
        self.wechat
            .settings(json!({ "callback_url": callback_url }))
            .await;
        for name in &self.plan.accounts {
            let callback_url = format!("{}/wechat/{name}/callback", gateway.public);
            self.wechat
                .account(name)
                .settings(json!({ "callback_url": callback_url }))
                .await;
        }
    }

    /// What the first gateway's internal listener answers to who has the key.
    pub async fn internal(&self, path: &str) -> Value {
        let client = service_kit::http_client::build(PATIENCE).expect("a client can be made");
        let url = format!("{}{path}", self.gateways[0].internal);
        let answer = client.get(url).bearer_auth(API_KEY).send().await;
        let text = answer.expect("the gateway answers").text().await;
        let text = text.expect("the answer has a body");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Whether the account has an `EncodingAESKey`.
    pub fn is_encrypted(&self) -> bool {
        self.plan.encrypted
    }

    /// A new browser that visits the first site.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.sites[0].public)
    }
}
