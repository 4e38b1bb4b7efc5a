//! The processes under test, with addresses that outlive them.

use std::{fs, net::TcpListener, path::PathBuf, process::ExitStatus};

use tokio::sync::Mutex;

use crate::{
    account,
    plan::Plan,
    process::{Process, Recipe},
};

/// The replicas of each service.
const REPLICAS: usize = 2;

/// Who can be struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// One of the gateways.
    Gateway(usize),
    /// One of the sites.
    Site(usize),
    /// The only Redis.
    Redis,
}

/// All who can be struck.
pub(crate) const VICTIMS: [Victim; 5] = [
    Victim::Gateway(0),
    Victim::Gateway(1),
    Victim::Site(0),
    Victim::Site(1),
    Victim::Redis,
];

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Fleet {
    redis: Mutex<Process>,
    gateways: Vec<Mutex<Process>>,
    sites: Vec<Mutex<Process>>,
    simulator: String,
    gateway_urls: Vec<String>,
    site_urls: Vec<String>,
    redis_folder: PathBuf,
    _simulator: Process,
}

impl Fleet {
    /// Starts everything, and waits until it is ready.
    pub(crate) async fn start(plan: &Plan) -> Result<Self, String> {
        fs::create_dir_all(&plan.folder)
            .map_err(|error| format!("{} can't be made: {error}", plan.folder.display()))?;
        // A socket's path may have 107 bytes at most, so it can't be below the target folder.
        let redis_folder = std::env::temp_dir().join(format!("soak-redis-{}", std::process::id()));
        fs::create_dir_all(&redis_folder)
            .map_err(|error| format!("{} can't be made: {error}", redis_folder.display()))?;
        let redis_url = url_of(&redis_folder);
        let redis = Process::start(redis(plan, &redis_folder)).await?;
        let simulator = Process::start(simulator(plan)).await?;
        let simulator_url = simulator.ready_line().rsplit(' ').next();
        let simulator_url = simulator_url.unwrap_or_default().to_owned();

        let ports = free_ports(4 * REPLICAS)?;
        let address = |port: u16| format!("127.0.0.1:{port}");
        let mut fleet = Self {
            redis: Mutex::new(redis),
            gateways: Vec::new(),
            sites: Vec::new(),
            simulator: simulator_url.clone(),
            gateway_urls: Vec::new(),
            site_urls: Vec::new(),
            redis_folder,
            _simulator: simulator,
        };
        for (number, ports) in ports.chunks_exact(4).enumerate() {
            let [gateway, gateway_internal, site, site_internal] = *ports else {
                continue;
            };
            let mut recipe = recipe(plan, "wechat-gateway", number);
            recipe.ready = "wechat-gateway ready ";
            recipe.environment = settings(&[
                ("GATEWAY__PUBLIC__BIND", &address(gateway)),
                ("GATEWAY__INTERNAL__BIND", &address(gateway_internal)),
                ("GATEWAY__INTERNAL__API_KEY", account::API_KEY),
                ("GATEWAY__REDIS__URL", &redis_url),
                ("GATEWAY__WECHAT__APP_ID", account::APP_ID),
                ("GATEWAY__WECHAT__APP_SECRET", account::APP_SECRET),
                ("GATEWAY__WECHAT__TOKEN", account::TOKEN),
                (
                    "GATEWAY__WECHAT__ENCODING_AES_KEY",
                    account::ENCODING_AES_KEY,
                ),
                ("GATEWAY__WECHAT__API_URL", &simulator_url),
                ("GATEWAY__WECHAT__MP_URL", &simulator_url),
                ("GATEWAY__WECHAT__OPEN_URL", &simulator_url),
                ("GATEWAY__LOG__LEVEL", "warn"),
            ]);
            let started = Process::start(recipe).await?;
            fleet.gateways.push(Mutex::new(started));
            fleet
                .gateway_urls
                .push(format!("http://{}", address(gateway)));

            let mut recipe = self::recipe(plan, "site", number);
            recipe.ready = "site ready ";
            recipe.environment = settings(&[
                ("SITE__PUBLIC__BIND", &address(site)),
                ("SITE__PUBLIC__URL", "http://localhost"),
                ("SITE__INTERNAL__BIND", &address(site_internal)),
                ("SITE__REDIS__URL", &redis_url),
                (
                    "SITE__GATEWAY__URL",
                    &format!("http://{}", address(gateway_internal)),
                ),
                ("SITE__GATEWAY__API_KEY", account::API_KEY),
                // Each visitor says an address of its own, so that the usual limits stay on.
                ("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32"),
                ("SITE__LOG__LEVEL", "warn"),
            ]);
            let started = Process::start(recipe).await?;
            fleet.sites.push(Mutex::new(started));
            fleet.site_urls.push(format!("http://{}", address(site)));
        }
        Ok(fleet)
    }

