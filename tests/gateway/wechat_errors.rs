//! What WeChat answers when it doesn't do what it was asked, as one table for each call: what the
//! caller sees, how often WeChat is called, which figure counts it, and what the log tells the
//! operator.
//!
//! The rows are those of the official list of error codes (全局返回码) and of what callers of the API
//! have seen: error pages, empty bodies, control characters, broken UTF-8.

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid, new_scene},
    deadline::eventually,
    stack::{Plan, Service, Stack},
    visitor::Answer,
};

use crate::{
    http::{self, assert_problem, retry_after},
    push_request::{PushRequest, scan, sealed_reply},
    web_authorizations,
};

const TOKEN: &str = "/cgi-bin/stable_token";
const CREATE: &str = "/cgi-bin/qrcode/create";
const USER_INFO: &str = "/cgi-bin/user/info";
const EXCHANGE: &str = "/sns/oauth2/access_token";
const LIST: &str = "/cgi-bin/getcallbackip";

/// How many systems run at once.
const AT_ONCE: usize = 4;

/// What the site is told.
#[derive(Debug, Clone, Copy)]
enum Sees {
    /// Success, such as 201.
    Code,
    /// 410: the code of web authorisation is spent.
    Spent,
    /// 503 `wechat_unavailable`, with this `Retry-After` in seconds.
    Unavailable(u32),
    /// 503 `wechat_refused`: the operator must act. With this `Retry-After` in seconds.
    Refused(u32),
}

/// What is injected.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Code(i64),
    /// A code with WeChat's own words.
    Words(i64, &'static str),
    Html,
    /// HTTP 200 with a page.
    Page,
    Empty,
    Status(u16),
    Timeout,
    HangUp,
    /// HTTP 200 with a good answer that holds these bytes, in base64.
    Bytes(&'static str),
}

use Fault::{Bytes, Code, Empty, HangUp, Html, Page, Status, Timeout, Words};
use Sees::{Refused, Unavailable};

/// A fault and what comes of it.
type Row = (
    // What goes wrong, and how often; 0: each time.
    Fault,
    u32,
    // What the caller sees.
    Sees,
    // How often the call with the fault is made, and that figure's outcome.
    u64,
    &'static str,
    // What one line of the log holds; empty: nothing in particular.
    &'static [&'static str],
);

const NOT_WHITELISTED: Fault = Words(
    40164,
    "invalid ip 118.190.42.90 ipv6 ::ffff:118.190.42.90, not in whitelist rid: 60aca0ce-5d8d1a2b-3c4d5e6f",
);

/// A good answer of `qrcode/create` with control characters in a text, and one with broken UTF-8.
const CONTROL_CHARACTERS: &str = "eyJ0aWNrZXQiOiJ0aWNrBwFldCIsImV4cGlyZV9zZWNvbmRzIjozMDAsInVybCI6Imh0dHA6Ly93ZWl4aW4ucXEuY29tL3EveCIsIm5vdGUiOiIUAAsifQ==";
const BROKEN_UTF8: &str = "eyJ0aWNrZXQiOiJ0aWNrZXQiLCJleHBpcmVfc2Vjb25kcyI6MzAwLCJ1cmwiOiJodHRwOi8vd2VpeGluLnFxLmNvbS9xL3giLCJub3RlIjoi//7DKCJ9";

