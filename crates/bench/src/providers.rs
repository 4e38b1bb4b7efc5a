//! The OpenID Connect provider beside npm's `oidc-provider`, which keeps everything in memory: a
//! code's exchange, a refresh token's, and userinfo. Each has its turns on the services' core.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use deadpool_redis::redis::{Client, cmd};
use harness::process::{Process, Recipe};
use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    identity::{AppId, MemberId, OpenId},
    member::Profile,
    method::Method,
    site::SiteId,
    steps::{CreateSession, RecordFollow, Session, SessionLifetime},
};
use secrecy::SecretString;
use serde_json::Value;
use service_kit::redis::Store;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    fact::Fact,
    fleet::Fleet,
    http_wire::Connection,
    kernel_figures::processor_time,
    limit,
    load::{self, Requests, Target},
    output::say,
    plan::{Plan, Side},
    report::SATURATED,
    stand_in,
    statistics::{float, median},
    written_attempts::SITE_URL,
};

const CALLBACK: &str = "https://wiki.example.com/callback";
const SECRET: &str = "the-benchs-client-secret-0123456789";

/// How many connections carry the load.
const CONNECTIONS: usize = 16;

/// How many backends send it: each address may ask so often for a client.
const ADDRESSES: usize = 200;

/// How many sessions the codes are of: a session keeps a list of what ends with it.
const SESSIONS: usize = 500;

/// How many more codes are made ready than the last turn needed.
const MARGIN: f64 = 1.5;

/// Codes for the first turn.
const FIRST: usize = 1500;

/// How much faster than npm's ours should be.
const TIMES: f64 = 10.0;

/// What share of L userinfo should be.
const USERINFO_SHARE: f64 = 0.5;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Exchange,
    Refresh,
    Userinfo,
}

impl Work {
    const ALL: [Self; 3] = [Self::Exchange, Self::Refresh, Self::Userinfo];

    const fn name(self) -> &'static str {
        match self {
            Self::Exchange => "token exchange",
            Self::Refresh => "refresh",
            Self::Userinfo => "userinfo",
        }
    }
}

/// The clients: their ID tokens are signed by RSA (RS256, the default) and by elliptic curves
/// (ES256). A signature of RSA takes the processor longer than all the rest, whoever makes it.
const CLIENTS: [(&str, &str); 2] = [("wiki", "RS256"), ("forum", "ES256")];

/// A provider that runs.
#[derive(Debug, Clone, Copy)]
struct Provider {
    process: u32,
    client: &'static str,
    address: SocketAddr,
    token: &'static str,
    userinfo: &'static str,
    is_ours: bool,
}

/// Measures both, and L between them.
pub(crate) async fn measure(plan: &Plan, folder: &str) -> Result<Vec<Fact>, String> {
    let fleet = Fleet::start(plan).await?;
    let site = site(&fleet).await?;
    let npm = npm(plan, folder).await?;
    let ours = Provider {
        process: site.id(),
        client: CLIENTS[0].0,
        address: address(&site)?,
        token: "/oidc/token",
        userinfo: "/oidc/userinfo",
        is_ours: true,
    };
    let theirs = Provider {
        process: npm.id(),
        client: CLIENTS[0].0,
        address: address(&npm)?,
        token: "/token",
        userinfo: "/me",
        is_ours: false,
    };
    let sessions = sessions(fleet.redis_url()).await?;
    prepare_limit(fleet.redis_url()).await?;
    let mut facts = Vec::new();
    for work in Work::ALL {
        // Userinfo signs nothing.
        let clients = if work == Work::Userinfo { 1 } else { 2 };
        for (client, algorithm) in CLIENTS[..clients].iter().copied() {
            let both = [ours, theirs].map(|provider| Provider { client, ..provider });
            facts.extend(compare(plan, &fleet, work, both, algorithm, &sessions).await?);
        }
    }
    drop((site, npm));
    Ok(facts)
}

/// What a turn showed.
#[derive(Debug, Clone, Copy)]
struct Speed {
    /// Requests a second.
    rate: f64,
    /// Processor time of the one who answers, in microseconds a request.
    cost: f64,
}

impl Speed {
    /// The share of its core that was used. Where it is less than all, the load or Redis bounded the
    /// rate, and the processor time of a request decides.
    fn busy(self) -> f64 {
        self.rate * self.cost / 1e6
    }

