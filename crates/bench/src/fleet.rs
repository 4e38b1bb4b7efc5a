//! The processes: Redis, WeChat's stand-in, the limits, two gateways and the site.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use crate::{
    account,
    attempts::SITE_URL,
    phone::Mode,
    plan::{Plan, Side},
    process::{Process, Recipe},
};

/// More codes a day than any run asks for. The counting stays on.
const CODES_PER_DAY: &str = "1000000000";

/// The names of the two gateways' processes.
const GATEWAY_PLAIN: &str = "gateway-plain";
const GATEWAY_SAFE: &str = "gateway-safe";

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Redis.
    pub(crate) redis: Process,
    /// WeChat's stand-in.
    pub(crate) stand_in: Process,
    /// The limits.
    pub(crate) limit: Process,
    /// Where the limits answer.
    pub(crate) limit_address: SocketAddr,
    /// The gateway in plain mode.
    pub(crate) gateway_plain: Process,
    /// The gateway in safe mode. The site asks this one.
    pub(crate) gateway_safe: Process,
    /// The site.
    pub(crate) site: Process,
    /// Where browsers reach the site.
    pub(crate) site_address: SocketAddr,
    plain_address: SocketAddr,
    safe_address: SocketAddr,
    site_recipe: Recipe,
    gateway_recipe: Recipe,
    _redis_folder: TemporaryFolder,
    redis_url: String,
}

impl Fleet {
    /// Starts everything, and waits until it is ready.
    pub(crate) async fn start(plan: &Plan) -> Result<Self, String> {
        fs::create_dir_all(&plan.folder)
            .map_err(|error| format!("{} can't be made: {error}", plan.folder.display()))?;
        // A socket's path may have 107 bytes at most, so it can't be below the target folder.
        let redis_folder = TemporaryFolder::create()?;
        let redis_url = format!("redis+unix://{}/socket", redis_folder.0.display());
        let redis = Process::start(&redis(plan, &redis_folder.0)).await?;

        let mut recipe = recipe(plan, "stand-in", "bench", Side::StandIn);
        recipe.arguments = vec!["stand-in".to_owned()];
        recipe.ready = "stand-in ready ";
        let stand_in = Process::start(&recipe).await?;
        let stand_in_url = last_word(&stand_in);

        let mut recipe = self::recipe(plan, "limit", "bench", Side::Service);
        recipe.arguments = vec!["limit".to_owned(), redis_url.clone(), stand_in_url.clone()];
        recipe.ready = "limit ready ";
        let limit = Process::start(&recipe).await?;
        let limit_url = last_word(&limit);
        let limit_address = limit_url
            .trim_start_matches("http://")
            .parse()
            .map_err(|_| format!("the limit says it listens on {limit_url:?}"))?;

        let [
            open,
            open_internal,
            safe,
            safe_internal,
            site,
            site_internal,
        ] = free_addresses()?;
        let gateway = |mode, addresses| gateway(plan, mode, addresses, &redis_url, &stand_in_url);
        let gateway_plain = gateway(Mode::Plain, [open, open_internal]);
        let gateway_safe = gateway(Mode::Safe, [safe, safe_internal]);
        let site_recipe = self::site(plan, [site, site_internal], safe_internal, &redis_url);
        Ok(Self {
            redis,
            stand_in,
            limit,
            limit_address,
            gateway_plain: Process::start(&gateway_plain).await?,
            gateway_safe: Process::start(&gateway_safe).await?,
            site: Process::start(&site_recipe).await?,
            site_address: site,
            plain_address: open,
            safe_address: safe,
            site_recipe,
            gateway_recipe: gateway_safe,
            _redis_folder: redis_folder,
            redis_url,
        })
    }

    /// The gateway that takes pushes in this mode.
    pub(crate) const fn gateway(&self, mode: Mode) -> &Process {
        match mode {
            Mode::Plain => &self.gateway_plain,
            Mode::Safe => &self.gateway_safe,
        }
    }

    /// Where it takes them.
    pub(crate) const fn gateway_address(&self, mode: Mode) -> SocketAddr {
        match mode {
            Mode::Plain => self.plain_address,
            Mode::Safe => self.safe_address,
        }
    }

    /// The address of Redis.
    pub(crate) fn redis_url(&self) -> &str {
        &self.redis_url
    }

    /// Another site in the place of this one, with memory that nobody has used yet.
    pub(crate) async fn fresh_site(mut self) -> Result<Self, String> {
        self.site.end().await?;
        self.site = Process::start(&self.site_recipe).await?;
        Ok(self)
    }

    /// How a further process of each service is started, on addresses of its own.
    pub(crate) fn recipes(&self) -> [Recipe; 2] {
        let elsewhere = |recipe: &Recipe, prefix: &str| {
            let mut recipe = recipe.clone();
            recipe.name += "-started";
            for (key, value) in &mut recipe.environment {
                if key.starts_with(prefix) && key.ends_with("__BIND") {
                    "127.0.0.1:0".clone_into(value);
                }
            }
            recipe
        };
        [
            elsewhere(&self.site_recipe, "SITE"),
            elsewhere(&self.gateway_recipe, "GATEWAY"),
        ]
    }
}

