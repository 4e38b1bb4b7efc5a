//! A crowd of waiting browsers at several sites behind one nginx, and scans at 200 a second among
//! them: how soon browsers hear of it, and what that takes.
//!
//! `cargo run --release -p system-tests --example waiting_crowd -- 100000`
//!
//! It starts a Redis, the simulator, a gateway, the sites, nginx and client processes of its own,
//! and ends within minutes. The services are those of the folder that `LOGIN_BINARIES` names, or
//! else those that tests use. Attempts are written as sites write them, without WeChat's codes.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod client;
mod figures;
mod proxy;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{
    deadline::within,
    phone::{Mode, Phone},
    ports,
    process::{Process, Recipe},
    redis_server::{Durability, Listener, RedisServer},
    service::Service,
    services,
    simulator::Simulator,
};
use jiff::Timestamp;
use login_protocol::{
    member::Profile,
    method::Method,
    steps::{Asker, GiveSubject, OpenAttempt, RecordFollow, ShownCode},
    subject::{Subject, UnionDigest},
};
use reqwest::{Client, header::CONTENT_TYPE};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member},
    binaries, log_folder,
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use figures::{Figures, Party, kernel_kib};

/// How many site processes there are at least.
const SITES: usize = 6;

/// How many streams a site and a client process hold at most. It isn't the files of a process but
/// the ports of loopback: a client binds its source address and with it a port, which nginx then
/// can't use on the way to a site, and half of the usual 28,000 are too few for 14,000 streams.
const STREAMS: usize = 10_000;

/// From one scan to the next: 200 a second.
const EVERY: Duration = Duration::from_millis(5);

/// How many scans there are at most: 25 seconds of them.
const SCANS: usize = 5_000;

/// How long nothing happens; within this time every stream is kept alive once.
const QUIET: Duration = Duration::from_secs(45);

/// How long opening all streams may take.
const OPENING: Duration = Duration::from_mins(5);

/// How long the last news may take.
const NEWS: Duration = Duration::from_secs(10);

/// How many records are written at once.
const BATCH: usize = 500;

const UNIONID: &str = "o6_bmasdasdsad6_2sgVt7hMZOPfL";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    service_kit::open_files::raise_limit();
    if words.first().is_some_and(|word| word == client::WORD) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime can be made");
        runtime.block_on(client::run(&words[1..]));
        return;
    }
    let count = words.first().map_or(100_000, |count| {
        count.parse().expect("a number of browsers")
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        // Children end when they are dropped, at Ctrl-C as well.
        tokio::select! {
            () = measure(count) => {}
            _ = tokio::signal::ctrl_c() => println!("stopped"),
        }
    });
}

async fn measure(count: usize) {
    let log = log_folder::create();
    let world = World::start(count, &log).await;
    let store = world.redis.store();
    let memory_before = redis_bytes(&world.redis).await;
    let scans = SCANS.min(count);
    fill(&store, count).await;
    let attempts = redis_bytes(&world.redis).await - memory_before;
    people(&store, scans).await;
    println!("{count} attempts: {} bytes of Redis each", attempts / count);

    let before = world.figures();
    let kernel = kernel_kib();
    let began = Instant::now();
    let browsers = open(&world.proxy_address, count, &log).await;
    println!("{count} streams open after {:.1?}", began.elapsed());
    let parties = world.parties();
    let opened = world.figures();
    println!(
        "the kernel's memory: {} KiB more, {:.1} a stream\n",
        kernel_kib().saturating_sub(kernel),
        ratio(kernel_kib().saturating_sub(kernel), count)
    );

    sleep(QUIET).await;
    let rested = world.figures();
    let began = Instant::now();
    let (pushed, heard) = scan(&world, &browsers, count, scans).await;
    let took = began.elapsed();
    let scanned = world.figures();

    println!(
        "| process | memory before, MiB | with {count} waiting, MiB | largest, MiB | each, KiB | at rest, % of a core | scans, % of a core |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (place, party) in parties.iter().enumerate() {
        let [before, opened, rested, scanned] =
            [&before, &opened, &rested, &scanned].map(|all| all[place]);
        row(party, count, [before, opened, rested, scanned], took);
    }
    latencies(&pushed, &heard, took);
}

