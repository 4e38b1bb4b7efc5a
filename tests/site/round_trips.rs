//! What a login costs Redis, by Redis' own count.

use std::thread;

use crate::oidc::client::{
    self, Client, authorize_path, authorized, location, of_wiki, query, text,
};
use reqwest::Method;
use system_tests::{
    deadline::eventually,
    redis_server::RedisServer,
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};

/// So many logins share one taking of the day's codes.
const SHARE: u64 = 20;

/// How often Redis has read from any connection: once for whatever arrives together, so once a
/// round trip. Beside those, the site looks every few seconds whether its subscription still lives,
/// and whether Redis still has the attempt of a browser that waits; and both services write what
/// they counted for the console, by the one script that says EXPIREAT.
struct Count {
    reads: u64,
    looks: u64,
}

impl Count {
    async fn of(redis: &RedisServer) -> Self {
        let statistics: String = redis.command(&["INFO", "everything"]).await;
        let number = |name: &str| {
            let line = statistics.lines().find_map(|line| line.strip_prefix(name));
            let digits = line.map(|line| line.split(',').next().unwrap_or_default());
            digits.map_or(0, |digits| {
                digits.trim().parse::<u64>().expect("it is a number")
            })
        };
        Self {
            reads: number("total_reads_processed:"),
            looks: number("cmdstat_ping:calls=")
                + number("cmdstat_exists:calls=")
                + number("cmdstat_expireat:calls="),
        }
    }

    /// Round trips since an earlier count.
    fn since(&self, earlier: &Self) -> u64 {
        (self.reads - earlier.reads) - (self.looks - earlier.looks)
    }
}

/// Waits until both services have written what they counted, so that Redis knows the script.
async fn have_counted(stack: &Stack) {
    eventually("both services have written their figures", async || {
        let keys: Vec<String> = stack.redis.command(&["KEYS", "wechat-login:stats:*"]).await;
        for key in keys {
            let figures: Vec<Option<String>> = stack
                .redis
                .command(&["HMGET", &key, "scanned", "completed"])
                .await;
            if figures.iter().all(Option::is_some) {
                return Some(());
            }
        }
        None
    })
    .await;
}

/// Logs in, and may have been signed in before.
async fn log_in_again(stack: &Stack, person: &Person, visitor: &mut Visitor) {
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    visitor.complete().await;
}

/// Has each worker of the gateway's internal listener, to which connections go in turn, make its
/// connection to Redis. Logins need it only when one of them takes the day's codes.
async fn meet_every_worker(stack: &Stack, workers: u64) {
    for _ in 0..workers {
        let mut visitor = Visitor::new(&stack.gateways[0].internal);
        let ready = visitor.call(Method::GET, "/readyz").await;
        assert_eq!(ready.status, 200);
    }
}

/// Before somebody with a UnionID is given a subject, Redis is asked for the one that they have
/// under another account: once in their life. A later login in the same browser takes one as well,
/// which ends the session that the browser had.
#[tokio::test]
async fn a_unionid_costs_one_round_trip_once() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "1000");
    let stack = plan.start().await;
    // Begun logins whose cookies stay would be read again; here each begins without.
    let fresh = |visitor: &mut Visitor| drop(visitor.cookies().remove("wechat-login"));
    let workers = thread::available_parallelism().map_or(1, usize::from) as u64;
    meet_every_worker(&stack, workers).await;
    for number in 0..4 * workers {
        let person = stack
            .wechat
            .person_of_union(&format!("oUnion-before-{number}"))
            .await;
        let mut visitor = stack.visitor();
        for _ in 0..2 {
            fresh(&mut visitor);
            log_in_again(&stack, &person, &mut visitor).await;
        }
    }
    have_counted(&stack).await;
    let before = Count::of(&stack.redis).await;
    let own = Count::of(&stack.redis).await.since(&before);
    let mut people = Vec::new();
    for number in 0..SHARE {
        let person = stack
            .wechat
            .person_of_union(&format!("oUnion-{number}"))
            .await;
        people.push((person, stack.visitor()));
    }
    for round_trips in [8, 8] {
        let before = Count::of(&stack.redis).await;
        for (person, visitor) in &mut people {
            fresh(visitor);
            log_in_again(&stack, person, visitor).await;
        }
        let used = Count::of(&stack.redis).await.since(&before) - own;
        assert_eq!(used, SHARE * round_trips + 1);
    }
}

