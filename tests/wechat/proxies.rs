//! Proxies: those of the environment are for other programs, and the one that is set is for WeChat
//! alone.

use std::collections::BTreeMap;

use system_tests::{
    binaries,
    deadline::eventually,
    forward_proxy::ForwardProxy,
    process,
    socks_proxy::SocksProxy,
    stack::{API_KEY, APP_SECRET, Plan, Stack},
};

use crate::backend::{Backend, Behaviour};

/// The variables by which programs choose a proxy.
const VARIABLES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

fn with_variables(mut plan: Plan, proxy: &str) -> Plan {
    for variable in VARIABLES {
        plan = plan
            .gateway(variable, proxy)
            .site(variable, proxy)
            .simulator(variable, proxy);
    }
    plan
}

/// A login, a push for the owner's backend, and what operators run.
async fn use_everything(stack: &Stack, backend: &Backend) {
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;

    stack.wechat.message(&person, "你好").await;
    eventually("the backend gets the push", async || {
        (backend.received().len() == 1).then_some(())
    })
    .await;

    for (program, mut environment, service, command) in [
        (
            "wechat-gateway",
            stack.gateway_environment(),
            &stack.gateways[0],
            "healthcheck",
        ),
        (
            "site",
            stack.site_environment(),
            &stack.sites[0],
            "healthcheck",
        ),
        (
            "wechat-gateway",
            stack.gateway_environment(),
            &stack.gateways[0],
            "doctor",
        ),
    ] {
        let prefix = if program == "site" { "SITE" } else { "GATEWAY" };
        let bind = service.internal.trim_start_matches("http://").to_owned();
        environment.push((format!("{prefix}__INTERNAL__BIND"), bind));
        environment.push((format!("{prefix}__PUBLIC__URL"), service.public.clone()));
        let environment: BTreeMap<_, _> = environment.into_iter().collect();
        let environment: Vec<_> = environment.into_iter().collect();
        let mut run = process::start(
            command,
            binaries::path(program),
            [command],
            &environment,
            &stack.log,
        );
        let said = run.said().await;
        assert_eq!(run.ended().await.code(), Some(0), "{program}: {said}");
    }
}

#[tokio::test]
async fn proxy_variables_of_the_environment_are_none_of_ours() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let proxy = ForwardProxy::start().await;
    // One that answers, and one where nobody listens.
    for proxy_url in [
        format!("http://{}", proxy.authority()),
        "http://127.0.0.1:1".to_owned(),
    ] {
        let plan = with_variables(Plan::default(), &proxy_url)
            .gateway("GATEWAY__RELAY__URL", &backend.url());
        let mut stack = plan.start().await;
        use_everything(&stack, &backend).await;
        assert_eq!(proxy.asked(), Vec::<String>::new());
        backend.forget();
        let line = "HTTPS_PROXY is set, but the gateway ignores it";
        stack.gateways[0].process.line_with(line).await;
    }
}

#[tokio::test]
async fn calls_to_wechat_and_no_others_go_through_the_proxy_that_is_set() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let (proxy, other) = (ForwardProxy::start().await, ForwardProxy::start().await);
    let setting = format!("http://owner:hunter2-pass@{}", proxy.authority());
    let plan = with_variables(Plan::default(), &format!("http://{}", other.authority()))
        .gateway("NO_PROXY", "*")
        .gateway("no_proxy", "*")
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .gateway("GATEWAY__WECHAT__PROXY_URL", &setting);
    let stack = plan.start().await;
    use_everything(&stack, &backend).await;

    let asked = proxy.asked();
    let wechat = format!("{}/", stack.wechat.url());
    for head in &asked {
        let address = head.split(' ').nth(1).unwrap_or_default();
        assert!(address.starts_with(&wechat), "{head}");
        // `owner:hunter2-pass`.
        let key = "proxy-authorization: Basic b3duZXI6aHVudGVyMi1wYXNz";
        assert!(head.to_lowercase().contains(&key.to_lowercase()), "{head}");
        assert!(!head.contains(API_KEY), "{head}");
    }
    for path in [
        "/cgi-bin/stable_token",
        "/cgi-bin/qrcode/create",
        "/cgi-bin/user/info",
    ] {
        let through = asked.iter().filter(|head| head.contains(path)).count();
        let calls = stack.wechat.calls(path).await;
        assert!(calls > 0, "{path}");
        assert_eq!(u64::try_from(through), Ok(calls), "{path}");
    }
    assert_eq!(other.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn calls_to_wechat_and_no_others_go_through_a_socks_proxy() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    for scheme in ["socks5", "socks5h"] {
        let proxy = SocksProxy::start("owner", "hunter2-pass").await;
        let setting = format!("{scheme}://owner:hunter2-pass@{}", proxy.authority());
        let plan = Plan::default()
            .gateway("GATEWAY__RELAY__URL", &backend.url())
            .gateway("GATEWAY__WECHAT__PROXY_URL", &setting);
        let stack = plan.start().await;
        use_everything(&stack, &backend).await;
        backend.forget();
        let wechat = stack.wechat.url().replace("http://", "");
        let asked = proxy.asked();
        assert!(!asked.is_empty());
        assert!(asked.iter().all(|host| *host == wechat), "{asked:?}");
        let said = stack.gateways[0].process.lines().join("\n");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn who_a_socks_proxy_refuses_reaches_no_wechat() {
    let proxy = SocksProxy::start("owner", "another").await;
    let setting = format!("socks5://owner:hunter2-pass@{}", proxy.authority());
    let plan = Plan::default()
        .sites(0)
        .gateways(0)
        .gateway("GATEWAY__WECHAT__PROXY_URL", &setting);
    let stack = plan.start().await;
    let no_arguments: [&str; 0] = [];
    let mut gateway = process::start(
        "gateway",
        binaries::path("wechat-gateway"),
        no_arguments,
        &stack.gateway_environment(),
        &stack.log,
    );
    gateway.line_with("can't get an access token").await;
    let said = gateway.lines().join("\n");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(proxy.asked().iter().all(|asked| asked == "refused"));
    assert_eq!(stack.wechat.calls("/cgi-bin/stable_token").await, 0);
}

#[tokio::test]
async fn a_proxy_that_is_gone_is_told_of_without_its_password() {
    let plan = Plan::default().sites(0).gateway(
        "GATEWAY__WECHAT__PROXY_URL",
        "http://owner:hunter2-pass@127.0.0.1:1",
    );
    // Without a token it doesn't become ready.
    let stack = plan.gateways(0).start().await;
    let no_arguments: [&str; 0] = [];
    let mut gateway = process::start(
        "gateway",
        binaries::path("wechat-gateway"),
        no_arguments,
        &stack.gateway_environment(),
        &stack.log,
    );
    let told = gateway.line_with("can't get an access token").await;
    assert!(told.contains("a proxy"), "{told}");
    let said = gateway.lines().join("\n");
    for secret in ["hunter2", "b3duZXI6aHVudGVyMi1wYXNz", APP_SECRET] {
        assert!(!said.contains(secret), "{said}");
    }
}