    fn median(speeds: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let figures: Vec<f64> = speeds.iter().map(figure).collect();
            median(&figures)
        };
        Self {
            rate: middle(|speed| speed.rate),
            cost: middle(|speed| speed.cost),
        }
    }

    fn facts(self, name: &str) -> [Fact; 2] {
        let busy = format!("its core {:.0} % busy", self.busy() * 100.0);
        [
            Fact::new(name, self.rate, "a second").note(busy),
            Fact::new(format!("{name}, processor time"), self.cost, "µs"),
        ]
    }
}

/// How much of one there is for one of the other: by the rates, or by the processor time where
/// either's core wasn't full.
fn share(of: Speed, one: Speed) -> (f64, &'static str) {
    if of.busy().min(one.busy()) >= SATURATED {
        (of.rate / one.rate, "by rate")
    } else {
        (one.cost / of.cost, "by processor time")
    }
}

/// Both in turn, and L after them.
async fn compare(
    plan: &Plan,
    fleet: &Fleet,
    work: Work,
    providers: [Provider; 2],
    algorithm: &str,
    sessions: &[String],
) -> Result<Vec<Fact>, String> {
    let name = match work {
        Work::Userinfo => work.name().to_owned(),
        Work::Exchange | Work::Refresh => format!("{}, {algorithm}", work.name()),
    };
    let mut rates = [Vec::new(), Vec::new()];
    let mut limits = Vec::new();
    // The first round warms up.
    for round in 0..=plan.rounds() {
        for (provider, rates) in providers.iter().zip(&mut rates) {
            let known = rates.last().map(|speed: &Speed| speed.rate);
            let speed = turn(plan, provider, work, sessions, known).await?;
            rates.push(speed);
            let whose = if provider.is_ours { "ours" } else { "npm" };
            say(&format!(
                "round {round}: {name} {whose:<4} {:>8.0} a second, {:>5.0} µs",
                speed.rate, speed.cost
            ));
        }
        limits.push(limit_turn(plan, fleet).await?);
    }
    let [own, npm] = rates.map(|rates| Speed::median(&rates[1..]));
    let limit = Speed::median(&limits[1..]);
    let (times, judged_by) = share(limit, own);
    let of_limit = Fact::new(format!("{name}: L's multiple of ours"), times, "").note(judged_by);
    let of_limit = match work {
        Work::Userinfo => of_limit.at_most(1.0 / USERINFO_SHARE),
        Work::Exchange | Work::Refresh => of_limit,
    };
    let (of_npm, judged_by) = share(npm, own);
    let of_npm = Fact::new(format!("{name}: npm's share of ours"), of_npm, "").note(judged_by);
    let speeds = [
        own.facts(&format!("{name}: ours")),
        npm.facts(&format!("{name}: npm oidc-provider")),
        limit.facts(&format!("{name}: L")),
    ];
    let ratios = [of_npm.at_most(1.0 / TIMES), of_limit];
    Ok(speeds.into_iter().flatten().chain(ratios).collect())
}

/// What the limit reads.
async fn prepare_limit(redis_url: &str) -> Result<(), String> {
    let wrong = |error: deadpool_redis::redis::RedisError| error.to_string();
    let client = Client::open(redis_url).map_err(wrong)?;
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .map_err(wrong)?;
    let set = cmd("SET").arg(limit::KEY).arg(stand_in::BODY).to_owned();
    set.query_async(&mut connection).await.map_err(wrong)
}

/// A site of its own with a client, on the services' core.
async fn site(fleet: &Fleet) -> Result<Process, String> {
    let [mut recipe, _] = fleet.recipes();
    "site-provider".clone_into(&mut recipe.name);
    for (key, value) in [
        ("SITE__OIDC__SECRET", "the-benchs-oidc-secret-0123456789abc"),
        ("SITE__CLIENT__WIKI__SECRET", SECRET),
        ("SITE__CLIENT__WIKI__REDIRECT_URIS", CALLBACK),
        ("SITE__CLIENT__FORUM__SECRET", SECRET),
        ("SITE__CLIENT__FORUM__REDIRECT_URIS", CALLBACK),
        ("SITE__CLIENT__FORUM__ID_TOKEN_ALG", "ES256"),
    ] {
        recipe.environment.insert(key.to_owned(), value.to_owned());
    }
    Process::start(recipe).await
}

