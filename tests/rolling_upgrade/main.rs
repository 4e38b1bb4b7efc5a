//! A rolling upgrade: two gateways and two sites over one Redis, one of each of the version before.
//! People log in through both versions at once, the older processes are replaced one by one
//! meanwhile, and no login is lost.
//!
//! `cargo xtask test` builds the version before and runs this; by hand it needs the folder of those
//! binaries in `LOGIN_OLDER_BINARIES` and `--test rolling_upgrade`.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_util::future::join_all;
use harness::{
    older, ports,
    process::Recipe,
    services::{self, Environment},
};
use reqwest::{Client, Method};
use serde_json::json;
use system_tests::{
    binaries,
    deadline::{PATIENCE, eventually},
    edge::{Edge, Order},
    simulator::{Person, Simulator},
    stack::{Plan, Service, Stack},
    visitor::{Answer, Replicas, SESSION_COOKIE, Visitor},
};

/// How many log in in each part of the run.
const PEOPLE: usize = 10;

/// More than can log in while two processes are replaced.
const MOST: usize = 2000;

const COMPLETE: &str = "/api/login/complete";

/// Which version a process is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Before,
    Today,
}

impl Version {
    fn binary(self, name: &str) -> PathBuf {
        match self {
            Self::Today => binaries::path(name),
            Self::Before => {
                let folder = std::env::var_os(older::BINARIES);
                let folder =
                    folder.unwrap_or_else(|| panic!("{} names no folder", older::BINARIES));
                PathBuf::from(folder).join(name)
            }
        }
    }
}

/// A place where a gateway or a site runs, one process after the other.
struct Place {
    name: &'static str,
    binary: &'static str,
    ready: &'static str,
    environment: Environment,
}

impl Place {
    fn gateway(stack: &Stack, name: &'static str) -> Self {
        let mut environment: Environment = stack.gateway_environment().into_iter().collect();
        for listener in ["GATEWAY__PUBLIC__BIND", "GATEWAY__INTERNAL__BIND"] {
            let address = ports::local(ports::free()).to_string();
            environment.insert(listener.to_owned(), address);
        }
        Self {
            name,
            binary: "wechat-gateway",
            ready: services::GATEWAY_READY,
            environment,
        }
    }

    /// A site that asks the gateways behind this edge.
    fn site(stack: &Stack, name: &'static str, gateways: &Edge) -> Self {
        let mut environment: Environment = stack.site_environment().into_iter().collect();
        for listener in ["SITE__PUBLIC__BIND", "SITE__INTERNAL__BIND"] {
            let address = ports::local(ports::free()).to_string();
            environment.insert(listener.to_owned(), address);
        }
        environment.insert("SITE__GATEWAY__URL".to_owned(), gateways.url().to_owned());
        // The version before doesn't know it, and no login needs it.
        environment.remove("SITE__PAGE__DEMO");
        Self {
            name,
            binary: "site",
            ready: services::SITE_READY,
            environment,
        }
    }

    async fn start(&self, stack: &Stack, version: Version) -> Service {
        let name = format!("{}-{version:?}", self.name).to_lowercase();
        let mut recipe = Recipe::new(&name, version.binary(self.binary), &stack.log);
        recipe.environment = self.environment.clone();
        recipe.ready = self.ready;
        let started = Service::start(recipe).await;
        started.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Lets the older process drain, and starts today's where it was.
    async fn upgrade(&self, stack: &Stack, older: &mut Service) {
        let status = older.process.stop().await;
        assert_eq!(status.code(), Some(0), "{}", self.name);
        *older = self.start(stack, Version::Today).await;
    }
}

/// Whether a request may fail and be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outages {
    /// While a process is replaced, as a browser does.
    Expected,
    /// Not while two versions serve in peace: a repeat would be answered by the other one, and hide
    /// that this pair doesn't work.
    None,
}

/// A login on its way, at both sites in turn.
struct Login<'system> {
    /// Its three lowest bits say which site comes first, whether the login ends at the version that
    /// opened it, and how often it is completed.
    number: usize,
    wechat: &'system Simulator,
    person: Person,
    visitor: Visitor,
    content: String,
    outages: Outages,
    /// A site of today, where sessions of both versions are read.
    reads_sessions: &'system str,
}

