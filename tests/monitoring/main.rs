//! What operators see: the metrics, and the dashboard and alert rules in `deploy/monitoring` with a
//! real Prometheus.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
};

use reqwest::Method;
use serde_json::Value;
use system_tests::{
    deadline::{PATIENCE, eventually},
    prometheus::Prometheus,
    stack::{API_KEY, Plan, Service, Stack},
    visitor::Visitor,
    webhook_receiver::{Receiver, SECRET},
};

mod funnel;
mod traces;

const RULES: &str = include_str!("../../deploy/monitoring/alerts.yml");
const DASHBOARD: &str = include_str!("../../deploy/monitoring/grafana-dashboard.json");
const DOCUMENTED: [&str; 2] = [
    include_str!("../../docs/operations.md"),
    include_str!("../../docs/operations.zh-CN.md"),
];

/// The rules for a run of seconds: nothing has to last, rates are those of ten seconds, and an event
/// that waits for three is late.
fn quick_rules() -> String {
    let lines = RULES
        .lines()
        .filter(|line| !line.trim_start().starts_with("for:"));
    let mut rules = lines.collect::<Vec<_>>().join("\n");
    for window in ["[1m]", "[5m]", "[15m]"] {
        rules = rules.replace(window, "[10s]");
    }
    let lag = "(webhook_lag_seconds) > ";
    assert!(rules.contains(&format!("{lag}300\n")));
    rules.replace(&format!("{lag}300\n"), &format!("{lag}3\n"))
}

async fn watched(stack: &Stack) -> Prometheus {
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let gateway = address(&stack.gateways[0].internal);
    let site = address(&stack.sites[0].internal);
    let targets = [("wechat-gateway", gateway.as_str()), ("site", &site)];
    Prometheus::start(&targets, &quick_rules(), &stack.log).await
}

async fn log_in(stack: &Stack, nickname: &str) -> Visitor {
    let person = stack.wechat.person(nickname, true).await;
    let mut visitor = stack.visitor();
    let code = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &code).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    visitor.complete().await;
    visitor
}

async fn metrics(service: &Service) -> String {
    let client = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    let answer = client
        .get(format!("{}/metrics", service.internal))
        .send()
        .await;
    let text = answer.expect("the service answers").text().await;
    text.expect("the answer has a body")
}

fn named<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let lines = text
        .lines()
        .filter_map(move |line| line.strip_prefix(prefix));
    lines.filter_map(|line| line.split_once(' '))
}