#[rustfmt::skip]
const OF_CREATE: &[Row] = &[
    // Another token mends it: one refresh, one repeat.
    (Code(40001),       1, Sees::Code,         2, "40001",     &["the access token was refused", "let all use stable_token"]),
    (Code(40014),       1, Sees::Code,         2, "40014",     &["the access token was refused", "40014"]),
    (Code(42001),       1, Sees::Code,         2, "42001",     &["the access token was refused", "42001"]),
    (Code(40001),       0, Unavailable(5),     2, "40001",     &["can't create a QR code", "let all use stable_token"]),
    // The operator has to act.
    (NOT_WHITELISTED,   0, Refused(60),        1, "40164",     &["add 118.190.42.90 to the account's IP whitelist", "rid: 60aca0ce"]),
    (Code(61004),       0, Refused(60),        1, "61004",     &["IP whitelist"]),
    (Code(48001),       0, Refused(60),        1, "48001",     &["认证服务号"]),
    (Code(40013),       0, Refused(60),        1, "40013",     &["the AppID is wrong"]),
    (Code(45103),       0, Refused(60),        1, "45103",     &["does not offer this API"]),
    (Code(48004),       0, Refused(60),        1, "48004",     &["has banned the account"]),
    (Code(50002),       0, Refused(60),        1, "50002",     &["restricted or frozen"]),
    (Code(99999),       0, Refused(60),        1, "99999",     &["全局返回码", "rid: "]),
    // Later.
    (Code(45009),       0, Unavailable(3600),  1, "45009",     &["clear_quota"]),
    (Code(45011),       0, Unavailable(60),    1, "45011",     &["too many calls of this API in a minute"]),
    (Code(89503),       0, Unavailable(60),    1, "89503",     &["an administrator must confirm"]),
    // It passes: two repeats within five seconds.
    (Code(-1),          1, Sees::Code,         2, "-1",        &["retrying", "WeChat is busy"]),
    (Code(-1),          0, Unavailable(5),     3, "-1",        &["can't create a QR code", "WeChat is busy"]),
    (Code(268_487_001), 0, Unavailable(5),     3, "268487001", &["WeChat is busy"]),
    (Status(500),       2, Sees::Code,         3, "http_500",  &["retrying", "HTTP 500"]),
    (Status(503),       0, Unavailable(5),     3, "http_503",  &["can't create a QR code", "HTTP 503"]),
    (Html,              0, Unavailable(5),     3, "http_502",  &["HTTP 502", "proxies"]),
    (Page,              0, Unavailable(5),     3, "malformed", &["is not a JSON object", "proxies"]),
    (Empty,             0, Unavailable(5),     3, "empty",     &["without a body"]),
    (Timeout,           1, Sees::Code,         2, "timeout",   &["retrying", "it took too long"]),
    (Timeout,           0, Unavailable(5),     2, "timeout",   &["can't create a QR code", "it took too long"]),
    // A connection that was closed instead of an answer is nothing to wait for.
    (HangUp,            1, Sees::Code,         2, "closed",    &[]),
    (HangUp,            0, Unavailable(5),     6, "closed",    &["can't create a QR code", "can't be reached"]),
    // Bytes that strict parsers refuse are no fault.
    (Bytes(CONTROL_CHARACTERS), 0, Sees::Code, 1, "ok",        &[]),
    (Bytes(BROKEN_UTF8),        0, Sees::Code, 1, "ok",        &[]),
];

/// `stable_token`, asked for because a stranger's refresh ended the token.
#[rustfmt::skip]
const OF_TOKEN: &[Row] = &[
    // WeChat isn't asked again before the operator can have acted.
    (NOT_WHITELISTED,   0, Refused(60),        1, "40164",     &["can't get an access token", "add 118.190.42.90 to", "retry_in_seconds=60"]),
    (Code(40001),       0, Refused(300),       1, "40001",     &["can't get an access token", "the AppSecret is wrong"]),
    (Code(40013),       0, Refused(300),       1, "40013",     &["can't get an access token", "the AppID is wrong"]),
    (Code(40125),       0, Refused(300),       1, "40125",     &["can't get an access token", "take the current one from the console"]),
    (Code(40243),       0, Refused(300),       1, "40243",     &["can't get an access token", "unfreeze it in the console"]),
    (Code(41002),       0, Refused(300),       1, "41002",     &["can't get an access token", "arrived empty"]),
    (Code(48001),       0, Refused(300),       1, "48001",     &["can't get an access token", "认证服务号"]),
    (Code(50002),       0, Refused(300),       1, "50002",     &["can't get an access token", "restricted or frozen"]),
    (Code(50004),       0, Refused(300),       1, "50004",     &["can't get an access token", "forbids the account"]),
    (Code(50007),       0, Refused(300),       1, "50007",     &["can't get an access token", "restricted or frozen"]),
    (Code(99999),       0, Refused(300),       1, "99999",     &["can't get an access token", "全局返回码"]),
    (Code(45009),       0, Unavailable(3600),  1, "45009",     &["can't get an access token", "clear_quota", "retry_in_seconds=3600"]),
    (Code(45011),       0, Unavailable(60),    1, "45011",     &["can't get an access token", "retry_in_seconds=60"]),
    (Code(89503),       0, Unavailable(60),    1, "89503",     &["can't get an access token", "an administrator must confirm"]),
    (Code(89507),       0, Unavailable(3600),  1, "89507",     &["can't get an access token", "blocked for an hour"]),
    // It passes: after 1, 2 and 4 seconds.
    (Code(-1),          1, Sees::Code,         2, "-1",        &["can't get an access token", "WeChat is busy", "retry_in_seconds=1"]),
    (Code(-1),          0, Unavailable(4),     3, "-1",        &["can't get an access token", "retry_in_seconds=4"]),
    (Status(500),       0, Unavailable(4),     3, "http_500",  &["can't get an access token", "HTTP 500"]),
    (Html,              0, Unavailable(4),     3, "http_502",  &["can't get an access token", "HTTP 502"]),
    (Page,              0, Unavailable(4),     3, "malformed", &["can't get an access token", "is not a JSON object"]),
    (Empty,             0, Unavailable(4),     3, "empty",     &["can't get an access token", "check the AppSecret"]),
    (Timeout,           0, Unavailable(2),     2, "timeout",   &["can't get an access token", "it took too long"]),
    (HangUp,            1, Sees::Code,         2, "closed",    &[]),
];

