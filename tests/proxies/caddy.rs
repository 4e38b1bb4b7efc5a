//! The documented configurations of Caddy. Certificates are its own business, and not tested here.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    caddy::Caddy,
    nginx::{blocks_of, free_port, without_comments},
    visitor::Visitor,
};

use crate::{
    edge,
    journey::{assert_holds_none, host, log_in_by_code, log_in_inside_wechat, system_at},
};

const ENGLISH: &str = concat!(
    include_str!("../../docs/connect-an-account.md"),
    include_str!("../../docs/your-page.md")
);
const CHINESE: &str = concat!(
    include_str!("../../docs/connect-an-account.zh-CN.md"),
    include_str!("../../docs/your-page.zh-CN.md")
);

fn snippets(markdown: &str) -> Vec<String> {
    blocks_of(markdown, "caddyfile")
}

/// The configuration of a whole host, and of some paths of one.
fn both() -> [String; 2] {
    let snippets: [String; 2] = snippets(ENGLISH).try_into().expect("each has a test below");
    snippets
}

/// What a test needs of its own: no port for administrators, and http at this port.
fn here(snippet: &str, host: &str, port: u16) -> String {
    let with_host = snippet.replace(
        &format!("\n{host} {{"),
        &format!("\nhttp://127.0.0.1:{port} {{"),
    );
    assert_ne!(with_host, snippet, "{snippet}");
    with_host.replacen("{\n", "{\n\tadmin off\n", 1)
}

#[test]
fn both_languages_show_the_same_configurations_of_caddy() {
    let all = |markdown: &str| -> Vec<String> {
        let snippets = snippets(markdown);
        snippets.iter().map(|text| without_comments(text)).collect()
    };
    assert_eq!(all(ENGLISH), all(CHINESE));
}

#[tokio::test]
async fn caddy_in_front_of_compose() {
    let (port, inner) = (free_port(), free_port());
    let public = format!("http://127.0.0.1:{port}");
    let mut stack = system_at(&public).await;
    let compose = edge::start(&stack, inner).await;
    let [server, _] = both();
    let server = here(&server, "login.example.com", port)
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{inner}"));
    let caddy = Caddy::start("caddy", &server, port, &stack.log).await;
    let callback = json!({ "callback_url": format!("{public}/wechat/callback") });
    stack.wechat.settings(callback).await;
    let mut visitor = Visitor::new(&public);
    for path in ["/", "/assets/wechat-login.js", "/MP_verify_aB1.txt"] {
        assert_eq!(visitor.call(Method::GET, path).await.status, 200, "{path}");
    }
    let mut secrets = log_in_by_code(&stack, &mut visitor).await;
    secrets.extend(log_in_inside_wechat(&stack, &mut visitor).await);
    secrets.push("a-secret-code".to_owned());
    // Nobody is there any more, which Caddy says with the whole request.
    stack.sites[0].process.kill();
    stack.gateways[0].process.kill();
    drop(compose);
    for path in ["/login/wechat", "/wechat/oauth/confirm/return"] {
        let path = format!("{path}?code=a-secret-code&state=a");
        assert_eq!(visitor.call(Method::GET, &path).await.status, 502, "{path}");
    }
    assert_eq!(visitor.call(Method::GET, "/the-last").await.status, 502);
    let written = caddy.log_with("/the-last").await;
    assert_holds_none(&written, &secrets);
}

#[tokio::test]
async fn a_few_addresses_of_ones_own_domain_with_caddy() {
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let mut stack = system_at(&public).await;
    let (site, gateway) = (&stack.sites[0].public, &stack.gateways[0].public);
    let [global, paths] = both();
    let (global, _) = global
        .split_once("\nlogin.example.com")
        .expect("it has a host");
    let paths = paths
        .replace(
            "127.0.0.1:8080    # without",
            &format!("{}    #", host(gateway)),
        )
        .replace("127.0.0.1:8080", host(site));
    let server = format!(
        "{global}\nwww.example.com {{\nlog\n{paths}\nhandle_path /shop {{\nrespond shop\n}}\n}}\n"
    );
    let server = here(&server, "www.example.com", port);
    let caddy = Caddy::start("caddy", &server, port, &stack.log).await;
    let gateway = format!("http://{}", host(gateway));
    stack.plan = stack.plan.clone().gateway("GATEWAY__PUBLIC__URL", &gateway);
    stack.publish_gateway().await;

    let mut visitor = Visitor::new(&public);
    for path in [
        "/MP_verify_aB1.txt",
        "/login",
        "/assets/wechat-login.js",
        "/assets/icon.svg",
        "/assets/login-page.js",
        "/assets/login-stopped.css",
        "/shop",
    ] {
        assert_eq!(visitor.call(Method::GET, path).await.status, 200, "{path}");
    }
    let mut secrets = log_in_by_code(&stack, &mut visitor).await;
    secrets.extend(log_in_inside_wechat(&stack, &mut visitor).await);
    let ended = visitor.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(ended.status, 204, "{}", ended.text);
    stack.sites[0].process.kill();
    let path = "/login/wechat?code=a-secret-code&state=a";
    assert_eq!(visitor.call(Method::GET, path).await.status, 502);
    secrets.push("a-secret-code".to_owned());
    visitor.call(Method::GET, "/the-last").await;
    let written = caddy.log_with("/the-last").await;
    assert_holds_none(&written, &secrets);
}