impl Login<'_> {
    /// The browser waits at the other version than it began at.
    async fn is_scanned(&mut self) {
        let mut events = self.visitor.try_events().await;
        let scanned = self.wechat.scan(&self.person, &self.content).await;
        assert_eq!(scanned["delivery"]["outcome"], "answered", "{scanned}");
        eventually("the browser hears of the scan", async || {
            if events.is_none() {
                events = self.visitor.try_events().await;
            }
            let heard = events.as_mut()?.next_status().await;
            if heard.is_none() {
                events = None;
            }
            (heard.as_deref() == Some("confirmed")).then_some(())
        })
        .await;
    }

    /// Completes the login, at the version that opened it or at the other one, once or a second
    /// time as after a lost answer, and leaves it signed in.
    async fn completes(mut self) -> (Person, Visitor) {
        if self.number / 2 % 2 == 1 {
            let standing = self.calls(Method::GET, "/api/login", 200).await;
            assert_eq!(standing.json["status"], "confirmed");
        }
        let mut sessions = BTreeSet::new();
        for _ in 0..=self.number / 4 % 2 {
            let answer = self.calls(Method::POST, COMPLETE, 200).await;
            assert_eq!(answer.json["user"]["openid"], self.person.openid);
            sessions.insert(self.visitor.cookies()[SESSION_COOKIE].clone());
        }
        assert_eq!(sessions.len(), 1, "two sessions of one login");
        self.visitor.move_to(self.reads_sessions);
        let user = self.visitor.session().await.expect("signed in");
        assert_eq!(user["openid"], self.person.openid);
        (self.person, self.visitor)
    }

    async fn calls(&mut self, method: Method, path: &str, status: u16) -> Answer {
        let visitor = &mut self.visitor;
        self.outages.call(visitor, method, path, status).await
    }

    async fn goes_through(mut self) -> (Person, Visitor) {
        self.is_scanned().await;
        self.completes().await
    }
}

impl Outages {
    /// Asks until it succeeds; in between only an outage may be told.
    async fn call(self, visitor: &mut Visitor, method: Method, path: &str, status: u16) -> Answer {
        let what = format!("{method} {path} succeeds");
        eventually(&what, async || {
            let answer = visitor.try_call(method.clone(), path).await;
            let is_good = answer
                .as_ref()
                .is_some_and(|answer| answer.status == status);
            let is_outage = answer.as_ref().is_none_or(|answer| {
                answer.status == 503 && answer.headers.contains_key("retry-after")
            });
            let may_fail = self == Self::Expected && is_outage;
            assert!(is_good || may_fail, "{what}: {answer:?}");
            answer.filter(|_| is_good)
        })
        .await
    }
}

/// Where everybody logs in.
struct Entrance<'system> {
    wechat: &'system Simulator,
    http: Client,
    /// The sites, today's last.
    sites: [String; 2],
    visitors: AtomicUsize,
}

impl Entrance<'_> {
    /// Somebody new in front of a code, every other one of them at the other version first.
    async fn begin(&self, outages: Outages) -> Login<'_> {
        let mut sites = self.sites.to_vec();
        let number = self.visitors.fetch_add(1, Ordering::Relaxed);
        sites.rotate_left(number % 2);
        let mut visitor = Visitor::behind(self.http.clone(), Arc::new(Replicas::new(sites)));
        let answer = outages
            .call(&mut visitor, Method::POST, "/api/login", 201)
            .await;
        let content = answer.json["qr"]["content"]
            .as_str()
            .expect("a code")
            .to_owned();
        Login {
            number,
            wechat: self.wechat,
            person: self.wechat.person("小林", true).await,
            visitor,
            content,
            outages,
            reads_sessions: &self.sites[1],
        }
    }

    async fn logins(&self, count: usize) -> Vec<(Person, Visitor)> {
        join_all((0..count).map(async |_| self.begin(Outages::None).await.goes_through().await))
            .await
    }

    /// One after the other until this is true.
    async fn logins_until(&self, over: &AtomicBool) -> Vec<(Person, Visitor)> {
        let mut signed_in = Vec::new();
        while !over.load(Ordering::Relaxed) {
            assert!(signed_in.len() < MOST, "the upgrade has no end");
            signed_in.push(self.begin(Outages::Expected).await.goes_through().await);
        }
        signed_in
    }
}