/// `user/info`, while a push waits: the scan logs in whatever comes.
#[rustfmt::skip]
const OF_USER_INFO: &[Row] = &[
    (Code(40001),       1, Sees::Code,         2, "40001",     &["the access token was refused"]),
    (Code(40003),       0, Sees::Code,         1, "40003",     &["the login continues without a profile", "40003"]),
    (Code(48001),       0, Sees::Code,         1, "48001",     &["the login continues without a profile", "认证服务号"]),
    (Code(45009),       0, Sees::Code,         1, "45009",     &["the login continues without a profile", "clear_quota"]),
    (Code(50002),       0, Sees::Code,         1, "50002",     &["the login continues without a profile", "restricted or frozen"]),
    (Code(-1),          0, Sees::Code,         1, "-1",        &["the login continues without a profile", "WeChat is busy"]),
    (Html,              0, Sees::Code,         1, "http_502",  &["the login continues without a profile", "HTTP 502"]),
    (Empty,             0, Sees::Code,         1, "empty",     &["the login continues without a profile", "without a body"]),
    (HangUp,            1, Sees::Code,         2, "closed",    &[]),
    (Code(99999),       0, Sees::Code,         1, "99999",     &["the login continues without a profile", "全局返回码"]),
];

/// `sns/oauth2/access_token`, while a person waits to be logged in inside WeChat.
#[rustfmt::skip]
const OF_EXCHANGE: &[Row] = &[
    // Another consent mends it.
    (Code(40029),       0, Sees::Spent,        1, "40029",     &[]),
    (Code(40163),       0, Sees::Spent,        1, "40163",     &[]),
    (Code(42003),       0, Sees::Spent,        1, "42003",     &[]),
    // The operator has to act.
    (NOT_WHITELISTED,   0, Refused(60),        1, "40164",     &["authorisation code can't be exchanged", "add 118.190.42.90 to"]),
    (Code(40125),       0, Refused(60),        1, "40125",     &["authorisation code can't be exchanged", "take the current one from the console"]),
    (Code(99999),       0, Refused(60),        1, "99999",     &["authorisation code can't be exchanged", "全局返回码"]),
    // Later.
    (Code(45011),       0, Unavailable(60),    1, "45011",     &["authorisation code can't be exchanged", "too many calls of this API in a minute"]),
    // It passes: two repeats within 4.5 seconds.
    (Code(-1),          1, Sees::Code,         2, "-1",        &["retrying", "WeChat is busy"]),
    (Code(-1),          0, Unavailable(5),     3, "-1",        &["authorisation code can't be exchanged", "WeChat is busy"]),
    (Status(500),       2, Sees::Code,         3, "http_500",  &["retrying", "HTTP 500"]),
    (Status(503),       0, Unavailable(5),     3, "http_503",  &["authorisation code can't be exchanged", "HTTP 503"]),
    (Html,              0, Unavailable(5),     3, "http_502",  &["authorisation code can't be exchanged", "HTTP 502"]),
    (Empty,             0, Unavailable(5),     3, "empty",     &["authorisation code can't be exchanged", "without a body"]),
    (Timeout,           1, Sees::Code,         2, "timeout",   &["retrying", "it took too long"]),
    (HangUp,            1, Sees::Code,         2, "closed",    &[]),
];