#[tokio::test]
async fn a_whole_login_takes_seven_round_trips() {
    takes_seven_round_trips(Plan::default()).await;
}

#[tokio::test]
async fn a_login_with_a_ticket_takes_no_more() {
    let key = "a-key-for-the-shops-backend-0123456789";
    takes_seven_round_trips(Plan::default().site("SITE__INTERNAL__API_KEY", key)).await;
}

async fn takes_seven_round_trips(plan: Plan) {
    let stack = plan.start().await;
    let log_in = async |number: u64| {
        // Somebody whom nobody knows yet, so that `user/info` is asked.
        let person = stack.wechat.person(&format!("访客{number}"), true).await;
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        let mut events = visitor.events().await;
        assert_eq!(events.next_status().await.as_deref(), Some("pending"));
        stack.wechat.scan(&person, &content).await;
        assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
        visitor.complete().await;
    };
    // Each worker of both services makes its connection, Redis learns the scripts, the gateway gets
    // its token.
    let workers = thread::available_parallelism().map_or(1, usize::from) as u64;
    meet_every_worker(&stack, workers).await;
    for number in 0..4 * workers {
        log_in(SHARE + number).await;
    }
    have_counted(&stack).await;
    let before = Count::of(&stack.redis).await;
    let own = Count::of(&stack.redis).await.since(&before);

    let before = Count::of(&stack.redis).await;
    for number in 0..SHARE {
        log_in(number).await;
    }
    let used = Count::of(&stack.redis).await.since(&before) - own;
    assert_eq!(
        used,
        SHARE * 7 + 1,
        "seven for each, and one for the next share of codes"
    );
}

/// A code's exchange and a refresh ask whose the grant is and how they stand in one, and write in
/// another; userinfo writes nothing.
#[tokio::test]
async fn a_clients_calls_take_one_round_trip_or_two() {
    let stack = client::plan().start().await;
    let wiki = Client::of(&stack);
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let first = authorized(&stack, &mut visitor, &person, &fields).await;
    let mut codes = vec![first["code"].clone()];
    let mut warming = Vec::new();
    for _ in 0..SHARE {
        for codes in [&mut codes, &mut warming] {
            let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
            codes.push(query(&location(&answer))["code"].clone());
        }
    }
    warming.extend(codes.pop());
    // Each worker makes its connection, and Redis learns the scripts.
    let mut grants = Vec::new();
    for code in warming {
        let tokens = wiki.exchange(&code).await.json;
        let refreshed = wiki.refresh(&text(&tokens, "refresh_token")).await;
        grants.push(refreshed.json);
    }
    for tokens in &grants {
        assert_eq!(
            wiki.userinfo(&text(tokens, "access_token")).await.status,
            200
        );
    }
    have_counted(&stack).await;
    let before = Count::of(&stack.redis).await;
    let own = Count::of(&stack.redis).await.since(&before);

    let mut counts = Vec::new();
    let mut count = async || {
        let now = Count::of(&stack.redis).await;
        counts.push(now);
    };
    count().await;
    let mut tokens = Vec::new();
    for code in &codes {
        tokens.push(wiki.exchange(code).await.json);
    }
    count().await;
    for one in &mut tokens {
        *one = wiki.refresh(&text(one, "refresh_token")).await.json;
    }
    count().await;
    for one in &tokens {
        assert_eq!(wiki.userinfo(&text(one, "access_token")).await.status, 200);
    }
    count().await;
    let used: Vec<u64> = counts
        .windows(2)
        .map(|pair| (pair[1].since(&pair[0]) - own) / SHARE)
        .collect();
    assert_eq!(used, [2, 2, 1], "exchange, refresh, userinfo");
}