#[tokio::test]
async fn a_rolling_upgrade_loses_no_login() {
    let phones = Edge::start(Order::FirstAlive).await;
    // Each site asks the other version's gateway for codes, as long as there is one.
    let [older_asks, newer_asks] = [
        Edge::start(Order::FirstAlive).await,
        Edge::start(Order::FirstAlive).await,
    ];
    let stack = Plan::default()
        .gateways(0)
        .sites(0)
        .gateway("GATEWAY__PUBLIC__URL", phones.url())
        // All come from one address.
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .site("SITE__LIMITS__WAITING_PER_CLIENT", "0")
        // WeChat pushes three times, five seconds apart; here more often and closer together.
        .simulator("SIMULATOR__PUSH__DELIVERIES", "200")
        .simulator("SIMULATOR__PUSH__INTERVAL_MS", "100")
        .start()
        .await;
    let gateway_place = Place::gateway(&stack, "gateway-0");
    let site_place = Place::site(&stack, "site-0", &older_asks);
    let mut older_gateway = gateway_place.start(&stack, Version::Before).await;
    let gateway_of_today = Place::gateway(&stack, "gateway-1");
    let gateway_of_today = gateway_of_today.start(&stack, Version::Today).await;
    let gateways = [&older_gateway, &gateway_of_today];
    newer_asks.lead_to(gateways.map(|gateway| gateway.internal.as_str()));
    phones.lead_to(gateways.map(|gateway| gateway.public.as_str()));
    older_asks.lead_to(
        gateways
            .map(|gateway| gateway.internal.as_str())
            .into_iter()
            .rev(),
    );
    let mut older_site = site_place.start(&stack, Version::Before).await;
    let site_of_today = Place::site(&stack, "site-1", &newer_asks);
    let site_of_today = site_of_today.start(&stack, Version::Today).await;

    let entrance = Entrance {
        wechat: &stack.wechat,
        http: service_kit::http_client::build(PATIENCE).expect("a client can be made"),
        sites: [older_site.public.clone(), site_of_today.public.clone()],
        visitors: AtomicUsize::new(0),
    };
    let mut signed_in = Vec::new();
    let mut confirmed = Vec::new();
    let callbacks = gateways.map(|gateway| gateway.public.clone());
    for gateway in callbacks.iter().map(String::as_str).chain([phones.url()]) {
        let callback = json!({ "callback_url": format!("{gateway}/wechat/callback") });
        stack.wechat.settings(callback).await;
        signed_in.extend(entrance.logins(PEOPLE).await);
        for _ in 0..PEOPLE / 2 {
            let mut login = entrance.begin(Outages::None).await;
            login.is_scanned().await;
            confirmed.push(login);
        }
    }
    both_versions_serve(&stack, [&older_gateway, &gateway_of_today]).await;
    let shown = join_all((0..PEOPLE).map(|_| entrance.begin(Outages::None))).await;

    let over = AtomicBool::new(false);
    let upgrade = async {
        gateway_place.upgrade(&stack, &mut older_gateway).await;
        site_place.upgrade(&stack, &mut older_site).await;
        over.store(true, Ordering::Relaxed);
    };
    let meanwhile = join_all((0..PEOPLE / 2).map(|_| entrance.logins_until(&over)));
    let ((), meanwhile) = tokio::join!(upgrade, meanwhile);
    assert!(meanwhile.iter().all(|one| !one.is_empty()));
    signed_in.extend(meanwhile.into_iter().flatten());

    signed_in.extend(join_all(shown.into_iter().map(Login::goes_through)).await);
    signed_in.extend(join_all(confirmed.into_iter().map(Login::completes)).await);
    signed_in.extend(entrance.logins(PEOPLE).await);
    assert!(signed_in.len() >= 6 * PEOPLE, "{} people", signed_in.len());
    for (person, mut visitor) in signed_in {
        for site in &entrance.sites {
            visitor.move_to(site);
            let user = visitor.session().await.expect("signed in");
            assert_eq!(user["openid"], person.openid);
        }
    }
}

/// What the run is about: sessions of both forms, and an older gateway that took pushes.
async fn both_versions_serve(stack: &Stack, [older, newer]: [&Service; 2]) {
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:session:*"])
        .await;
    let read: Vec<&str> = ["MGET"]
        .into_iter()
        .chain(keys.iter().map(String::as_str))
        .collect();
    let records: Vec<String> = stack.redis.command(&read).await;
    let of_today = records
        .iter()
        .filter(|record| record.starts_with('{'))
        .count();
    assert!(
        0 < of_today && of_today < records.len(),
        "{of_today} of {}",
        records.len()
    );
    let http = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    // Only today's gateways say which account.
    for (gateway, names_account) in [(older, false), (newer, true)] {
        let metrics = http
            .get(format!("{}/metrics", gateway.internal))
            .send()
            .await;
        let metrics = metrics.expect("the gateway answers").text().await;
        let metrics = metrics.expect("metrics are text");
        let pushes = metrics
            .lines()
            .find(|line| line.starts_with("wechat_pushes_total{"));
        let pushes = pushes.expect("it took pushes");
        assert_eq!(pushes.contains("account="), names_account, "{pushes}");
    }
}
