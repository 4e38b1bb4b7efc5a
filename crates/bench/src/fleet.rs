//! The processes: Redis, WeChat's stand-in, the limits, two gateways and the site.

use std::net::SocketAddr;

use harness::{
    child::Group,
    phone::Mode,
    ports,
    process::{Errors, Process, Recipe},
    redis_server::{Durability, Listener, RedisServer},
    services,
};

use crate::{
    peer::Peer,
    plan::{Plan, Side},
    written_attempts::SITE_URL,
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
    pub(crate) redis: RedisServer,
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
    /// The other program, in plain and in safe mode.
    pub(crate) peers: Option<[Peer; 2]>,
    /// Where WeChat's stand-in answers.
    pub(crate) stand_in_address: SocketAddr,
    plain_address: SocketAddr,
    safe_address: SocketAddr,
    site_recipe: Recipe,
    gateway_recipe: Recipe,
    redis_url: String,
}

impl Fleet {
    /// Starts everything, and waits until it is ready.
    pub(crate) async fn start(plan: &Plan) -> Result<Self, String> {
        // Nothing of it is on the disk, which would be measured.
        let redis = RedisServer::of(redis(plan), Listener::Socket, Durability::Nothing).await?;
        let redis_url = redis.url();

        let mut recipe = recipe(plan, "stand-in", "bench", Side::StandIn);
        recipe.arguments = vec!["stand-in".to_owned()];
        recipe.ready = "stand-in ready ";
        let stand_in = Process::start(recipe).await?;
        let stand_in_url = last_word(&stand_in);

        let mut recipe = self::recipe(plan, "limit", "bench", Side::Service);
        recipe.arguments = vec!["limit".to_owned(), redis_url.clone(), stand_in_url.clone()];
        recipe.ready = "limit ready ";
        let limit = Process::start(recipe).await?;
        let (limit_address, stand_in_address) = (address(&limit)?, address(&stand_in)?);

        let [open, safe, site] = [(); 3].map(|()| addresses());
        let gateway = |mode, addresses| gateway(plan, mode, addresses, &redis_url, &stand_in_url);
        let gateway_plain = gateway(Mode::Plain, open);
        let gateway_safe = gateway(Mode::Safe, safe);
        let site_recipe = self::site(plan, site, safe[1], &redis_url);
        let peer = |mode| Peer::start(plan, mode, &redis_url, &stand_in_url);
        let peers = if plan.peer.is_empty() {
            None
        } else {
            Some([peer(Mode::Plain).await?, peer(Mode::Safe).await?])
        };
        Ok(Self {
            redis,
            peers,
            stand_in_address,
            stand_in,
            limit,
            limit_address,
            gateway_plain: Process::start(gateway_plain).await?,
            gateway_safe: Process::start(gateway_safe.clone()).await?,
            site: Process::start(site_recipe.clone()).await?,
            site_address: site[0],
            plain_address: open[0],
            safe_address: safe[0],
            site_recipe,
            gateway_recipe: gateway_safe,
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

    /// Other processes in the place of the site and the peer, with memory that nobody has used yet.
    pub(crate) async fn fresh_sites(mut self) -> Result<Self, String> {
        self.site.restart().await?;
        if let Some([_, safe]) = &mut self.peers {
            safe.restart().await?;
        }
        Ok(self)
    }

    /// How a further process of each service is started, on addresses of its own.
    pub(crate) fn recipes(&self) -> [Recipe; 2] {
        let elsewhere = |recipe: &Recipe, prefix: &str| {
            let mut recipe = recipe.clone();
            recipe.name += "-started";
            for (key, value) in &mut recipe.environment {
                if key.starts_with(prefix) && key.ends_with("__BIND") {
                    *value = ports::ANY.to_string();
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

/// Ctrl-C is for the benchmark, which then ends its children.
fn recipe(plan: &Plan, name: &str, program: &str, side: Side) -> Recipe {
    Recipe {
        launcher: plan
            .pin(side)
            .into_iter()
            .chain(valgrind(plan, name, program))
            .collect(),
        errors: Errors::Straight,
        group: Group::Own,
        ..Recipe::new(name, plan.binaries.join(program), &plan.folder)
    }
}

/// Valgrind for the services, where instructions are counted.
fn valgrind(plan: &Plan, name: &str, program: &str) -> Vec<String> {
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

fn redis(plan: &Plan) -> Recipe {
    Recipe {
        program: plan.redis_server.clone(),
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
    let mut environment = services::gateway(public, internal, redis_url);
    environment.extend(services::account("GATEWAY", mode == Mode::Safe));
    environment.extend(services::wechat_at(wechat));
    environment.extend(services::environment([
        ("GATEWAY__PUBLIC__URL", "http://localhost"),
        ("GATEWAY__LIMITS__QR_CODES_PER_DAY", CODES_PER_DAY),
    ]));
    let name = match mode {
        Mode::Plain => GATEWAY_PLAIN,
        Mode::Safe => GATEWAY_SAFE,
    };
    Recipe {
        environment,
        ready: services::GATEWAY_READY,
        ..recipe(plan, name, "wechat-gateway", Side::Service)
    }
}

fn site(plan: &Plan, addresses: [SocketAddr; 2], gateway: SocketAddr, redis_url: &str) -> Recipe {
    let gateway = format!("http://{gateway}");
    let mut environment = services::site(addresses, SITE_URL, redis_url, &gateway);
    environment.extend(services::environment([
        // Each visitor says an address of its own, so that the usual limits stay on.
        ("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8"),
        // Attempts that nobody completes are what is measured.
        ("SITE__LIMITS__LOGINS_WITHOUT_PROOF", "0"),
    ]));
    Recipe {
        environment,
        ready: services::SITE_READY,
        ..recipe(plan, "site", "site", Side::Service)
    }
}

fn address(process: &Process) -> Result<SocketAddr, String> {
    let url = last_word(process);
    let address = url.trim_start_matches("http://").parse();
    address.map_err(|_| format!("{} says it listens on {url:?}", process.name()))
}

fn last_word(process: &Process) -> String {
    let (line, _) = process.ready().unwrap_or_default();
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Two addresses that nobody uses.
fn addresses() -> [SocketAddr; 2] {
    [(); 2].map(|()| ports::local(ports::free()))
}

/// Where callgrind puts its counts of a service: this name, with a number behind it for each dump.
pub(crate) fn dump_name(service: &str) -> String {
    format!("{service}.callgrind")
}
