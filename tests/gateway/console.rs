//! `/console` over HTTP: who gets in, what a form needs, and that what people call themselves stays
//! text. The buttons are pressed in `journeys`.

use reqwest::{Method, RequestBuilder};
use system_tests::{
    attempts,
    deadline::eventually,
    stack::{API_KEY, Plan, Service, Stack},
    visitor::Answer,
};

use crate::{
    http::{self, header},
    push_request::{PushRequest, scan},
};

fn request(gateway: &Service, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}/console{path}", gateway.internal);
    http::client().request(method, url)
}

pub(crate) fn post(gateway: &Service, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    request(gateway, Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish())
}

/// Signs in; the answer, and the cookie.
pub(crate) async fn sign_in(gateway: &Service, key: &str) -> (Answer, String) {
    let answer = http::send(post(gateway, "/sign-in", &[("key", key)])).await;
    let cookie = header(&answer, "set-cookie").split(';').next();
    let cookie = cookie.unwrap_or_default().to_owned();
    (answer, cookie)
}

pub(crate) async fn see(gateway: &Service, cookie: &str, path: &str) -> Answer {
    http::send(request(gateway, Method::GET, path).header("cookie", cookie)).await
}

/// The token of the forms on a page.
pub(crate) fn token(page: &str) -> &str {
    let (_, rest) = page
        .split_once(r#"name="token" value=""#)
        .expect("the page has a form");
    rest.split('"').next().expect("it ends")
}

/// A person who has logged in.
pub(crate) async fn known(stack: &Stack, nickname: &str) -> String {
    let person = stack.wechat.person(nickname, true).await;
    let scene = attempts::open(&stack.redis.store()).await;
    PushRequest::safe(&scan(&person.openid, &scene))
        .send(&stack.gateways[0])
        .await;
    person.openid
}

#[tokio::test]
async fn without_a_session_there_is_only_the_way_to_sign_in() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let openid = known(&stack, "小林").await;
    let forged = "wechat-login-console=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for cookie in ["", "wechat-login-console=nonsense", forged] {
        for path in [
            "",
            "/members",
            "/checks",
            "/webhooks",
            "/webhooks/crm/redeliver",
            &format!("/members/{openid}"),
            &format!("/members/{openid}/erase"),
        ] {
            let answer = see(gateway, cookie, path).await;
            assert_eq!(answer.status, 303, "{path}: {}", answer.text);
            assert_eq!(header(&answer, "location"), "/console/sign-in");
            assert!(!answer.text.contains(&openid));
        }
        for path in [
            "/checks",
            "/sign-out",
            "/webhooks/crm/redeliver",
            &format!("/members/{openid}/erase"),
        ] {
            let sent =
                post(gateway, path, &[("token", ""), ("hours", "1")]).header("cookie", cookie);
            let answer = http::send(sent).await;
            assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        }
    }
    let answer = http::get(gateway, &format!("/v1/members/{openid}")).await;
    assert_eq!(answer.status, 200, "nothing was erased");
    let public = format!("{}/console", gateway.public);
    assert_eq!(http::send(http::client().get(public)).await.status, 404);
}

#[tokio::test]
async fn the_key_opens_it_until_the_browser_signs_out() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (answer, cookie) = sign_in(gateway, API_KEY).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(header(&answer, "location"), "/console");
    let attributes = header(&answer, "set-cookie");
    for attribute in [
        "HttpOnly",
        "SameSite=Strict",
        "Path=/console",
        "Max-Age=28800",
    ] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:console-session:*"])
        .await;
    let life: i64 = stack.redis.command(&["PTTL", &keys[0]]).await;
    assert!((28_700_000..=28_800_000).contains(&life), "{life}");
    let secret = cookie.split_once('=').expect("a value").1;
    assert!(!keys[0].contains(secret), "Redis has no cookie");

    let page = see(gateway, &cookie, "").await;
    assert_eq!(page.status, 200);
    assert_eq!(header(&page, "cache-control"), "no-store");
    assert_eq!(header(&page, "x-frame-options"), "DENY");
    let policy = header(&page, "content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for file in ["style.css", "console.js", "icon.svg"] {
        let file = see(gateway, "", &format!("/{file}")).await;
        assert_eq!(file.status, 200, "it needs no session");
    }
    let sent = post(gateway, "/sign-out", &[("token", token(&page.text))]);
    let left = http::send(sent.header("cookie", &cookie)).await;
    assert_eq!(left.status, 303, "{}", left.text);
    assert_eq!(see(gateway, &cookie, "").await.status, 303);
}