fn row(party: &Party, count: usize, at: [Figures; 4], took: Duration) {
    let [before, opened, rested, scanned] = at;
    let mib = |kib: u64| kib.div_ceil(1024);
    let share = |work: Duration, time: Duration| 100.0 * work.as_secs_f64() / time.as_secs_f64();
    println!(
        "| {} ({}) | {} | {} | {} | {:.2} | {:.2} | {:.1} |",
        party.name,
        party.processes.len(),
        mib(before.resident_kib),
        mib(scanned.resident_kib),
        mib(scanned.largest_kib),
        ratio(
            opened.resident_kib.saturating_sub(before.resident_kib),
            count
        ),
        share(rested.worked.saturating_sub(opened.worked), QUIET),
        share(scanned.worked.saturating_sub(rested.worked), took),
    );
}

#[expect(clippy::cast_precision_loss, reason = "it is for people")]
fn ratio(part: u64, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn latencies(pushed: &[(usize, u64)], heard: &HashMap<usize, u64>, took: Duration) {
    let times = pushed.iter().filter_map(|(number, at)| {
        let heard = heard.get(number)?;
        Some(heard.saturating_sub(*at))
    });
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    assert!(!times.is_empty(), "no browser heard of its scan");
    let at = |thousandths: usize| {
        let microseconds = times[(times.len() * thousandths / 1000).min(times.len() - 1)];
        Duration::from_micros(microseconds)
    };
    println!(
        "\n{} scans in {took:.1?}, {} browsers heard of theirs; push sent → browser has it: p50 {:.2?}, p99 {:.2?}, longest {:.2?}",
        pushed.len(),
        times.len(),
        at(500),
        at(990),
        at(1000)
    );
}

/// Everything but the browsers.
struct World {
    redis: RedisServer,
    _wechat: Simulator,
    gateway: Service,
    sites: Vec<Service>,
    proxy: Process,
    proxy_address: String,
}

impl World {
    async fn start(count: usize, log: &Path) -> Self {
        let well = |failure: String| -> ! { panic!("{failure}") };
        let mut recipe = Recipe::new("redis", "redis-server", log);
        // As deploy's Redis keeps what it is told.
        recipe.arguments = ["--appendonly", "yes", "--appendfsync", "everysec"]
            .map(str::to_owned)
            .into();
        let redis = RedisServer::of(recipe, Listener::Socket, Durability::Nothing).await;
        let redis = redis.unwrap_or_else(|failure| well(failure));
        let mut recipe = Recipe::new("simulator", program("wechat-simulator"), log);
        recipe.ready = services::SIMULATOR_READY;
        recipe.environment = services::simulator(ports::ANY);
        recipe
            .environment
            .extend(services::account("SIMULATOR", true));
        let wechat = Simulator::start(recipe).await;
        let wechat = wechat.unwrap_or_else(|failure| well(failure));
        let mut recipe = Recipe::new("gateway", program("wechat-gateway"), log);
        recipe.ready = services::GATEWAY_READY;
        recipe.environment = services::gateway(ports::ANY, ports::ANY, &redis.url());
        recipe
            .environment
            .extend(services::account("GATEWAY", true));
        recipe.environment.extend(services::wechat_at(wechat.url()));
        let gateway = Service::start(recipe).await;
        let gateway = gateway.unwrap_or_else(|failure| well(failure));
        let mut sites = Vec::new();
        for number in 0..SITES.max(count.div_ceil(STREAMS)) {
            let mut recipe = Recipe::new(&format!("site-{number}"), program("site"), log);
            recipe.ready = services::SITE_READY;
            let any = [ports::ANY; 2];
            let (url, internal) = (redis.url(), &gateway.internal);
            recipe.environment = services::site(any, "http://localhost", &url, internal);
            recipe.environment.extend(services::environment([
                ("SITE__LIMITS__WAITING_PER_CLIENT", "0"),
                ("SITE__LIMITS__LOGINS_PER_MINUTE", "0"),
            ]));
            let site = Service::start(recipe).await;
            sites.push(site.unwrap_or_else(|failure| well(failure)));
        }
        let hosts: Vec<_> = sites
            .iter()
            .map(|site| site.public.trim_start_matches("http://").to_owned())
            .collect();
        let (proxy, proxy_address) = proxy::start(&hosts, count, log).await;
        Self {
            redis,
            _wechat: wechat,
            gateway,
            sites,
            proxy,
            proxy_address,
        }
    }

    fn parties(&self) -> [Party; 4] {
        let alone = |name, processes| Party { name, processes };
        let sites = self.sites.iter().map(|site| site.process.id());
        [
            alone("site", sites.collect()),
            alone("wechat-gateway", vec![self.gateway.process.id()]),
            alone("Redis", vec![self.redis.process.id()]),
            Party::family("nginx", self.proxy.id()),
        ]
    }

    fn figures(&self) -> [Figures; 4] {
        self.parties().map(|party| party.figures())
    }
}

/// A program of the folder that was named, or of this tree.
fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("LOGIN_BINARIES").map(PathBuf::from);
    let named = folder.map(|folder| folder.join(name));
    named
        .filter(|named| named.exists())
        .unwrap_or_else(|| binaries::path(name))
}

