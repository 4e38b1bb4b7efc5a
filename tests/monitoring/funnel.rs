//! What becomes of logins, as the metrics count it.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use system_tests::{
    deadline::PATIENCE,
    stack::{API_KEY, Plan, Service},
};

use crate::metrics;

/// The steps that were taken, as `step method account`, with how often.
async fn steps(service: &Service) -> BTreeMap<String, u64> {
    let text = metrics(service).await;
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("login_steps_total{"));
    let mut steps = BTreeMap::new();
    for line in lines {
        let (labels, count) = line.split_once("} ").expect("labels end");
        let labels: BTreeMap<&str, &str> = labels
            .split(',')
            .filter_map(|label| label.split_once('='))
            .map(|(name, value)| (name, value.trim_matches('"')))
            .collect();
        let [step, method, account] = ["step", "method", "account"].map(|label| labels[label]);
        let count = count.parse().expect("a whole number");
        if count > 0 {
            steps.insert(format!("{step} {method} {account}"), count);
        }
    }
    steps
}

fn expected<const COUNT: usize>(steps: [(&str, u64); COUNT]) -> BTreeMap<String, u64> {
    steps
        .into_iter()
        .map(|(step, count)| (step.to_owned(), count))
        .collect()
}

/// The value of a series without labels other than the account's.
async fn value(service: &Service, series: &str) -> Option<f64> {
    let text = metrics(service).await;
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map(|value| value.trim().parse().expect("a number"))
}

#[tokio::test]
async fn a_scan_takes_each_step_once_however_often_it_is_repeated() {
    let stack = Plan::default().start().await;
    let (site, gateway) = (&stack.sites[0], &stack.gateways[0]);
    let person = stack.wechat.person("小雨", false).await;
    let mut visitor = stack.visitor();
    let code = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &code).await;
    stack.wechat.follow(&person).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    // A second scan of the same person, and a second answer to the same browser.
    stack.wechat.scan(&person, &code).await;
    visitor.complete().await;
    visitor.complete().await;
    let shown_and_completed = [("completed scan default", 1), ("shown scan default", 1)];
    assert_eq!(steps(site).await, expected(shown_and_completed));
    let on_the_phone = [
        ("confirmed scan default", 1),
        ("followed scan default", 1),
        ("scanned scan default", 1),
    ];
    assert_eq!(steps(gateway).await, expected(on_the_phone));
    for name in [
        "login_scan_to_browser_seconds",
        "login_scan_to_session_seconds",
    ] {
        let count = format!("{name}_count{{account=\"default\"}}");
        assert_eq!(value(site, &count).await, Some(1.0), "{name}");
        let sum = value(site, &format!("{name}_sum{{account=\"default\"}}")).await;
        assert!(
            sum.is_some_and(|sum| (0.0..60.0).contains(&sum)),
            "{name}: {sum:?}"
        );
    }
}

#[tokio::test]
async fn who_gives_up_and_who_is_too_late_are_told_apart() {
    let stack = Plan::default()
        .site("SITE__LOGIN__TTL_SECONDS", "2")
        .start()
        .await;
    let site = &stack.sites[0];
    let mut late = stack.visitor();
    late.start_login().await;
    let (mut one_tab, mut other_tab) = (late.events().await, late.events().await);
    for tab in [&mut one_tab, &mut other_tab] {
        assert_eq!(tab.next_status().await.as_deref(), Some("pending"));
    }
    let mut gone = stack.visitor();
    gone.start_login().await;
    let mut events = gone.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    // The cookie stays in this one, which closes the modal twice.
    let mut twin = stack.visitor();
    *twin.cookies() = gone.cookies().clone();
    for browser in [&mut gone, &mut twin] {
        let answer = browser.call(Method::DELETE, "/api/login").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    for tab in [&mut events, &mut one_tab, &mut other_tab] {
        assert_eq!(tab.next_status().await.as_deref(), Some("expired"));
    }
    let counted = [
        ("cancelled scan default", 1),
        ("expired scan default", 1),
        ("shown scan default", 2),
    ];
    assert_eq!(steps(site).await, expected(counted));
}

#[tokio::test]
async fn methods_accounts_and_refusals_are_told_apart() {
    let stack = Plan::default()
        .account("shop")
        .site("SITE__LOGIN__ACCOUNT", "shop")
        .site("SITE__LOGIN__METHOD", "code")
        .start()
        .await;
    let shop = stack.wechat.account("shop");
    let person = shop.person("小林", true).await;
    let mut visitor = stack.visitor();
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(
        steps(&stack.sites[0]).await,
        expected([("shown code shop", 1)])
    );
    let ban = format!(
        "{}/v1/members/{}/ban?account=shop",
        stack.gateways[0].internal, person.openid
    );
    let client = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    let banned = client.put(ban).bearer_auth(API_KEY).send().await;
    assert!(banned.expect("the gateway answers").status().is_success());
    let digits = answer.json["code"]["digits"].as_str().expect("digits");
    shop.message(&person, digits).await;
    shop.message(&person, digits).await;
    visitor.status_becomes("denied").await;
    assert_eq!(
        steps(&stack.gateways[0]).await,
        expected([("denied code shop", 1)])
    );
}