#[tokio::test]
async fn another_key_in_the_settings_ends_all_sessions() {
    let mut stack = http::start(Plan::default()).await;
    let (_, cookie) = sign_in(&stack.gateways[0], API_KEY).await;
    assert_eq!(see(&stack.gateways[0], &cookie, "").await.status, 200);
    let other = "another-key-of-the-internal-api-0123456789";
    stack.plan = stack
        .plan
        .clone()
        .gateway("GATEWAY__INTERNAL__API_KEY", other);
    stack.add_gateway().await;
    assert_eq!(see(&stack.gateways[1], &cookie, "").await.status, 303);
}

#[tokio::test]
async fn wrong_keys_are_limited_and_then_the_right_one_waits_too() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    for _ in 0..10 {
        let (answer, _) = sign_in(gateway, "wrong").await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("密钥不对"), "{}", answer.text);
    }
    let (answer, cookie) = sign_in(gateway, API_KEY).await;
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert!(http::retry_after(&answer) > 800, "fifteen minutes");
    assert_eq!(cookie, "");
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_own_browser_and_no_foreign_origin() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let openid = known(&stack, "小林").await;
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    let (_, other) = sign_in(gateway, API_KEY).await;
    let path = format!("/members/{openid}/erase");
    let others = see(gateway, &other, &path).await.text;
    let own = see(gateway, &cookie, &path).await.text;
    let sent = |token: &str| post(gateway, &path, &[("token", token)]).header("cookie", &cookie);
    for refused in [
        sent(""),
        sent("guess"),
        sent(token(&others)),
        sent(token(&own)).header("origin", "https://evil.example.com"),
        sent(token(&own)).header("origin", "null"),
        sent(token(&own)).header("sec-fetch-site", "cross-site"),
    ] {
        let answer = http::send(refused).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    let without = post(gateway, &path, &[]).header("cookie", &cookie);
    assert_eq!(http::send(without).await.status, 400);
    let foreign = post(gateway, "/sign-in", &[("key", API_KEY)]);
    let foreign = foreign.header("sec-fetch-site", "cross-site");
    assert_eq!(http::send(foreign).await.status, 403);
    let answer = http::get(gateway, &format!("/v1/members/{openid}")).await;
    assert_eq!(answer.status, 200, "nothing was erased");

    let done = http::send(sent(token(&own)).header("origin", &gateway.internal)).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let answer = http::get(gateway, &format!("/v1/members/{openid}")).await;
    assert_eq!(answer.status, 404);
    // Twice is said, and not done.
    assert_eq!(http::send(sent(token(&own))).await.status, 404);
}

#[tokio::test]
async fn what_people_call_themselves_stays_text() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let hostile = "<img src=x onerror=alert(1)>\"'";
    let openid = known(&stack, hostile).await;
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    for path in [
        "/members".to_owned(),
        "/members?q=%3Cimg".to_owned(),
        format!("/members/{openid}"),
        format!("/members/{openid}/ban"),
    ] {
        let page = see(gateway, &cookie, &path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.text.contains("&#60;img src=x"),
            "{path}: {}",
            page.text
        );
        assert!(!page.text.contains("<img"), "{path}: {}", page.text);
    }
    let page = see(gateway, &cookie, "/members?q=%22%3E%3Cscript%3E").await;
    assert!(!page.text.contains("<script>"), "{}", page.text);
}

