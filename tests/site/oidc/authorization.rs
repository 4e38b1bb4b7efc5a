//! The authorization endpoint: what it refuses, and which session is good enough.

use reqwest::{Method, header::LOCATION};
use serde_json::Value;

use super::client::{
    CALLBACK, Client, Fields, authorize_path, authorized, location, log_in, of_app, of_wiki,
    page_for, path, plan, query, text,
};

fn with<'a>(mut fields: Fields<'a>, name: &'a str, value: &str) -> Fields<'a> {
    fields.insert(name, value.to_owned());
    fields
}

fn without<'a>(mut fields: Fields<'a>, name: &str) -> Fields<'a> {
    fields.remove(name);
    fields
}

#[tokio::test]
async fn a_wrong_client_or_redirect_uri_is_a_page_and_never_a_redirect() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let doubled = |name: &str| format!("{}&{name}=wiki", authorize_path(&of_wiki()));
    let wrong_uri = |uri: &str| authorize_path(&with(of_wiki(), "redirect_uri", uri));
    for path in [
        authorize_path(&without(of_wiki(), "client_id")),
        authorize_path(&with(of_wiki(), "client_id", "other")),
        authorize_path(&without(of_wiki(), "redirect_uri")),
        wrong_uri("https://evil.example/callback"),
        wrong_uri("https://wiki.example.com/callback/"),
        wrong_uri("https://wiki.example.com/callback?a=b"),
        wrong_uri("https://wiki.example.com:443/callback"),
        wrong_uri("https://WIKI.example.com/callback"),
        wrong_uri("http://127.0.0.1:7777/callback"),
        doubled("client_id"),
        doubled("redirect_uri"),
    ] {
        let answer = visitor.call(Method::GET, &path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.headers.get(LOCATION).is_none(), "{path}");
        assert!(answer.text.starts_with("<!doctype html>"), "{path}");
    }
}

#[tokio::test]
async fn every_other_mistake_is_told_to_the_client() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let long = "x".repeat(4097);
    let digits = "9".repeat(4097);
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        ("response_type", "", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("response_mode", "web_message", "invalid_request"),
        ("scope", "profile", "invalid_scope"),
        ("scope", "", "invalid_scope"),
        ("request", "a.b.c", "request_not_supported"),
        (
            "request_uri",
            "https://wiki.example.com/r",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", &digits, "invalid_request"),
        ("nonce", &long, "invalid_request"),
        ("state", &long, "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "S256", "invalid_request"),
        ("prompt", "none", "login_required"),
    ] {
        let path = authorize_path(&with(of_wiki(), name, value));
        let answer = query(&location(&visitor.call(Method::GET, &path).await));
        assert_eq!(answer["error"], error, "{name}={value}");
        assert_eq!(answer["iss"], "http://localhost");
        if name != "state" {
            assert_eq!(answer["state"], "the state");
        }
        assert!(!answer.contains_key("code"));
    }
    let path = format!("{}&scope=openid", authorize_path(&of_wiki()));
    let answer = visitor.call(Method::GET, &path).await;
    assert_eq!(query(&location(&answer))["error"], "invalid_request");
    // A client without a secret has to use PKCE, and no other method than S256.
    let plain = with(of_app(), "code_challenge_method", "plain");
    for fields in [
        without(without(of_app(), "code_challenge"), "code_challenge_method"),
        without(of_app(), "code_challenge_method"),
        plain,
    ] {
        let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
        assert_eq!(query(&location(&answer))["error"], "invalid_request");
    }
}

#[tokio::test]
async fn values_of_four_kibibytes_come_back_whole() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let long = "0123456789abcdef".repeat(256);
    let fields = with(with(of_wiki(), "state", &long), "nonce", &long);
    let fields = with(fields, "max_age", &"9".repeat(4096));
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    assert_eq!(answer["state"], long);
    let tokens = Client::of(&stack).exchange(&answer["code"]).await.json;
    let said = super::client::claims(&text(&tokens, "id_token"));
    assert_eq!(said["nonce"], long);
}

#[tokio::test]
async fn a_form_of_another_sites_page_may_ask_too() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    visitor.set_header("origin", "https://wiki.example.com");
    visitor.set_header("sec-fetch-site", "cross-site");
    let path_of = authorize_path(&of_wiki());
    let form = path_of.split_once('?').unwrap().1.to_owned();
    let answer = visitor.post_form("/oidc/authorize", form).await;
    let page = path(&location(&answer));
    let shown = visitor.call(Method::GET, &page).await;
    assert_eq!(shown.status, 200);
    // Without a page, the answer comes from where the cookies are.
    let silent = authorize_path(&with(of_wiki(), "prompt", "none"));
    let form = silent.split_once('?').unwrap().1.to_owned();
    let answer = visitor.post_form("/oidc/authorize", form).await;
    let page = path(&location(&answer));
    let answer = visitor.call(Method::GET, &page).await;
    assert_eq!(query(&location(&answer))["error"], "login_required");
}