async fn redis_bytes(redis: &RedisServer) -> usize {
    let info: String = redis.command(&["INFO", "memory"]).await;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    let bytes = line.and_then(|bytes| bytes.trim().parse().ok());
    bytes.expect("Redis knows its memory")
}

/// Writes attempts as sites do.
async fn fill(store: &Store, count: usize) {
    let site = Arc::new(attempts::silent_site(attempts::own_realm()));
    for from in (0..count).step_by(BATCH) {
        let steps: Vec<_> = (from..count.min(from + BATCH))
            .map(|number| OpenAttempt {
                scene: client::secret(number).scene(),
                lifetime: Duration::from_hours(1),
                method: Method::Scan,
                code: Some(ShownCode {
                    content: "http://weixin.qq.com/q/02cGd9FoRdbFh1HuVy1u1z2026crowd0k5QvNw"
                        .to_owned(),
                    image_url: "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9xL2taZ2Z3TVRtNzJXV1Brb3ZhYmJJAAIEZ23sUwMEmm3sUw%3D%3D"
                        .to_owned(),
                }),
                digits: None,
                site: Arc::clone(&site),
                asker: Asker {
                    description: "Chrome · Windows".to_owned(),
                    address: "203.0.113.x".to_owned(),
                },
            })
            .collect();
        store.run_all(&steps).await.expect("Redis is running");
    }
}

fn openid(number: usize) -> String {
    format!("oMem{number:024}")
}

/// Writes people who have logged in before, and whose profile WeChat told just now.
async fn people(store: &Store, count: usize) {
    for from in (0..count).step_by(BATCH) {
        let people = || (from..count.min(from + BATCH)).map(|number| member(&openid(number)));
        let follows: Vec<_> = people()
            .map(|member| RecordFollow {
                member,
                at: Timestamp::now(),
                profile: Some(Profile {
                    unionid: Some(UNIONID.to_owned()),
                    ..Profile::default()
                }),
            })
            .collect();
        let subjects: Vec<_> = people()
            .map(|member| GiveSubject {
                member,
                subject: Subject::from_random([0xcd; 16]),
                given_at: None,
                union: Some(UnionDigest::of(UNIONID)),
            })
            .collect();
        store.run_all(&follows).await.expect("Redis is running");
        store.run_all(&subjects).await.expect("Redis is running");
    }
}

