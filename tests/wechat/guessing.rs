//! Somebody who guesses digits of other people's logins, with many openids.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use login_protocol::digits;
use reqwest::{Client, StatusCode};
use service_kit::random;
use system_tests::{
    attempts::new_openid,
    deadline::PATIENCE,
    stack::{Plan, Stack},
};
use wechat_wire::push::{Push, PushBody};

use crate::relay::{message, plain};

/// As many logins wait at the same time.
const ATTEMPTS: usize = 1000;

/// Fifty openids have six times ten minutes in an hour. Three hundred have as many guesses within
/// ten minutes, and nobody has to wait.
const GUESSERS: u32 = 50 * 6;

/// What each of them sends: five are looked at.
const MESSAGES: u32 = 8;

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

async fn begin(http: &Client, stack: &Stack) {
    let url = format!("{}/api/login", stack.sites[0].public);
    let answer = http.post(url).send().await.expect("the site answers");
    assert_eq!(answer.status(), StatusCode::CREATED);
}

async fn guess(http: &Client, stack: &Stack, openid: &str, number: u32) {
    let drawn = digits::candidates(random::bytes().expect("there are random bytes"));
    // Seven digits, which 900 of the logins have: the best that they can do.
    let text = &drawn[0][..7];
    let sent = plain(&Push {
        from_user_name: openid.to_owned(),
        body: PushBody::Message {
            msg_type: "text".to_owned(),
            msg_id: Some(number.to_string()),
            content: Some(text.to_owned()),
        },
        ..message(text)
    });
    let url = format!(
        "{}/wechat/callback?{}",
        stack.gateways[0].public, sent.query
    );
    let answer = http.post(url).body(sent.body).send().await;
    let status = answer.expect("the gateway answers").status();
    assert_eq!(status, StatusCode::OK);
}

/// How the gateway judged, by outcome.
async fn judged(http: &Client, stack: &Stack) -> BTreeMap<String, u32> {
    let url = format!("{}/metrics", stack.gateways[0].internal);
    let answer = http.get(url).send().await.expect("the gateway answers");
    let figures = answer.text().await.expect("the answer has a body");
    let lines = figures.lines().filter_map(|line| {
        let (outcome, rest) = line
            .strip_prefix("login_guesses_total{outcome=\"")?
            .split_once('"')?;
        let (_, count) = rest.rsplit_once(' ')?;
        Some((outcome.to_owned(), count.parse().ok()?))
    });
    lines.collect()
}

#[tokio::test]
async fn an_hours_guesses_hit_as_seldom_as_computed() {
    let stack = Plan::default()
        .plain()
        .site("SITE__LOGIN__METHOD", "code")
        .site("SITE__LOGIN__TTL_SECONDS", "3600")
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .start()
        .await;
    let http = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    stream::iter(0..ATTEMPTS)
        .for_each_concurrent(AT_ONCE, |_| begin(&http, &stack))
        .await;
    let given: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:digits:*"])
        .await;
    assert_eq!(
        given.len(),
        ATTEMPTS,
        "all are pending, and no two share digits"
    );

    let people = (0..GUESSERS).map(|_| new_openid());
    stream::iter(people)
        .for_each_concurrent(AT_ONCE, |openid| {
            let (http, stack) = (&http, &stack);
            async move {
                for number in 0..MESSAGES {
                    guess(http, stack, &openid, number).await;
                }
            }
        })
        .await;
    let judged = judged(&http, &stack).await;
    let of = |outcome: &str| judged.get(outcome).copied().unwrap_or_default();
    let (hits, wrong, locked) = (of("right"), of("wrong"), of("locked"));
    assert_eq!(hits + wrong + locked, GUESSERS * MESSAGES, "{judged:?}");
    assert_eq!(of("repeated"), 0, "{judged:?}");
    // Five wrong ones are looked at of each person. (Who hit may send more: at most all eight.)
    assert!(wrong <= GUESSERS * 5, "{judged:?}");
    assert!(wrong + hits >= GUESSERS * 5, "{judged:?}");
    // 1,500 guesses at 0.9 in 10,000 each are 0.135 hits; six or more are less likely than one in
    // a hundred million. Each hit is one login.
    assert!(hits < 6, "{judged:?}");
    let statuses = confirmed(&stack).await;
    assert_eq!(statuses, hits);
}

/// How many attempts somebody has confirmed.
async fn confirmed(stack: &Stack) -> u32 {
    let attempts: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:attempt:*"])
        .await;
    let mut count = 0;
    for attempt in attempts {
        let status: String = stack.redis.command(&["HGET", &attempt, "status"]).await;
        count += u32::from(status == "confirmed");
    }
    count
}
