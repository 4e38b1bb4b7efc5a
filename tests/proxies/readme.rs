//! The READMEs' own configurations.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    nginx::{Nginx, configuration, free_port, snippets, without_comments},
    stack::Stack,
    visitor::Visitor,
};

use crate::{
    edge,
    journey::{assert_says_nothing, host, log_in_by_code, log_in_inside_wechat, system_at},
};

const ENGLISH: &str = concat!(
    include_str!("../../docs/connect-an-account.md"),
    include_str!("../../docs/your-page.md")
);
const CHINESE: &str = concat!(
    include_str!("../../docs/connect-an-account.zh-CN.md"),
    include_str!("../../docs/your-page.zh-CN.md")
);

/// The configuration that holds this.
fn snippet(mark: &str) -> String {
    let found = snippets(ENGLISH)
        .into_iter()
        .find(|snippet| snippet.contains(mark));
    found.unwrap_or_else(|| panic!("no configuration with {mark}"))
}

/// A configuration as it stands, with what a test must have of its own: files, and the site's
/// address.
fn here(snippet: &str, site: &str, gateway: &str) -> String {
    let upstream = "http://127.0.0.1:8080";
    assert!(snippet.contains(upstream), "{snippet}");
    snippet
        // Compose's edge knows what is the gateway's; here nothing does.
        .replace(
            &format!("{upstream};    # without Compose"),
            &format!("{gateway};    #"),
        )
        .replace(upstream, site)
        .replace("/var/log/nginx/", "{folder}/")
}

/// An owner's server block around these.
fn server_with(port: u16, snippets: &[String]) -> String {
    configuration(&format!(
        "server {{\nlisten 127.0.0.1:{port};\nroot {{folder}}/html;\n\
         location = /shop {{ return 200 shop; }}\n{}}}\n",
        snippets.concat()
    ))
}

#[test]
fn both_languages_show_the_same_configurations() {
    let all = |markdown: &str| -> Vec<String> {
        let snippets = snippets(markdown);
        snippets.iter().map(|text| without_comments(text)).collect()
    };
    assert_eq!(all(ENGLISH), all(CHINESE));
    assert_eq!(all(ENGLISH).len(), 4, "each has a test below");
}

#[tokio::test]
async fn one_domain_for_everything_in_front_of_compose() {
    let (port, inner) = (free_port(), free_port());
    let public = format!("http://127.0.0.1:{port}");
    let mut stack = system_at(&public).await;
    let compose = edge::start(&stack, inner).await;
    // Without TLS, since the simulator's phone asks for a certificate that somebody knows.
    let server = here(
        &snippet("listen 443 ssl;"),
        &format!("http://127.0.0.1:{inner}"),
        "",
    )
    .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"));
    let lines = server
        .lines()
        .filter(|line| !line.contains("ssl_certificate"));
    let server = lines.collect::<Vec<_>>().join("\n");
    let nginx = Nginx::start("nginx", &configuration(&server), port, &stack.log).await;

    let callback = json!({ "callback_url": format!("{public}/wechat/callback") });
    stack.wechat.settings(callback).await;
    let mut visitor = Visitor::new(&public);
    for path in ["/", "/assets/wechat-login.js", "/MP_verify_aB1.txt"] {
        assert_eq!(visitor.call(Method::GET, path).await.status, 200, "{path}");
    }
    let mut secrets = log_in_by_code(&stack, &mut visitor).await;
    secrets.extend(log_in_inside_wechat(&stack, &mut visitor).await);
    // A query that is none: $uri of nginx is decoded.
    for path in [
        "/wechat/callback",
        "/login/wechat",
        "/wechat/oauth/profile/return",
    ] {
        let path = format!("{path}%3Fcode=a-secret-code");
        assert_eq!(visitor.call(Method::GET, &path).await.status, 404, "{path}");
    }
    secrets.push("a-secret-code".to_owned());
    // Nobody is there any more, which nginx says with the whole request.
    stack.sites[0].process.kill();
    stack.gateways[0].process.kill();
    for path in ["/login/wechat", "/wechat/oauth/confirm/return"] {
        let path = format!("{path}?code=a-secret-code&state=a");
        assert_eq!(visitor.call(Method::GET, &path).await.status, 502, "{path}");
    }
    assert_eq!(visitor.call(Method::GET, "/the-last").await.status, 502);
    for proxy in [&nginx, &compose] {
        proxy.file_with("access.log", "/the-last").await;
        assert_says_nothing(proxy, &secrets);
    }
    // With the same configuration a proxy of one's own serves what is no secret.
    assert!(nginx.read("access.log").contains("/api/login/events"));
}