/// `getcallbackip`, which nobody waits for: after a failure it is asked again in a minute.
#[rustfmt::skip]
const OF_LIST: &[Row] = &[
    (Code(40001),       1, Sees::Code,         2, "40001",     &["the access token was refused"]),
    (Code(42001),       1, Sees::Code,         2, "42001",     &["the access token was refused"]),
    (Code(-1),          0, Sees::Code,         1, "-1",        &["can't fetch WeChat's callback IPs", "WeChat is busy"]),
    (Code(40013),       0, Sees::Code,         1, "40013",     &["can't fetch WeChat's callback IPs", "the AppID is wrong"]),
    (Code(45009),       0, Sees::Code,         1, "45009",     &["can't fetch WeChat's callback IPs", "clear_quota"]),
    (Code(48001),       0, Sees::Code,         1, "48001",     &["can't fetch WeChat's callback IPs", "认证服务号"]),
    (Status(500),       0, Sees::Code,         1, "http_500",  &["can't fetch WeChat's callback IPs", "HTTP 500"]),
    (Html,              0, Sees::Code,         1, "http_502",  &["can't fetch WeChat's callback IPs", "HTTP 502"]),
    (Empty,             0, Sees::Code,         1, "empty",     &["can't fetch WeChat's callback IPs", "without a body"]),
    (Timeout,           0, Sees::Code,         1, "timeout",   &["can't fetch WeChat's callback IPs", "it took too long"]),
    (HangUp,            1, Sees::Code,         2, "closed",    &["fetched WeChat's callback IPs"]),
];

impl Fault {
    fn rule(self, path: &str, times: u32) -> Value {
        let mut rule = match self {
            Code(errcode) => json!({ "kind": "errcode", "errcode": errcode }),
            Words(errcode, errmsg) => {
                let body = json!({ "errcode": errcode, "errmsg": errmsg });
                json!({ "kind": "body", "body": body.to_string() })
            }
            Html => json!({ "kind": "html" }),
            Page => json!({ "kind": "body", "body": "<html>maintenance</html>" }),
            Empty => json!({ "kind": "empty" }),
            Status(status) => json!({ "kind": "status", "status": status }),
            Timeout => json!({ "kind": "slow", "delay_ms": 60_000 }),
            HangUp => json!({ "kind": "hang_up" }),
            Bytes(base64) => json!({ "kind": "body", "base64": base64 }),
        };
        rule["path"] = path.into();
        if times > 0 {
            rule["times"] = times.into();
        }
        json!([rule])
    }
}

/// A system in which one fault is injected.
struct Trial {
    stack: Stack,
    row: Row,
    path: &'static str,
    calls_before: u64,
}

impl Trial {
    async fn prepare(path: &'static str, row: Row) -> Self {
        Self::of(http::start(Plan::default()).await, path, row).await
    }

    async fn of(stack: Stack, path: &'static str, row: Row) -> Self {
        let calls_before = stack.wechat.calls(path).await;
        stack.wechat.faults(row.0.rule(path, row.1)).await;
        Self {
            stack,
            row,
            path,
            calls_before,
        }
    }

    fn gateway(&self) -> &Service {
        &self.stack.gateways[0]
    }

    async fn create(&self) -> Answer {
        let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
        http::post(self.gateway(), "/v1/qrcodes", &body).await
    }

    fn is_seen(&self, answer: &Answer) {
        let row = self.row;
        let (code, expected) = match row.2 {
            Sees::Code => {
                assert!(answer.status.is_success(), "{row:?}: {}", answer.text);
                return;
            }
            Sees::Spent => {
                assert_problem(answer, 410, "authorization_code_spent");
                return;
            }
            Unavailable(after) => ("wechat_unavailable", after),
            Refused(after) => ("wechat_refused", after),
        };
        assert_eq!(answer.json["code"], code, "{row:?}: {}", answer.text);
        assert_problem(answer, 503, code);
        let after = retry_after(answer);
        // A pause has begun to run out by the time it is told.
        assert!(
            (expected.saturating_sub(2).max(1)..=expected).contains(&after),
            "{row:?}: {after} s"
        );
        if let (Refused(_), Words(_, _)) = (row.2, row.0) {
            assert!(answer.text.contains("118.190.42.90"), "{}", answer.text);
        }
    }

    /// The calls were made as often as the row says, and the figures and the log say so.
    async fn is_recorded(&self) {
        let (fault, times, _, calls, outcome, words) = self.row;
        let row = self.row;
        let made = self.stack.wechat.calls(self.path).await - self.calls_before;
        assert_eq!(made, calls, "{row:?}");
        let name = self
            .path
            .trim_start_matches("/cgi-bin")
            .trim_start_matches('/');
        let figures = http::get(self.gateway(), "/metrics").await.text;
        let figure = format!(
            "wechat_api_calls_total{{call=\"{name}\",outcome=\"{outcome}\",account=\"default\"}} "
        );
        let counted = figures.lines().find_map(|line| line.strip_prefix(&figure));
        let failed = if times == 0 { calls } else { times.into() };
        // The tokens that were had before were counted as well.
        let expected = if matches!(fault, Bytes(_)) { 1 } else { failed };
        assert_eq!(
            counted,
            Some(expected.to_string().as_str()),
            "{row:?}: {figures}"
        );
        eventually(&format!("{row:?}: the log holds {words:?}"), async || {
            let lines = self.gateway().process.lines();
            let told = |line: &String| words.iter().all(|word| line.contains(word));
            (words.is_empty() || lines.iter().any(told)).then_some(())
        })
        .await;
    }
}