/// npm's, on the same core.
async fn npm(plan: &Plan, folder: &str) -> Result<Process, String> {
    let secret = ("CLIENT_SECRET".to_owned(), SECRET.to_owned());
    let script = PathBuf::from(folder).join("provider.mjs");
    let recipe = Recipe {
        launcher: plan.pin(Side::Service),
        arguments: vec![script.display().to_string()],
        environment: [secret].into(),
        ready: "provider ready ",
        ..Recipe::new("npm-provider", "node", &plan.folder)
    };
    Process::start(recipe).await
}

/// Where a process says that it listens.
fn address(process: &Process) -> Result<SocketAddr, String> {
    let (line, _) = process.ready().unwrap_or_default();
    let found = line.split(' ').find_map(|word| {
        let url = word.trim_start_matches("public=").strip_prefix("http://")?;
        url.parse().ok()
    });
    found.ok_or_else(|| format!("{} says {line:?} and no address", process.name()))
}

/// Cookies of somebody who is signed in, in many browsers.
async fn sessions(redis_url: &str) -> Result<Vec<String>, String> {
    let store = Store::new(&SecretString::from(redis_url)).map_err(|error| error.to_string())?;
    let wrong = |error: service_kit::redis::StoreError| error.to_string();
    let site_url = Url::parse(SITE_URL).map_err(|error| error.to_string())?;
    let member = MemberId {
        app_id: AppId::parse(harness::account::APP_ID).map_err(|error| error.to_string())?,
        openid: OpenId::parse("o6_bmjrPTlm6_2sgVt7hMZOPfL2M").map_err(|error| error.to_string())?,
    };
    let now = Timestamp::now();
    let follow = RecordFollow {
        member: member.clone(),
        at: now,
        profile: Some(Profile {
            unionid: None,
            nickname: Some("小林".to_owned()),
            avatar_url: None,
            location: None,
        }),
    };
    store.run(&follow).await.map_err(wrong)?;
    let cookies: Vec<String> = (0..SESSIONS)
        .map(|number| URL_SAFE_NO_PAD.encode(Sha256::digest(number.to_string())))
        .collect();
    let creates: Vec<CreateSession> = cookies
        .iter()
        .map(|cookie| CreateSession {
            site: SiteId::of(&site_url),
            id_sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(cookie)),
            session: Session {
                member: member.clone(),
                account: AccountName::default(),
                method: Method::Scan,
                begun_at: now,
                last_seen_at: now,
                place: None,
                approval: None,
                client: None,
            },
            lifetime: SessionLifetime {
                absolute: Duration::from_hours(24),
                idle: Duration::from_hours(24),
            },
        })
        .collect();
    store.run_all(&creates).await.map_err(wrong)?;
    Ok(cookies)
}

/// One turn.
async fn turn(
    plan: &Plan,
    provider: &Provider,
    work: Work,
    sessions: &[String],
    known: Option<f64>,
) -> Result<Speed, String> {
    let wanted = known.map_or(FIRST, |rate| enough(rate, plan.turn()));
    let requests = match work {
        Work::Exchange => {
            let codes = codes(provider, sessions, wanted, "code").await?;
            Requests::once(each(provider, &codes, exchange))
        }
        Work::Refresh => {
            let tokens = refresh_tokens(provider, sessions, wanted).await?;
            Requests::once(each(provider, &tokens, refresh))
        }
        Work::Userinfo => {
            let code = codes(provider, sessions, 1, "code").await?;
            let answer = answer(provider, &each(provider, &code, exchange)[0]).await?;
            let token = text(&answer, "access_token")?;
            let userinfo = provider.userinfo;
            let request = format!(
                "GET {userinfo} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
            );
            Requests::in_turn(vec![request.into_bytes()])
        }
    };
    let target = Target {
        address: provider.address,
        status: 200,
    };
    speed(provider.process, target, requests, plan.turn()).await
}

async fn limit_turn(plan: &Plan, fleet: &Fleet) -> Result<Speed, String> {
    let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", limit::REDIS);
    let target = Target {
        address: fleet.limit_address,
        status: 200,
    };
    speed(
        fleet.limit.id(),
        target,
        Requests::in_turn(vec![request.into_bytes()]),
        plan.turn(),
    )
    .await
}