#[tokio::test]
async fn a_login_is_asked_for_again_where_the_client_wants_that() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    for (name, value) in [("prompt", "login"), ("max_age", "0")] {
        let fields = with(of_wiki(), name, value);
        let page = page_for(&mut visitor, &fields).await;
        let again = visitor.call(Method::GET, &page).await;
        assert_eq!(again.status, 200, "the session from before is none");
        let answer = log_in(&stack, &mut visitor, &person, &page).await;
        assert!(query(&location(&answer)).contains_key("code"), "{name}");
    }
    // And where it doesn't, the session is good.
    for (name, value) in [
        ("prompt", "consent"),
        ("max_age", "3600"),
        ("prompt", "none"),
    ] {
        let path = authorize_path(&with(of_wiki(), name, value));
        let answer = visitor.call(Method::GET, &path).await;
        assert!(query(&location(&answer)).contains_key("code"), "{name}");
    }
}

#[tokio::test]
async fn a_max_age_that_has_passed_wants_another_login() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    // The login becomes ten minutes old.
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:session:*"])
        .await;
    let record: String = stack.redis.command(&["GET", &keys[0]]).await;
    let mut record: Value = serde_json::from_str(&record).unwrap();
    let begun = record["begun_at_ms"].as_i64().unwrap();
    record["begun_at_ms"] = (begun - 600_000).into();
    let record = record.to_string();
    let _: String = stack.redis.command(&["SET", &keys[0], &record]).await;
    let answer = visitor
        .call(
            Method::GET,
            &authorize_path(&with(of_wiki(), "max_age", "900")),
        )
        .await;
    assert!(query(&location(&answer)).contains_key("code"));
    page_for(&mut visitor, &with(of_wiki(), "max_age", "300")).await;
    let silent = with(with(of_wiki(), "max_age", "300"), "prompt", "none");
    let answer = visitor.call(Method::GET, &authorize_path(&silent)).await;
    assert_eq!(query(&location(&answer))["error"], "login_required");
}

#[tokio::test]
async fn a_hint_at_somebody_else_is_no_login_of_this_person() {
    let stack = plan().start().await;
    let [person, other] = [
        stack.wechat.person("小林", true).await,
        stack.wechat.person("路人", true).await,
    ];
    let client = Client::of(&stack);
    let mut visitor = stack.visitor();
    let mut stranger = stack.visitor();
    let mut hints = Vec::new();
    for (browser, person) in [(&mut visitor, &person), (&mut stranger, &other)] {
        let answer = authorized(&stack, browser, person, &of_wiki()).await;
        let tokens = client.exchange(&answer["code"]).await.json;
        hints.push(text(&tokens, "id_token"));
    }
    let silent = |hint: &str| {
        let fields = with(of_wiki(), "prompt", "none");
        authorize_path(&with(fields, "id_token_hint", hint))
    };
    let answer = visitor.call(Method::GET, &silent(&hints[0])).await;
    assert!(query(&location(&answer)).contains_key("code"));
    // Another person's, one whose signature is another's, and one of nobody's.
    let [own, theirs] = [&hints[0], &hints[1]];
    let forged = format!(
        "{}.{}",
        own.rsplit_once('.').unwrap().0,
        theirs.rsplit_once('.').unwrap().1
    );
    for hint in [theirs, &forged, "a.b.c"] {
        let answer = visitor.call(Method::GET, &silent(hint)).await;
        assert_eq!(query(&location(&answer))["error"], "login_required");
    }
    // Where a page may be shown, the other person can log in, and this one can't pass for them.
    let fields = with(of_wiki(), "id_token_hint", theirs);
    let page = page_for(&mut visitor, &fields).await;
    let answer = log_in(&stack, &mut visitor, &person, &page).await;
    assert_eq!(query(&location(&answer))["error"], "login_required");
    let page = page_for(&mut visitor, &fields).await;
    let answer = log_in(&stack, &mut visitor, &other, &page).await;
    assert!(query(&location(&answer)).contains_key("code"));
}