/// Starts the client processes, and waits until each has opened its streams.
async fn open(proxy: &str, count: usize, log: &Path) -> Vec<Process> {
    let this = std::env::current_exe().expect("a program has a path");
    let share = count.div_ceil(count.div_ceil(STREAMS));
    let mut browsers = Vec::new();
    for (place, first) in (0..count).step_by(share).enumerate() {
        let mut recipe = Recipe::new(&format!("browsers-{place}"), &this, log);
        recipe.arguments = vec![
            client::WORD.to_owned(),
            proxy.to_owned(),
            format!("127.0.0.{}", place + 2),
            first.to_string(),
            share.min(count - first).to_string(),
        ];
        browsers.push(Process::spawn(recipe).unwrap_or_else(|failure| panic!("{failure}")));
    }
    let all = within(OPENING, async || {
        let open = browsers.iter().filter_map(|process| {
            let lines = process.lines();
            let line = lines.iter().find_map(|line| line.strip_prefix("open "));
            line.map(|count| count.parse::<usize>().expect("a number"))
        });
        let open: Vec<_> = open.collect();
        (open.len() == browsers.len()).then(|| open.iter().sum::<usize>())
    });
    let open = all.await;
    let refused = browsers.iter().flat_map(Process::lines);
    let refused: Vec<_> = refused
        .filter(|line| line.starts_with("refused"))
        .take(5)
        .collect();
    assert_eq!(
        open,
        Some(count),
        "so many wait; the first that don't: {refused:?}"
    );
    browsers
}

/// Scans at a fixed rate, whatever becomes of the ones before, of attempts from everywhere in the
/// crowd. Returns when each push was sent, and when each browser heard of it.
async fn scan(
    world: &World,
    browsers: &[Process],
    count: usize,
    scans: usize,
) -> (Vec<(usize, u64)>, HashMap<usize, u64>) {
    let http = service_kit::http_client::build(Duration::from_secs(10));
    let http = http.expect("a client can be made");
    let phone = Arc::new(Phone::default());
    let url = format!("{}/wechat/callback", world.gateway.public);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = JoinSet::new();
    for person in 0..scans {
        ticks.tick().await;
        let number = person * (count / scans);
        let (http, phone, url) = (http.clone(), Arc::clone(&phone), url.clone());
        running.spawn(async move { (number, push(&http, &phone, &url, person, number).await) });
    }
    let pushed = running.join_all().await;
    let heard = || {
        let mut heard = HashMap::new();
        for line in browsers.iter().flat_map(Process::lines) {
            if let Some(rest) = line.strip_prefix("confirmed ") {
                let (number, at) = rest.split_once(' ').expect("number and time");
                let number = number.parse().expect("a number");
                heard.insert(number, at.parse().expect("a time"));
            }
        }
        heard
    };
    let all: Option<HashMap<usize, u64>> = within(NEWS, async || {
        Some(heard()).filter(|heard: &HashMap<_, _>| heard.len() == scans)
    })
    .await;
    let lost = browsers.iter().flat_map(Process::lines);
    let lost = lost.filter(|line| line.starts_with("lost")).count();
    println!("{lost} streams ended early");
    (pushed, all.unwrap_or_else(heard))
}

/// Pushes one scan, and returns when that began.
async fn push(http: &Client, phone: &Phone, url: &str, person: usize, number: usize) -> u64 {
    let push = phone.scan(&openid(person), &client::secret(number).scene());
    let signed = phone.sign(&push, Mode::Safe);
    let request = http
        .post(format!("{url}?{}", signed.query()))
        .header(CONTENT_TYPE, "text/xml")
        .body(signed.body);
    let began = client::now();
    let answer = request.send().await.expect("the gateway answers");
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect("all of it");
    began
}
