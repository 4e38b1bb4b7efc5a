//! A whole system: Redis, the simulator, a gateway and a site, or several of each.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    binaries,
    deadline::PATIENCE,
    log_folder,
    process::{self, Process},
    redis_server::RedisServer,
    simulator::Simulator,
    visitor::Visitor,
};

/// The made-up account's AppID.
pub const APP_ID: &str = "wx00000000000000ee";
/// Its AppSecret.
pub const APP_SECRET: &str = "testsecret00testsecret00testsecr";
/// Its callback token.
pub const TOKEN: &str = "testtokentesttoken";
/// Its EncodingAESKey.
pub const ENCODING_AES_KEY: &str = "testkeytestkeytestkeytestkeytestkeytestkey0";
/// The bearer key between site and gateway.
pub const API_KEY: &str = "test-api-key-test-api-key-test-api-key";

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

/// A running gateway or site.
pub struct Service {
    /// Its public address, without a path.
    pub public: String,
    /// Its internal address, without a path.
    pub internal: String,
    /// The process, for signals and its lines.
    pub process: Process,
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

    async fn start_simulator(&self, log: &std::path::Path) -> Simulator {
        let mut environment = vec![
            setting("SIMULATOR__PUBLIC__BIND", "127.0.0.1:0"),
            setting("SIMULATOR__WECHAT__APP_ID", APP_ID),
            setting("SIMULATOR__WECHAT__APP_SECRET", APP_SECRET),
            setting("SIMULATOR__WECHAT__TOKEN", TOKEN),
            // Most tests want a nickname and not its journey; those of web authorisation say otherwise.
            setting("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "true"),
        ];
        if self.encrypted {
            environment.push(setting(
                "SIMULATOR__WECHAT__ENCODING_AES_KEY",
                ENCODING_AES_KEY,
            ));
        }
        environment.extend(self.simulator.clone());
        let mut process = process::start(
            "simulator",
            binaries::path("wechat-simulator"),
            NO_ARGUMENTS,
            &environment,
            log,
        );
        let line = process.line_with("wechat-simulator ready ").await;
        let url = line
            .rsplit(' ')
            .next()
            .expect("the line ends with an address")
            .to_owned();
        Simulator::new(url, process)
    }
}

const NO_ARGUMENTS: [&str; 0] = [];

fn setting(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

impl Stack {
    /// Stops the services, and returns all that they logged. Before their end some of it may not be read yet.
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
        let mut environment: BTreeMap<_, _> = [
            setting("GATEWAY__PUBLIC__BIND", "127.0.0.1:0"),
            setting("GATEWAY__INTERNAL__BIND", "127.0.0.1:0"),
            setting("GATEWAY__INTERNAL__API_KEY", API_KEY),
            setting("GATEWAY__REDIS__URL", &self.redis.url()),
            setting("GATEWAY__WECHAT__APP_ID", APP_ID),
            setting("GATEWAY__WECHAT__APP_SECRET", APP_SECRET),
            setting("GATEWAY__WECHAT__TOKEN", TOKEN),
            setting("GATEWAY__WECHAT__API_URL", self.wechat.url()),
            setting("GATEWAY__WECHAT__MP_URL", self.wechat.url()),
            setting("GATEWAY__WECHAT__OPEN_URL", self.wechat.url()),
        ]
        .into();
        if self.plan.encrypted {
            environment.extend([setting(
                "GATEWAY__WECHAT__ENCODING_AES_KEY",
                ENCODING_AES_KEY,
            )]);
        }
        environment.extend(self.plan.gateway.clone());
        environment.into_iter().collect()
    }

    /// The environment of a site of this system.
    pub fn site_environment(&self) -> Vec<(String, String)> {
        let gateway = self
            .gateways
            .first()
            .map_or("http://127.0.0.1:1", |gateway| &gateway.internal);
        let mut environment: BTreeMap<_, _> = [
            setting("SITE__PUBLIC__BIND", "127.0.0.1:0"),
            // The port isn't known yet; pages are ours by their Host header.
            setting("SITE__PUBLIC__URL", "http://localhost"),
            setting("SITE__INTERNAL__BIND", "127.0.0.1:0"),
            setting("SITE__REDIS__URL", &self.redis.url()),
            setting("SITE__GATEWAY__URL", gateway),
            setting("SITE__GATEWAY__API_KEY", API_KEY),
        ]
        .into();
        environment.extend(self.plan.site.clone());
        environment.into_iter().collect()
    }

    /// Starts one more gateway.
    pub async fn add_gateway(&mut self) {
        let name = format!("gateway-{}", self.gateways.len());
        let process = process::start(
            &name,
            binaries::path("wechat-gateway"),
            NO_ARGUMENTS,
            &self.gateway_environment(),
            &self.log,
        );
        self.gateways
            .push(Service::ready(process, "wechat-gateway ready ").await);
    }

    /// Starts one more site.
    pub async fn add_site(&mut self) {
        let name = format!("site-{}", self.sites.len());
        let process = process::start(
            &name,
            binaries::path("site"),
            NO_ARGUMENTS,
            &self.site_environment(),
            &self.log,
        );
        self.sites
            .push(Service::ready(process, "site ready ").await);
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

impl Service {
    /// Waits for the line that says where it listens.
    pub async fn ready(mut process: Process, line: &str) -> Self {
        let line = process.line_with(line).await;
        let address = |name: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix(name));
            word.unwrap_or_else(|| panic!("{line:?} names no {name}"))
                .to_owned()
        };
        Self {
            public: address("public="),
            internal: address("internal="),
            process,
        }
    }
}