#[tokio::test]
async fn a_client_that_requires_following_gets_followers_alone() {
    let plan = plan().site("SITE__CLIENT__APP__REQUIRE_FOLLOWING", "true");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let answer = authorized(&stack, &mut visitor, &person, &of_app()).await;
    let client = Client::of(&stack);
    let tokens = client.exchanged_by_app(&answer["code"]).await;
    let access = text(&tokens, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 200);
    stack.wechat.unfollow(&person).await;
    assert_eq!(client.userinfo(&access).await.status, 401);
    page_for(&mut visitor, &of_app()).await;
    // A client that doesn't care goes on.
    let answer = visitor.call(Method::GET, &authorize_path(&of_wiki())).await;
    assert!(location(&answer).starts_with(CALLBACK));
}

#[tokio::test]
async fn following_again_brings_no_token_back() {
    let plan = plan().site("SITE__CLIENT__APP__REQUIRE_FOLLOWING", "true");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let answer = authorized(&stack, &mut visitor, &person, &of_app()).await;
    let client = Client::of(&stack);
    let tokens = client.exchanged_by_app(&answer["code"]).await;
    stack.wechat.unfollow(&person).await;
    stack.wechat.follow(&person).await;
    let told = client.userinfo(&text(&tokens, "access_token")).await;
    assert_eq!(told.status, 401);
    // The session before is no way in any more, another login is.
    let mut silent = of_app();
    silent.insert("prompt", "none".to_owned());
    let answer = visitor.call(Method::GET, &authorize_path(&silent)).await;
    assert_eq!(query(&location(&answer))["error"], "login_required");
    let answer = authorized(&stack, &mut visitor, &person, &of_app()).await;
    client.exchanged_by_app(&answer["code"]).await;
}

#[tokio::test]
async fn a_client_that_wants_no_tap_opens_nothing_else() {
    for whose in ["SITE", "GATEWAY"] {
        opens_nothing_else(whose).await;
    }
}

/// The rule of a tap is the site's own, or the gateway's.
async fn opens_nothing_else(whose: &str) {
    let origin = "http://wiki.localhost";
    let plan = plan()
        .gateway("GATEWAY__PUBLIC__URL", "http://localhost")
        .site(
            "SITE__INTERNAL__API_KEY",
            "an-internal-key-of-thirty-two-chars",
        )
        .site("SITE__FORWARD_AUTH__ORIGINS", origin)
        .site("SITE__CLIENT__APP__APPROVAL", "scan");
    let plan = match whose {
        "SITE" => plan.site("SITE__LOGIN__APPROVAL", "tap"),
        _ => plan.gateway("GATEWAY__LOGIN__APPROVAL", "tap"),
    };
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let page = page_for(&mut visitor, &of_app()).await;
    let request = page.split_once('?').expect("a query").1;
    let begun = visitor
        .call(Method::POST, &format!("/api/login?{request}"))
        .await;
    let content = begun.json["qr"]["content"].as_str().expect("a code");
    stack.wechat.scan(&person, content).await;
    visitor.status_becomes("confirmed").await;
    let completed = visitor.call(Method::POST, "/api/login/complete").await;
    assert_eq!(completed.status, 200, "{}", completed.text);
    assert!(completed.json["ticket"].is_null(), "{}", completed.text);
    let answer = visitor.call(Method::GET, &authorize_path(&of_app())).await;
    assert!(query(&location(&answer)).contains_key("code"));
    for path in ["/api/session", "/api/sessions", "/api/forward-auth"] {
        let answer = visitor.call(Method::GET, path).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
    }
    let page = page_for(&mut visitor, &of_wiki()).await;
    assert!(page.contains("request="), "{page}");
    // The client's own logout ends it all the same.
    let tokens = Client::of(&stack)
        .exchanged_by_app(&query(&location(&answer))["code"])
        .await;
    let path = format!("/oidc/logout?id_token_hint={}", text(&tokens, "id_token"));
    let left = visitor.call(Method::GET, &path).await;
    assert!(left.text.contains("已退出登录"), "{}", left.text);
    page_for(&mut visitor, &of_app()).await;
}

#[tokio::test]
async fn a_scan_alone_is_no_login_for_a_client_that_wants_a_tap() {
    let plan = plan()
        .gateway("GATEWAY__PUBLIC__URL", "http://localhost")
        .site("SITE__CLIENT__WIKI__APPROVAL", "tap");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = crate::session::signed_in(&stack, &person).await;
    let answer = visitor.call(Method::GET, &authorize_path(&of_app())).await;
    assert!(query(&location(&answer)).contains_key("code"));
    let page = page_for(&mut visitor, &of_wiki()).await;
    let request = page.split_once('?').unwrap().1;
    let begun = visitor
        .call(Method::POST, &format!("/api/login?{request}"))
        .await;
    let content = begun.json["qr"]["content"].as_str().unwrap();
    stack.wechat.scan(&person, content).await;
    assert_eq!(visitor.status().await, "scanned");
}