/// A folder that goes with its owner.
#[derive(Debug)]
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("bench-redis-{}", std::process::id()));
        fs::create_dir_all(&folder)
            .map_err(|error| format!("{} can't be made: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What stays behind is a temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn recipe(plan: &Plan, name: &str, program: &str, side: Side) -> Recipe {
    Recipe {
        name: name.to_owned(),
        program: plan.binaries.join(program),
        launcher: launcher(plan, name, program),
        arguments: Vec::new(),
        environment: Vec::new(),
        ready: "",
        folder: plan.folder.clone(),
        core: plan.core(side),
    }
}

/// Valgrind for the services, where instructions are counted.
fn launcher(plan: &Plan, name: &str, program: &str) -> Vec<String> {
    if plan.check.is_none() || !["site", "wechat-gateway"].contains(&program) {
        return Vec::new();
    }
    let dumps = plan.folder.join(dump_name(name));
    vec![
        "valgrind".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--callgrind-out-file={}", dumps.display()),
    ]
}

/// Redis without persistence: the disk would be measured.
fn redis(plan: &Plan, folder: &Path) -> Recipe {
    let socket = folder.join("socket").display().to_string();
    let folder = folder.display().to_string();
    let arguments = [
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "no",
        "--unixsocket",
        &socket,
        "--dir",
        &folder,
    ];
    Recipe {
        program: plan.redis_server.clone(),
        arguments: arguments.map(str::to_owned).to_vec(),
        ready: "eady to accept connections",
        ..recipe(plan, "redis", "", Side::Redis)
    }
}

fn gateway(
    plan: &Plan,
    mode: Mode,
    [public, internal]: [SocketAddr; 2],
    redis_url: &str,
    wechat: &str,
) -> Recipe {
    let (public, internal) = (public.to_string(), internal.to_string());
    let mut environment = settings(&[
        ("GATEWAY__PUBLIC__BIND", &public),
        ("GATEWAY__PUBLIC__URL", "http://localhost"),
        ("GATEWAY__INTERNAL__BIND", &internal),
        ("GATEWAY__INTERNAL__API_KEY", account::API_KEY),
        ("GATEWAY__REDIS__URL", redis_url),
        ("GATEWAY__WECHAT__APP_ID", account::APP_ID),
        ("GATEWAY__WECHAT__APP_SECRET", account::APP_SECRET),
        ("GATEWAY__WECHAT__TOKEN", account::TOKEN),
        ("GATEWAY__WECHAT__API_URL", wechat),
        ("GATEWAY__LIMITS__QR_CODES_PER_DAY", CODES_PER_DAY),
    ]);
    let name = match mode {
        Mode::Plain => GATEWAY_PLAIN,
        Mode::Safe => {
            let key = (
                "GATEWAY__WECHAT__ENCODING_AES_KEY",
                account::ENCODING_AES_KEY,
            );
            environment.extend(settings(&[key]));
            GATEWAY_SAFE
        }
    };
    Recipe {
        environment,
        ready: "wechat-gateway ready ",
        ..recipe(plan, name, "wechat-gateway", Side::Service)
    }
}

fn site(
    plan: &Plan,
    [public, internal]: [SocketAddr; 2],
    gateway: SocketAddr,
    redis_url: &str,
) -> Recipe {
    Recipe {
        environment: settings(&[
            ("SITE__PUBLIC__BIND", &public.to_string()),
            ("SITE__PUBLIC__URL", SITE_URL),
            ("SITE__INTERNAL__BIND", &internal.to_string()),
            ("SITE__REDIS__URL", redis_url),
            ("SITE__GATEWAY__URL", &format!("http://{gateway}")),
            ("SITE__GATEWAY__API_KEY", account::API_KEY),
            // Each visitor says an address of its own, so that the usual limits stay on.
            ("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8"),
        ]),
        ready: "site ready ",
        ..recipe(plan, "site", "site", Side::Service)
    }
}

fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn last_word(process: &Process) -> String {
    let word = process.ready_line().rsplit(' ').next();
    word.unwrap_or_default().to_owned()
}

/// Addresses that nobody uses. All are held until all are found, so that no two are the same.
fn free_addresses<const COUNT: usize>() -> Result<[SocketAddr; COUNT], String> {
    let none = |error: std::io::Error| format!("no free port: {error}");
    let mut held = Vec::with_capacity(COUNT);
    let mut addresses = [SocketAddr::from(([127, 0, 0, 1], 0)); COUNT];
    for address in &mut addresses {
        let listener = TcpListener::bind(*address).map_err(none)?;
        *address = listener.local_addr().map_err(none)?;
        held.push(listener);
    }
    Ok(addresses)
}

/// Where callgrind puts its counts of a service: this name, with a number behind it for each dump.
pub(crate) fn dump_name(service: &str) -> String {
    format!("{service}.callgrind")
}
