//! The processes under test, with addresses that outlive them.

use std::{path::Path, process::ExitStatus};

use harness::{
    child::Group,
    ports,
    process::{Errors, Process, Recipe},
    redis_server::{Durability, Listener, RedisServer},
    service::Service,
    services,
    simulator::Simulator,
};
use tokio::sync::Mutex;

use crate::{client, plan::Plan, webhook::SECRET};

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
    redis: Mutex<RedisServer>,
    gateways: Vec<Mutex<Process>>,
    sites: Vec<Mutex<Process>>,
    wechat: Simulator,
    redis_url: String,
    gateway_urls: Vec<String>,
    gateway_internals: Vec<String>,
    site_urls: Vec<String>,
}

impl Fleet {
    /// Starts everything, and waits until it is ready. Events are posted to the webhook, if there is
    /// one.
    pub(crate) async fn start(plan: &Plan, webhook: Option<&str>) -> Result<Self, String> {
        let of = recipe("redis", &plan.redis_server, plan);
        let redis = RedisServer::of(of, Listener::Socket, Durability::EveryWrite).await?;
        let redis_url = redis.url();
        let wechat = Simulator::start(simulator(plan)).await?;
        let mut fleet = Self {
            redis: Mutex::new(redis),
            gateways: Vec::new(),
            sites: Vec::new(),
            wechat,
            redis_url,
            gateway_urls: Vec::new(),
            gateway_internals: Vec::new(),
            site_urls: Vec::new(),
        };
        for number in 0..REPLICAS {
            let gateway = Service::start(gateway(number, plan, &fleet, webhook)).await?;
            let site = Service::start(site(number, plan, &fleet, &gateway.internal)).await?;
            fleet.gateway_urls.push(gateway.public);
            fleet.gateway_internals.push(gateway.internal);
            fleet.gateways.push(Mutex::new(gateway.process));
            fleet.site_urls.push(site.public);
            fleet.sites.push(Mutex::new(site.process));
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

    /// The simulator, which plays WeChat's API.
    pub(crate) const fn wechat(&self) -> &Simulator {
        &self.wechat
    }

    /// The address of Redis.
    pub(crate) fn redis_url(&self) -> &str {
        &self.redis_url
    }

    /// Kills one without warning, and starts it again.
    pub(crate) async fn kill(&self, victim: Victim) -> Result<(), String> {
        match self.service(victim) {
            Some(service) => service.lock().await.restart().await,
            None => self.redis.lock().await.process.restart().await,
        }
    }

    /// Asks one to stop, and starts it again. Returns how it ended.
    pub(crate) async fn stop(&self, victim: Victim) -> Result<ExitStatus, String> {
        match self.service(victim) {
            Some(service) => stop_and_restart(&mut *service.lock().await).await,
            None => stop_and_restart(&mut self.redis.lock().await.process).await,
        }
    }

    /// Starts Redis if it doesn't run.
    pub(crate) async fn ensure_redis(&self) -> Result<(), String> {
        let mut redis = self.redis.lock().await;
        if redis.process.exited().is_none() {
            return Ok(());
        }
        redis.process.restart().await
    }

    /// Starts the gateways that don't run. Returns one's internal address.
    pub(crate) async fn ensure_gateway(&self) -> Result<String, String> {
        for gateway in &self.gateways {
            let mut gateway = gateway.lock().await;
            if gateway.exited().is_some() {
                gateway.restart().await?;
            }
        }
        Ok(self.gateway_internals[0].clone())
    }

    /// The kind and the memory, in KiB, of all who run. One that is being started again is left
    /// out.
    pub(crate) fn memory(&self) -> Vec<(&'static str, u64)> {
        let resident = |process: &Mutex<Process>| process.try_lock().ok()?.try_resident_kib();
        let gateways = self.gateways.iter().map(|one| ("wechat-gateway", one));
        let sites = self.sites.iter().map(|one| ("site", one));
        let services = gateways
            .chain(sites)
            .filter_map(|(kind, process)| Some((kind, resident(process)?)));
        let redis = self.redis.try_lock().ok();
        let redis = redis.and_then(|redis| Some(("redis", redis.process.try_resident_kib()?)));
        services.chain(redis).collect()
    }

    fn service(&self, victim: Victim) -> Option<&Mutex<Process>> {
        match victim {
            Victim::Gateway(number) => Some(&self.gateways[number]),
            Victim::Site(number) => Some(&self.sites[number]),
            Victim::Redis => None,
        }
    }
}

async fn stop_and_restart(process: &mut Process) -> Result<ExitStatus, String> {
    let status = process.try_stop().await?;
    process.restart().await?;
    Ok(status)
}

/// Ctrl-C is for the soak, which then ends its children.
fn recipe(name: &str, program: &Path, plan: &Plan) -> Recipe {
    Recipe {
        errors: Errors::Straight,
        group: Group::Own,
        ..Recipe::new(name, program, &plan.folder)
    }
}

fn simulator(plan: &Plan) -> Recipe {
    let mut environment = services::simulator(ports::ANY);
    environment.extend(services::account("SIMULATOR", true));
    environment.extend(services::environment([("SIMULATOR__LOG__LEVEL", "warn")]));
    Recipe {
        environment,
        ready: services::SIMULATOR_READY,
        ..recipe("simulator", &plan.binaries.join("wechat-simulator"), plan)
    }
}

fn gateway(number: usize, plan: &Plan, fleet: &Fleet, webhook: Option<&str>) -> Recipe {
    let [public, internal] = addresses();
    let mut environment = services::gateway(public, internal, &fleet.redis_url);
    environment.extend(services::account("GATEWAY", true));
    environment.extend(services::wechat_at(fleet.wechat.url()));
    environment.extend(services::environment([("GATEWAY__LOG__LEVEL", "warn")]));
    if let Some(url) = webhook {
        environment.extend(services::environment([
            ("GATEWAY__WEBHOOK__SOAK__URL", url),
            ("GATEWAY__WEBHOOK__SOAK__SECRET", SECRET),
        ]));
    }
    let program = plan.binaries.join("wechat-gateway");
    Recipe {
        environment,
        ready: services::GATEWAY_READY,
        ..recipe(&format!("wechat-gateway-{number}"), &program, plan)
    }
}

fn site(number: usize, plan: &Plan, fleet: &Fleet, gateway: &str) -> Recipe {
    let mut environment =
        services::site(addresses(), "http://localhost", &fleet.redis_url, gateway);
    environment.extend(services::environment([
        // Each visitor says an address of its own, so that the usual limits stay on.
        ("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32"),
        ("SITE__LOG__LEVEL", "warn"),
    ]));
    environment.extend(services::environment(client::SETTINGS));
    Recipe {
        environment,
        ready: services::SITE_READY,
        ..recipe(&format!("site-{number}"), &plan.binaries.join("site"), plan)
    }
}

/// Two addresses that a process keeps over all restarts.
fn addresses() -> [std::net::SocketAddr; 2] {
    [ports::local(ports::free()), ports::local(ports::free())]
}