async fn speed(
    process: u32,
    target: Target,
    requests: Requests,
    duration: Duration,
) -> Result<Speed, String> {
    let connections = load::connections(target, CONNECTIONS).await?;
    let before = processor_time(process)?;
    let outcome = load::run(target, &Arc::new(requests), connections, duration).await;
    let used = processor_time(process)?.saturating_sub(before);
    outcome.check()?;
    let count = float(outcome.nanoseconds.len() as u64);
    Ok(Speed {
        rate: count / outcome.wall.as_secs_f64(),
        cost: used.as_secs_f64() * 1e6 / count,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product is positive and bounded"
)]
fn enough(rate: f64, turn: Duration) -> usize {
    let needed = rate * turn.as_secs_f64() * MARGIN;
    (needed.min(100_000.0) as usize).max(FIRST)
}

/// Forms for the token endpoint.
fn each(provider: &Provider, items: &[String], form: fn(&str) -> String) -> Vec<Vec<u8>> {
    let made = items.iter().enumerate().map(|(number, item)| {
        let client = provider.client;
        let body = format!("{}&client_id={client}&client_secret={SECRET}", form(item));
        format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 10.0.0.{}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            provider.token,
            number % ADDRESSES,
            body.len()
        )
        .into_bytes()
    });
    made.collect()
}

fn exchange(code: &str) -> String {
    format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}")
}

fn refresh(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={token}")
}

/// The answer to a request, as JSON.
async fn answer(provider: &Provider, request: &[u8]) -> Result<Value, String> {
    let mut connection = open(provider).await?;
    let answer = connection.exchange(request).await;
    let answer = answer.map_err(|error| error.to_string())?;
    serde_json::from_slice(answer.body).map_err(|error| error.to_string())
}

async fn open(provider: &Provider) -> Result<Connection, String> {
    let connection = Connection::open(provider.address).await;
    connection.map_err(|error| format!("can't connect: {error}"))
}

fn text(json: &Value, member: &str) -> Result<String, String> {
    let text = json[member].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("no {member} in {json}"))
}

/// Fresh codes: by the browser's way at ours.
async fn codes(
    provider: &Provider,
    sessions: &[String],
    count: usize,
    kind: &str,
) -> Result<Vec<String>, String> {
    let mut connection = open(provider).await?;
    let client = provider.client;
    if !provider.is_ours {
        let ask = format!(
            "GET /mint?client={client}&kind={kind}&count={count} HTTP/1.1\r\nhost: localhost\r\n\r\n"
        );
        let made = connection.exchange(ask.as_bytes()).await;
        let made = made.map_err(|error| error.to_string())?;
        let made = String::from_utf8_lossy(made.body).into_owned();
        return Ok(made.lines().map(str::to_owned).collect());
    }
    let scope = if kind == "code" {
        "openid+profile"
    } else {
        "openid+profile+offline_access"
    };
    let mut codes = Vec::with_capacity(count);
    for cookie in sessions.iter().cycle().take(count) {
        let ask = format!(
            "GET /oidc/authorize?client_id={client}&response_type=code&scope={scope}&redirect_uri={CALLBACK} HTTP/1.1\r\n\
             host: localhost\r\ncookie: wechat-session={cookie}\r\n\r\n"
        );
        let answer = connection.exchange(ask.as_bytes()).await;
        let head = answer.map_err(|error| error.to_string())?.head.to_vec();
        let head = String::from_utf8_lossy(&head);
        let code = head.split_once("?code=").and_then(|(_, rest)| {
            let end = rest.find(['&', '\r'])?;
            Some(rest[..end].to_owned())
        });
        codes.push(code.ok_or_else(|| format!("no code: {head}"))?);
    }
    Ok(codes)
}

async fn refresh_tokens(
    provider: &Provider,
    sessions: &[String],
    count: usize,
) -> Result<Vec<String>, String> {
    let codes = codes(provider, sessions, count, "refresh").await?;
    if !provider.is_ours {
        return Ok(codes);
    }
    let mut connection = open(provider).await?;
    let mut tokens = Vec::with_capacity(count);
    for request in each(provider, &codes, exchange) {
        let answer = connection.exchange(&request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let json: Value = serde_json::from_slice(answer.body).map_err(|error| error.to_string())?;
        tokens.push(text(&json, "refresh_token")?);
    }
    Ok(tokens)
}