/// Logs in, signs out everywhere, and asks for what is the members' alone before and after, below
/// this prefix.
async fn log_in_on_ones_own_page(prefix: &str, mark: &str) {
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}{prefix}");
    let stack: Stack = system_at(&public).await;
    let site = &stack.sites[0].public;
    let members = snippet("auth_request");
    let gateway = &stack.gateways[0].public;
    let owners = [
        here(&snippet(mark), site, gateway),
        here(&members, site, gateway),
    ];
    let servers = server_with(port, &owners);
    let folder = stack.log.join("nginx/html/members");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    std::fs::write(folder.join("index.html"), "members only").expect("a file can be written");
    let nginx = Nginx::start("nginx", &servers, port, &stack.log).await;
    // The gateway has a host of its own.
    let gateway = format!("http://{}", host(&stack.gateways[0].public));
    let mut stack = stack;
    stack.plan = stack.plan.clone().gateway("GATEWAY__PUBLIC__URL", &gateway);
    stack.publish_gateway().await;

    let mut visitor = Visitor::new(&public);
    let answer = visitor.call(Method::GET, "/login").await;
    assert!(answer.text.contains("<wechat-login"), "{}", answer.text);
    let mut guest = Visitor::new(&format!("http://127.0.0.1:{port}"));
    let answer = guest.call(Method::GET, "/members/").await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    assert_eq!(
        answer.headers["location"],
        format!("http://127.0.0.1:{port}/")
    );
    let answer = guest.call(Method::GET, "/MP_verify_aB1.txt").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "aB1"));
    for path in [
        "wechat-login.js",
        // Whatever its digest is.
        "wechat-login/phone.000000000000.js",
        "icon.svg",
        "login-stopped.css",
        "login-page.css",
        "login-page.js",
    ] {
        let answer = visitor.call(Method::GET, &format!("/assets/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let mut secrets = log_in_by_code(&stack, &mut visitor).await;
    guest.cookies().clone_from(visitor.cookies());
    let answer = guest.call(Method::GET, "/members/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, "members only")
    );
    let ended = visitor.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(ended.status, 204, "{}", ended.text);
    assert_eq!(guest.call(Method::GET, "/members/").await.status, 302);
    for path in ["/api/login/", "/api/session/"] {
        let answer = visitor.call(Method::GET, path).await;
        assert!(
            answer.json["code"].is_string() || answer.status == 200,
            "{path}: {}",
            answer.text
        );
    }

    secrets.extend(log_in_inside_wechat(&stack, &mut visitor).await);
    assert_eq!(
        visitor
            .call(Method::GET, "/login/wechat/stopped")
            .await
            .status,
        200
    );
    // Without Redis nobody can tell who is signed in; that is no failure of the page's own.
    guest.cookies().clone_from(visitor.cookies());
    assert_eq!(guest.call(Method::GET, "/members/").await.status, 200);
    stack.redis.kill();
    let answer = guest.call(Method::GET, "/members/").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.retry_after(), Some(2));
    stack.sites[0].process.kill();
    let path = "/login/wechat?code=a-secret-code&state=a";
    assert_eq!(visitor.call(Method::GET, path).await.status, 502);
    assert_eq!(guest.call(Method::GET, "/members/").await.status, 503);
    secrets.push("a-secret-code".to_owned());
    assert_eq!(guest.call(Method::GET, "/the-last").await.status, 404);
    nginx.file_with("access.log", "/the-last").await;
    assert_says_nothing(&nginx, &secrets);
}

#[tokio::test]
async fn a_few_addresses_of_ones_own_domain() {
    log_in_on_ones_own_page("", "location ~ ^/(api/(login").await;
}

#[tokio::test]
async fn one_prefix_of_ones_own_domain() {
    log_in_on_ones_own_page("/passport", "location /passport/ {").await;
}