async fn all_rows(rows: &'static [Row], trial: impl AsyncFn(Row)) {
    let trials = stream::iter(rows).map(|row| trial(*row));
    trials.buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test]
async fn creating_a_code() {
    all_rows(OF_CREATE, async |row| {
        let trial = Trial::prepare(CREATE, row).await;
        let tokens = trial.stack.wechat.calls(TOKEN).await;
        let answer = trial.create().await;
        trial.is_seen(&answer);
        trial.is_recorded().await;
        // WeChat hands out the token that it refused, so another one is forced.
        let refreshed = if row.4.starts_with("4000") || matches!(row.4, "40014" | "42001") {
            2
        } else {
            0
        };
        let asked = trial.stack.wechat.calls(TOKEN).await - tokens;
        assert_eq!(asked, refreshed, "{row:?}");
    })
    .await;
}

#[tokio::test]
async fn getting_another_token() {
    all_rows(OF_TOKEN, async |row| {
        let trial = Trial::prepare(TOKEN, row).await;
        trial
            .stack
            .wechat
            .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
            .await;
        let answer = trial.create().await;
        trial.is_seen(&answer);
        trial.is_recorded().await;
        let succeeded = matches!(row.2, Sees::Code);
        let created = trial.stack.wechat.calls(CREATE).await;
        // The call with the token that is known to be refused isn't repeated.
        assert_eq!(created, if succeeded { 2 } else { 1 }, "{row:?}");
        if row.3 == 1 {
            // WeChat is left alone: everybody is told at once what is wrong.
            trial.is_seen(&trial.create().await);
            let token = http::get(trial.gateway(), "/v1/access-token").await;
            trial.is_seen(&token);
            let ready = http::get(trial.gateway(), "/readyz").await;
            assert_problem(&ready, 503, "wechat_unavailable");
            trial.is_recorded().await;
            assert_eq!(trial.stack.wechat.calls(CREATE).await, created, "{row:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn asking_for_a_profile() {
    all_rows(OF_USER_INFO, async |row| {
        let trial = Trial::prepare(USER_INFO, row).await;
        let store = trial.stack.redis.store();
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let answer = PushRequest::safe(&scan(&person, &scene))
            .send(trial.gateway())
            .await;
        sealed_reply(&answer, &person);
        assert_eq!(attempts::owner(&store, &scene).await, person, "{row:?}");
        trial.is_recorded().await;
    })
    .await;
}

#[tokio::test]
async fn exchanging_a_code_of_web_authorisation() {
    all_rows(OF_EXCHANGE, async |row| {
        let trial = Trial::prepare(EXCHANGE, row).await;
        let store = trial.stack.redis.store();
        let scene = attempts::open(&store).await;
        let person = trial.stack.wechat.person("小林", true).await;
        let code = web_authorizations::code(&trial.stack, &person, &scene).await;
        let body = json!({ "scene": scene.as_str(), "code": code });
        let path = "/v1/web-authorizations/complete";
        let answer = http::post(trial.gateway(), path, &body).await;
        trial.is_seen(&answer);
        trial.is_recorded().await;
    })
    .await;
}

#[tokio::test]
async fn fetching_the_callback_addresses() {
    all_rows(OF_LIST, async |row| {
        let plan = Plan::default().gateway("GATEWAY__WECHAT__CHECK_CALLBACK_IP", "true");
        let stack = http::start(plan.gateways(0)).await;
        let mut trial = Trial::of(stack, LIST, row).await;
        trial.stack.add_gateway().await;
        eventually(&format!("{row:?}: the list was asked for"), async || {
            let lines = trial.gateway().process.lines();
            let told = |line: &String| line.contains("WeChat's callback IPs");
            lines.iter().any(told).then_some(())
        })
        .await;
        trial.is_recorded().await;
        // A login needs no list.
        trial.is_seen(&trial.create().await);
    })
    .await;
}