#[tokio::test]
async fn each_metric_says_what_it_is_and_stands_in_the_documents() {
    let stack = Plan::default().start().await;
    log_in(&stack, "小雨").await;
    for service in [&stack.gateways[0], &stack.sites[0]] {
        let text = metrics(service).await;
        let helped: BTreeSet<&str> = named(&text, "# HELP ").map(|(name, _)| name).collect();
        for (name, kind) in named(&text, "# TYPE ") {
            assert!(helped.contains(name), "{name} has no HELP");
            let is_total = name.ends_with("_total");
            // The collector of the process calls its sum of seconds a counter as well.
            assert_eq!(kind == "counter", is_total, "{name} is a {kind}");
            assert!(
                !name.contains("_ms") && !name.contains("milli"),
                "{name}: base units"
            );
            if name.starts_with("process_") {
                continue;
            }
            for document in DOCUMENTED {
                assert!(
                    document.contains(&format!("`{name}`")),
                    "{name} isn't documented"
                );
            }
        }
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}

#[tokio::test]
async fn promtool_has_nothing_to_say_about_the_metrics() {
    let stack = Plan::default().start().await;
    log_in(&stack, "小雨").await;
    for service in [&stack.gateways[0], &stack.sites[0]] {
        let text = metrics(service).await;
        let promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut promtool = promtool.expect("promtool can be run");
        let mut input = promtool.stdin.take().expect("its input is a pipe");
        input.write_all(text.as_bytes()).expect("it reads");
        drop(input);
        let output = promtool.wait_with_output().expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}

#[tokio::test]
async fn whatever_strangers_send_makes_no_series_of_its_own() {
    let stack = Plan::default().start().await;
    log_in(&stack, "小雨").await;
    let (site, gateway) = (&stack.sites[0], &stack.gateways[0]);
    let strange = async |number: usize| {
        for service in [site, gateway] {
            for path in [
                "/nowhere",
                "/api/login",
                "/wechat/callback",
                "/wechat/x/callback",
            ] {
                let mut visitor = Visitor::new(&service.public);
                visitor.set_header("user-agent", &format!("agent-{number}"));
                visitor.set_header("x-request-id", &format!("request-{number}"));
                let path = format!("{path}{}?scene=s{number}", ["", "/"][number % 2]);
                let path = path.replace("nowhere", &format!("nowhere-{number}"));
                visitor
                    .try_call(Method::GET, &path.replace("/x/", &format!("/x{number}/")))
                    .await;
                let method = Method::from_bytes(format!("M{number}").as_bytes());
                visitor.try_call(method.expect("a method"), &path).await;
            }
        }
        // Methods of logins, and accounts, that there are not.
        let mut visitor = Visitor::new(&site.public);
        visitor.set_header("x-forwarded-for", &format!("192.0.2.{number}"));
        let path = format!("/api/login?method=m{number}");
        visitor.try_call(Method::POST, &path).await;
        let mut backend = Visitor::new(&gateway.internal);
        backend.set_header("authorization", &format!("Bearer {API_KEY}"));
        for path in ["/v1/members", "/v1/access-token", "/v1/events"] {
            let path = format!("{path}?account=nobody{number}");
            backend.try_call(Method::GET, &path).await;
        }
    };
    strange(0).await;
    strange(1).await;
    let series = async || {
        let lines = [metrics(site).await, metrics(gateway).await].concat();
        let lines = lines.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    // The first answer counts as a request in the second.
    let _: BTreeSet<String> = series().await;
    let before: BTreeSet<String> = series().await;
    for number in 2..40 {
        strange(number).await;
    }
    let after: BTreeSet<String> = series().await;
    let added: Vec<_> = after.difference(&before).collect();
    assert!(added.is_empty(), "{added:#?}");
}

#[tokio::test]
async fn every_query_of_the_dashboard_has_data_and_nothing_fires_when_all_is_well() {
    let receiver = Receiver::start().await;
    let stack = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", &receiver.url())
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET)
        // One for each query, which may be more in a minute than a visitor begins.
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "1000")
        .start()
        .await;
    let prometheus = watched(&stack).await;
    let mut waiting = stack.visitor();
    waiting.start_login().await;
    let _stream = waiting.events().await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let queries: Vec<String> = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .map(|target| target["expr"].as_str().expect("a target has a query"))
        .map(|query| query.replace("$__rate_interval", "10s"))
        .collect();
    assert!(queries.len() >= 15, "{queries:#?}");
    for (number, query) in queries.iter().enumerate() {
        log_in(&stack, &format!("人{number}")).await;
        eventually(&format!("{query} has data"), async || {
            let series = prometheus.query(query).await;
            let numbers = series.iter().filter(|series| series["value"][1] != "NaN");
            (numbers.count() > 0).then_some(())
        })
        .await;
    }
    assert_eq!(prometheus.firing().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_redis_that_died_fires_its_alert() {
    let mut stack = Plan::default().start().await;
    log_in(&stack, "小雨").await;
    let prometheus = watched(&stack).await;
    eventually("both are scraped", async || {
        (prometheus.query("redis_failures_total").await.len() == 2).then_some(())
    })
    .await;
    stack.redis.kill();
    let mut visitor = stack.visitor();
    eventually("WechatLoginRedisFailing fires", async || {
        visitor.try_call(Method::POST, "/api/login").await;
        let firing = prometheus.firing().await;
        firing
            .iter()
            .any(|name| name.contains("WechatLoginRedisFailing"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_wrong_app_secret_fires_its_alert_for_that_account_alone() {
    let stack = Plan::default()
        .account("shop")
        .gateway("GATEWAY__ACCOUNT__SHOP__APP_SECRET", &"0".repeat(32))
        .start()
        .await;
    let prometheus = watched(&stack).await;
    prometheus.fires("WechatAccessTokenMissing").await;
    let firing = prometheus
        .query("ALERTS{alertname=\"WechatAccessTokenMissing\"}")
        .await;
    assert_eq!(firing.len(), 1, "{firing:?}");
    assert_eq!(firing[0]["metric"]["account"], "shop");
}

#[tokio::test]
async fn a_day_without_codes_fires_its_alerts() {
    let stack = Plan::default()
        .gateway("GATEWAY__LIMITS__QR_CODES_PER_DAY", "1")
        // Or the site refuses them before the next look at the figures.
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .start()
        .await;
    let prometheus = watched(&stack).await;
    stack.visitor().start_login().await;
    prometheus.fires("WechatQrCodesRunningOut").await;
    let mut visitor = stack.visitor();
    eventually("WechatQrCodesUsedUp fires", async || {
        visitor.call(Method::POST, "/api/login").await;
        let firing = prometheus.firing().await;
        firing
            .iter()
            .any(|name| name.contains("WechatQrCodesUsedUp"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_site_that_is_full_fires_its_alert() {
    let stack = Plan::default()
        .site("SITE__LIMITS__WAITING", "1")
        .start()
        .await;
    let prometheus = watched(&stack).await;
    let [mut first, mut second] = [stack.visitor(), stack.visitor()];
    first.start_login().await;
    second.start_login().await;
    let _held = first.events().await;
    eventually("WechatLoginStreamsRefused fires", async || {
        let answer = second.call(Method::GET, "/api/login/events").await;
        assert_eq!(answer.status, 503, "{}", answer.text);
        let firing = prometheus.firing().await;
        firing
            .iter()
            .any(|name| name.contains("WechatLoginStreamsRefused"))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_webhook_whose_receiver_stopped_fires_its_alert_alone() {
    let (stopped, well) = (Receiver::start().await, Receiver::start().await);
    let stack = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", &stopped.url())
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET)
        .gateway("GATEWAY__WEBHOOK__SHOP__URL", &well.url())
        .gateway("GATEWAY__WEBHOOK__SHOP__SECRET", SECRET)
        .start()
        .await;
    let prometheus = watched(&stack).await;
    log_in(&stack, "小雨").await;
    stopped.first(1).await;
    drop(stopped);
    log_in(&stack, "小林").await;
    prometheus.fires("WechatWebhookLags").await;
    let firing = prometheus.query("ALERTS{alertstate=\"firing\"}").await;
    let named: BTreeSet<_> = firing
        .iter()
        .map(|alert| {
            (
                alert["metric"]["alertname"].as_str(),
                alert["metric"]["webhook"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        named,
        BTreeSet::from([(Some("WechatWebhookLags"), Some("crm"))])
    );
}

#[test]
fn the_rules_hold_in_promtools_own_tests() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/monitoring");
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "alerts.test.yml"],
    ] {
        let promtool = Command::new("promtool")
            .args(arguments)
            .current_dir(folder)
            .output();
        let output = promtool.expect("promtool can be run");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
}