#[tokio::test]
async fn an_unknown_or_expired_request_is_a_page_that_says_so() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let page = page_for(&mut visitor, &of_wiki()).await;
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:oidc-request:*"])
        .await;
    let life: i64 = stack.redis.command(&["PTTL", &keys[0]]).await;
    assert!((1_700_000..=1_800_000).contains(&life), "{life}");
    let _: i64 = stack.redis.command(&["DEL", &keys[0]]).await;
    for page in [page.as_str(), "/oidc/login", "/oidc/login?request=%00"] {
        let answer = visitor.call(Method::GET, page).await;
        assert_eq!(answer.status, 410, "{page}");
    }
    let request = page.split_once('?').unwrap().1;
    let answer = visitor
        .call(Method::POST, &format!("/api/login?{request}"))
        .await;
    crate::answers::assert_problem(&answer, 410, "login_expired");
}

#[tokio::test]
async fn an_attempt_of_the_site_isnt_taken_up_for_a_client() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let own = visitor.start_login().await;
    assert_eq!(visitor.start_login().await, own);
    let page = page_for(&mut visitor, &of_wiki()).await;
    let request = page.split_once('?').unwrap().1;
    let path = format!("/api/login?{request}");
    let begun = visitor.call(Method::POST, &path).await;
    let content = begun.json["qr"]["content"].clone();
    assert_ne!(content, own);
    let again = visitor.call(Method::POST, &path).await;
    assert_eq!(again.json["qr"]["content"], content);
    assert_ne!(visitor.start_login().await, content.as_str().unwrap());
}

#[tokio::test]
async fn a_client_has_its_own_account() {
    let plan = plan()
        .account("shop")
        .site("SITE__CLIENT__APP__ACCOUNT", "shop");
    let stack = plan.start().await;
    let shop = stack.wechat.account("shop");
    let person = shop.person("小林", true).await;
    let mut visitor = stack.visitor();
    let page = page_for(&mut visitor, &of_app()).await;
    let request = page.split_once('?').unwrap().1;
    let path = format!("/api/login?{request}");
    let begun = visitor.call(Method::POST, &path).await;
    let content = begun.json["qr"]["content"].as_str().unwrap();
    shop.scan(&person, content).await;
    assert_eq!(visitor.status().await, "confirmed");
    visitor.complete().await;
    let answer = visitor.call(Method::GET, &page).await;
    let client = Client::of(&stack);
    let code = &query(&location(&answer))["code"];
    let tokens = client.exchanged_by_app(code).await;
    let told = client.userinfo(&text(&tokens, "access_token")).await;
    assert_eq!(told.status, 200);
    // The session is of that account, and so it fits no client of another one.
    page_for(&mut visitor, &of_wiki()).await;
}

#[tokio::test]
async fn a_client_has_its_own_ways_to_log_in() {
    let plan = plan().site("SITE__CLIENT__APP__METHOD", "code,page");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let page = page_for(&mut visitor, &of_app()).await;
    let request = page.split_once('?').unwrap().1;
    let path = |method: &str| format!("/api/login?{request}&method={method}");
    let begun = visitor.call(Method::POST, &path("")).await;
    assert_eq!(begun.json["method"], "code", "{}", begun.text);
    assert_eq!(begun.json["methods"], serde_json::json!(["code", "page"]));
    // The site's own way isn't this client's.
    let refused = visitor.call(Method::POST, &path("scan")).await;
    crate::answers::assert_problem(&refused, 400, "invalid_request");
    let digits = begun.json["code"]["digits"].as_str().unwrap();
    stack.wechat.message(&person, digits).await;
    visitor.complete().await;
    let answer = visitor.call(Method::GET, &page).await;
    assert!(query(&location(&answer)).contains_key("code"));
    // Elsewhere the site's own holds.
    let own = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(own.json["method"], "scan");
    assert_eq!(own.json["methods"], Value::Null);
}

/// Each lies in Redis for half an hour.
#[tokio::test]
async fn nobody_leaves_requests_without_end() {
    let plan = plan().site("SITE__LIMITS__LOGINS_PER_MINUTE", "3");
    let stack = plan.start().await;
    let path = authorize_path(&of_wiki());
    let mut statuses = Vec::new();
    let mut last = None;
    for _ in 0..13 {
        let answer = stack.visitor().call(Method::GET, &path).await;
        statuses.push(answer.status);
        last = Some(answer);
    }
    assert_eq!(statuses[..12], [303; 12]);
    let last = last.unwrap();
    assert_eq!(last.status, 429, "{}", last.text);
    assert!((1..=60).contains(&last.retry_after().unwrap()));
    assert!(last.text.contains("请稍后再试"), "{}", last.text);
}