    /// The sites' addresses.
    pub(crate) fn sites(&self) -> Vec<String> {
        self.site_urls.clone()
    }

    /// The gateways' public addresses.
    pub(crate) fn gateways(&self) -> Vec<String> {
        self.gateway_urls.clone()
    }

    /// The simulator's address.
    pub(crate) fn simulator(&self) -> &str {
        &self.simulator
    }

    /// The address of Redis.
    pub(crate) fn redis_url(&self) -> String {
        url_of(&self.redis_folder)
    }

    /// Kills one without warning, and starts it again.
    pub(crate) async fn kill(&self, victim: Victim) -> Result<(), String> {
        self.process(victim).lock().await.restart_after_kill().await
    }

    /// Asks one to stop, and starts it again.
    pub(crate) async fn stop(&self, victim: Victim) -> Result<ExitStatus, String> {
        self.process(victim).lock().await.restart_after_stop().await
    }

    /// Sees to it that Redis runs.
    pub(crate) async fn redis_again(&self) -> Result<(), String> {
        self.redis.lock().await.ensure_running().await
    }

    /// The kind, the process number and the memory of all who run. One that is being started again is left
    /// out.
    pub(crate) fn memory(&self) -> Vec<(&'static str, u32, u64)> {
        let gateways = self.gateways.iter().map(|one| ("wechat-gateway", one));
        let sites = self.sites.iter().map(|one| ("site", one));
        let redis = [("redis", &self.redis)];
        gateways
            .chain(sites)
            .chain(redis)
            .filter_map(|(kind, process)| {
                let (number, kib) = process.try_lock().ok()?.resident_kib()?;
                Some((kind, number, kib))
            })
            .collect()
    }

    fn process(&self, victim: Victim) -> &Mutex<Process> {
        match victim {
            Victim::Gateway(number) => &self.gateways[number],
            Victim::Site(number) => &self.sites[number],
            Victim::Redis => &self.redis,
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // What stays behind is a temporary folder.
        let _ = fs::remove_dir_all(&self.redis_folder);
    }
}

fn recipe(plan: &Plan, program: &str, number: usize) -> Recipe {
    Recipe {
        name: format!("{program}-{number}"),
        program: plan.binaries.join(program),
        arguments: Vec::new(),
        environment: Vec::new(),
        ready: "",
        folder: plan.folder.clone(),
    }
}

fn simulator(plan: &Plan) -> Recipe {
    Recipe {
        ready: "wechat-simulator ready ",
        environment: settings(&[
            ("SIMULATOR__PUBLIC__BIND", "127.0.0.1:0"),
            ("SIMULATOR__WECHAT__APP_ID", account::APP_ID),
            ("SIMULATOR__WECHAT__APP_SECRET", account::APP_SECRET),
            ("SIMULATOR__WECHAT__TOKEN", account::TOKEN),
            (
                "SIMULATOR__WECHAT__ENCODING_AES_KEY",
                account::ENCODING_AES_KEY,
            ),
            ("SIMULATOR__LOG__LEVEL", "warn"),
        ]),
        ..recipe(plan, "wechat-simulator", 0)
    }
}

fn redis(plan: &Plan, folder: &std::path::Path) -> Recipe {
    let socket = folder.join("socket").display().to_string();
    let folder = folder.display().to_string();
    let arguments = [
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "yes",
        // What was acknowledged is on the disk.
        "--appendfsync",
        "always",
        "--unixsocket",
        &socket,
        "--dir",
        &folder,
    ];
    Recipe {
        name: "redis".to_owned(),
        program: plan.redis_server.clone(),
        arguments: arguments.map(str::to_owned).to_vec(),
        environment: Vec::new(),
        ready: "eady to accept connections",
        folder: plan.folder.clone(),
    }
}

fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn url_of(redis_folder: &std::path::Path) -> String {
    format!("redis+unix://{}", redis_folder.join("socket").display())
}

/// Ports that nobody uses. All are held until all are found, so that no two are the same.
fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    let none = |error: std::io::Error| format!("no free port: {error}");
    let held: Result<Vec<_>, _> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect();
    let held = held.map_err(none)?;
    let ports = held
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()));
    ports.collect::<Result<_, _>>().map_err(none)
}