#[tokio::test]
async fn what_cannot_be_shown_is_said_on_a_page() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    for path in [
        "/members?account=nobody",
        "/members/oNobody",
        "/members/o%00",
        "/members/oNobody/ban",
        "/language/xx",
        "/webhooks/nobody/redeliver",
        "/sign-in/wechat",
    ] {
        let page = see(gateway, &cookie, path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(
            header(&page, "content-type").starts_with("text/html"),
            "{path}"
        );
    }
    let english = request(gateway, Method::GET, "").header("cookie", &cookie);
    let english = http::send(english.header("accept-language", "en")).await;
    assert!(
        english.text.contains("<html lang=\"en\">"),
        "{}",
        english.text
    );
    let chosen = see(gateway, &cookie, "/language/en").await;
    assert_eq!(chosen.status, 303);
    assert_eq!(header(&chosen, "location"), "/console");
    let elsewhere = request(gateway, Method::GET, "/language/en");
    let elsewhere = elsewhere.header("referer", "https://evil.example.com//evil.example.com");
    assert_eq!(header(&http::send(elsewhere).await, "location"), "/console");
}

#[tokio::test]
async fn without_redis_it_says_so() {
    let mut stack = http::start(Plan::default()).await;
    let (_, cookie) = sign_in(&stack.gateways[0], API_KEY).await;
    stack.redis.kill();
    let gateway = &stack.gateways[0];
    let page = see(gateway, &cookie, "").await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("连接不上 Redis"), "{}", page.text);
    assert_eq!(sign_in(gateway, API_KEY).await.0.status, 503);
}

#[tokio::test]
async fn logins_are_counted_each_where_it_got_to() {
    let stack = Plan::default().start().await;
    let follower = stack.wechat.person("小林", true).await;
    let newcomer = stack.wechat.person("小雨", false).await;
    for person in [&follower, &newcomer] {
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        stack.wechat.scan(person, &content).await;
        if person.id == newcomer.id {
            stack.wechat.follow(person).await;
        }
        visitor.status_becomes("confirmed").await;
        visitor.complete().await;
        // A repeat is no other login.
        visitor.complete().await;
    }
    let mut left = stack.visitor();
    left.start_login().await;
    let gateway = &stack.gateways[0];
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    eventually("the figures are written", async || {
        let page = see(gateway, &cookie, "").await.text;
        let counts: Vec<&str> = page
            .split(r#"<span class="count">"#)
            .skip(1)
            .take(7)
            .filter_map(|rest| rest.split('<').next())
            .collect();
        (counts == ["3", "2", "1", "2", "2", "0", "0"]).then_some(())
    })
    .await;
    let page = see(gateway, &cookie, "").await.text;
    assert!(page.contains("一切正常"), "{page}");
}

#[tokio::test]
async fn figures_of_the_last_seconds_are_written_at_the_end() {
    let mut stack = Plan::default().start().await;
    stack.visitor().start_login().await;
    stack.sites[0].process.stop().await;
    let gateway = &stack.gateways[0];
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    let page = see(gateway, &cookie, "").await.text;
    assert!(page.contains(r#"<span class="count">1</span>"#), "{page}");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_top_with_what_to_do() {
    let wrong = "00000000000000000000000000000000";
    let plan = Plan::default()
        .account("shop")
        .gateway("GATEWAY__ACCOUNT__SHOP__APP_SECRET", wrong);
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    // The account's token, and no site is running here.
    eventually("both are said", async || {
        let page = see(gateway, &cookie, "").await.text;
        page.contains("有 2 件事要处理").then_some(())
    })
    .await;
    let page = see(gateway, &cookie, "").await.text;
    for words in [
        "shop: 拿不到 access_token：微信返回错误 40125",
        "核对 AppSecret",
        "启动 site 服务",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(wrong));
}
