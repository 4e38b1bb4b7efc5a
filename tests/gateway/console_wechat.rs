//! Signing in to the console by WeChat over HTTP: whose cookie, whose page and whose code it has to
//! be. The phone's part is pressed in `journeys`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::{
    method::Method,
    scene::BrowserSecret,
    steps::{Asker, OpenAttempt, ShownCode},
};
use reqwest::RequestBuilder;
use sha2::{Digest as _, Sha256};
use system_tests::{
    attempts::{self, LIFETIME},
    stack::{API_KEY, Plan, Service, Stack},
    visitor::Answer,
};

use crate::{
    console::{post, see, sign_in, token},
    http::{self, header},
};

pub(crate) const OWNER: &str = "oOwner0000000000000000000001";

/// A browser that shows a code.
pub(crate) struct Waiting {
    cookie: String,
    /// Its page, below `/console`.
    page: String,
    /// The key of its attempt.
    attempt: String,
}

async fn attempts_of(stack: &Stack) -> Vec<String> {
    stack
        .redis
        .command(&["KEYS", "wechat-login:attempt:*"])
        .await
}

async fn wait_for_wechat(stack: &Stack) -> Waiting {
    let before = attempts_of(stack).await;
    let answer = http::send(post(&stack.gateways[0], "/sign-in/wechat", &[])).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = header(&answer, "set-cookie").split(';').next();
    let page = header(&answer, "location").strip_prefix("/console");
    let attempts = attempts_of(stack).await.into_iter();
    let mut new = attempts.filter(|attempt| !before.contains(attempt));
    Waiting {
        cookie: cookie.expect("there is one").to_owned(),
        page: page.expect("it is there").to_owned(),
        attempt: new.next().expect("an attempt"),
    }
}

/// What the phone does, written as it writes it: this person confirmed.
async fn confirmed(stack: &Stack, attempt: &str, openid: &str) {
    let app_id = harness::account::APP_ID;
    let _: i64 = stack
        .redis
        .command(&[
            "HSET",
            attempt,
            "status",
            "confirmed",
            "app_id",
            app_id,
            "openid",
            openid,
            "confirmed_at_ms",
            "1790000000000",
        ])
        .await;
}

fn finishing(gateway: &Service, token: &str) -> RequestBuilder {
    post(gateway, "/sign-in/wechat/finish", &[("token", token)])
}

async fn finish(stack: &Stack, waiting: &Waiting) -> (Answer, String) {
    let gateway = &stack.gateways[0];
    let page = see(gateway, &waiting.cookie, &waiting.page).await;
    let sent = finishing(gateway, token(&page.text));
    let answer = http::send(sent.header("cookie", &waiting.cookie)).await;
    let signed_in = header(&answer, "set-cookie").split(';').next();
    let signed_in = signed_in.unwrap_or_default().to_owned();
    (answer, signed_in)
}

pub(crate) fn with_an_owner() -> Plan {
    Plan::default()
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__CONSOLE__OPENIDS", OWNER)
}

/// Signs the owner in by WeChat; the cookie.
pub(crate) async fn sign_in_by_wechat(stack: &Stack) -> String {
    let waiting = wait_for_wechat(stack).await;
    confirmed(stack, &waiting.attempt, OWNER).await;
    let (answer, signed_in) = finish(stack, &waiting).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let _: i64 = stack.redis.command(&["DEL", &waiting.attempt]).await;
    signed_in
}

#[tokio::test]
async fn a_sign_in_by_wechat_needs_its_own_browser_and_form_and_works_once() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    let waiting = wait_for_wechat(&stack).await;
    let attempt = &waiting.attempt;
    let approval: String = stack.redis.command(&["HGET", attempt, "approval"]).await;
    assert_eq!(approval, "tap", "a scan alone signs nobody in");
    confirmed(&stack, attempt, OWNER).await;

    let page = see(gateway, &waiting.cookie, &waiting.page).await.text;
    let form = |token: &str| finishing(gateway, token);
    for refused in [
        form(token(&page)),
        form("guess").header("cookie", &waiting.cookie),
        form(token(&page))
            .header("cookie", &waiting.cookie)
            .header("origin", "https://evil.example.com"),
    ] {
        let answer = http::send(refused).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let (answer, signed_in) = finish(&stack, &waiting).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(see(gateway, &signed_in, "").await.status, 200);
    let again = http::send(form(token(&page)).header("cookie", &waiting.cookie)).await;
    assert_eq!(again.status, 403, "{}", again.text);
}

#[tokio::test]
async fn a_planted_cookie_shows_nobody_a_strangers_code() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    let [stranger, owner] = [wait_for_wechat(&stack).await, wait_for_wechat(&stack).await];
    let shows_a_code = |page: &Answer| page.text.contains("data-content");
    let own = see(gateway, &owner.cookie, &owner.page).await;
    assert!(shows_a_code(&own), "{}", own.text);
    // Beside the owner's, as one for a longer path would come; and in its place.
    let beside = format!("{}; {}", stranger.cookie, owner.cookie);
    let seen = see(gateway, &beside, &owner.page).await;
    assert_eq!(seen.status, 403);
    assert!(!shows_a_code(&seen), "{}", seen.text);
    assert!(seen.text.contains("同名的 cookie"), "{}", seen.text);
    for page in [owner.page.as_str(), "/sign-in/wechat"] {
        let seen = see(gateway, &stranger.cookie, page).await;
        assert!(!shows_a_code(&seen), "{page}: {}", seen.text);
    }
    // The stranger's address as well, by a link on the stranger's page.
    let url = format!("{}/console{}", gateway.internal, stranger.page);
    let led = http::client().get(url).header("cookie", &stranger.cookie);
    let led = http::send(led.header("sec-fetch-site", "same-site")).await;
    assert_eq!(led.status, 403);
    assert!(!shows_a_code(&led), "{}", led.text);
    // Nor does one that came after the code was confirmed take its place.
    for attempt in [&stranger.attempt, &owner.attempt] {
        confirmed(&stack, attempt, OWNER).await;
    }
    let page = see(gateway, &owner.cookie, &owner.page).await.text;
    for cookie in [&stranger.cookie, &beside] {
        let sent = finishing(gateway, token(&page)).header("cookie", cookie);
        let answer = http::send(sent).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    let (answer, _) = finish(&stack, &owner).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

#[tokio::test]
async fn two_cookies_of_a_session_sign_nobody_in_and_that_is_said() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    let (_, other) = sign_in(gateway, API_KEY).await;
    let both = format!("{cookie}; {other}");
    assert_eq!(see(gateway, &both, "").await.status, 303);
    let page = see(gateway, &both, "/sign-in").await.text;
    assert!(page.contains("同名的 cookie"), "{page}");
    let page = see(gateway, &cookie, "/sign-in").await.text;
    assert!(!page.contains("同名的 cookie"), "{page}");
}

#[tokio::test]
async fn under_https_the_cookies_are_of_the_whole_host_and_no_others_count() {
    let plan = with_an_owner().gateway("GATEWAY__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let by_https = |request: RequestBuilder| request.header("x-forwarded-proto", "https");
    let get = |path: &str, cookie: &str| {
        let url = format!("{}/console{path}", gateway.internal);
        by_https(http::client().get(url)).header("cookie", cookie)
    };
    let answer = http::send(by_https(post(gateway, "/sign-in", &[("key", API_KEY)]))).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let set = header(&answer, "set-cookie");
    assert!(set.starts_with("__Host-wechat-login-console="), "{set}");
    let cookie = set.split(';').next().expect("a cookie");
    assert_eq!(http::send(get("", cookie)).await.status, 200);
    let unprefixed = cookie.trim_start_matches("__Host-");
    assert_eq!(http::send(get("", unprefixed)).await.status, 303);
    let answer = http::send(by_https(post(gateway, "/sign-in/wechat", &[]))).await;
    let set = header(&answer, "set-cookie");
    assert!(
        set.starts_with("__Host-wechat-login-console-sign-in="),
        "{set}"
    );
}

#[tokio::test]
async fn an_attempt_that_says_no_site_is_not_the_consoles() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    // As a site of long ago opened it, whose browser may be anybody's.
    let secret = BrowserSecret::from_random([7; 32]);
    let open = OpenAttempt {
        scene: secret.scene(),
        lifetime: LIFETIME,
        method: Method::Scan,
        code: Some(ShownCode {
            content: "http://weixin.qq.com/q/old".to_owned(),
            image_url: "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=old".to_owned(),
        }),
        digits: None,
        asker: Asker {
            description: "Chrome · Windows".to_owned(),
            address: "203.0.113.x".to_owned(),
        },
        site: attempts::silent_site(attempts::own_realm()).into(),
    };
    let opened = stack.redis.store().run(&open).await;
    opened.expect("Redis runs");
    let key = format!("wechat-login:attempt:{{{}}}", open.scene.as_str());
    let gone: i64 = stack.redis.command(&["HDEL", &key, "site"]).await;
    assert_eq!(gone, 1);
    confirmed(&stack, &key, OWNER).await;
    let cookie = format!("wechat-login-console-sign-in={}", secret.expose());
    let digest = |purpose: &str| {
        let bytes = Sha256::new()
            .chain_update(secret.as_bytes())
            .chain_update(purpose);
        URL_SAFE_NO_PAD.encode(bytes.finalize())
    };
    let path = format!("/sign-in/wechat?browser={}", digest("sign-in page"));
    let page = see(gateway, &cookie, &path).await.text;
    assert!(page.contains("二维码已失效"), "{page}");
    let sent = finishing(gateway, &digest("sign-in form")).header("cookie", &cookie);
    let answer = http::send(sent).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(answer.text.contains("二维码已失效"), "{}", answer.text);
}

#[tokio::test]
async fn who_is_not_in_the_list_or_no_longer_or_banned_is_not_signed_in() {
    let mut stack = http::start(with_an_owner()).await;
    let waiting = wait_for_wechat(&stack).await;
    confirmed(&stack, &waiting.attempt, "oStranger00000000000000000001").await;
    let (answer, _) = finish(&stack, &waiting).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(answer.text.contains("不能登录控制台"), "{}", answer.text);
    let _: i64 = stack.redis.command(&["DEL", &waiting.attempt]).await;

    let signed_in = sign_in_by_wechat(&stack).await;
    assert_eq!(see(&stack.gateways[0], &signed_in, "").await.status, 200);

    // A gateway whose list has another person.
    stack.plan = stack
        .plan
        .clone()
        .gateway("GATEWAY__CONSOLE__OPENIDS", "oAnother00000000000000000001");
    stack.add_gateway().await;
    assert_eq!(see(&stack.gateways[1], &signed_in, "").await.status, 303);
    assert_eq!(see(&stack.gateways[0], &signed_in, "").await.status, 200);

    let ban = format!("{}/v1/members/{OWNER}/ban", stack.gateways[0].internal);
    let ban = http::client().put(ban).bearer_auth(API_KEY);
    assert_eq!(http::send(ban).await.status, 204);
    assert_eq!(see(&stack.gateways[0], &signed_in, "").await.status, 303);
    let waiting = wait_for_wechat(&stack).await;
    confirmed(&stack, &waiting.attempt, OWNER).await;
    let (answer, _) = finish(&stack, &waiting).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
}

#[tokio::test]
async fn codes_that_nobody_confirms_are_limited_and_leave_the_key_alone() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    for _ in 0..10 {
        let answer = http::send(post(gateway, "/sign-in/wechat", &[])).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    let answer = http::send(post(gateway, "/sign-in/wechat", &[])).await;
    assert_eq!(answer.status, 429, "{}", answer.text);
    let foreign = post(gateway, "/sign-in/wechat", &[]).header("sec-fetch-site", "cross-site");
    assert_eq!(http::send(foreign).await.status, 403);
    assert_eq!(sign_in(gateway, API_KEY).await.0.status, 303);
}

#[tokio::test]
async fn wrong_keys_leave_the_codes_alone() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    for _ in 0..10 {
        assert_eq!(sign_in(gateway, "wrong").await.0.status, 403);
    }
    assert_eq!(sign_in(gateway, API_KEY).await.0.status, 429);
    let signed_in = sign_in_by_wechat(&stack).await;
    assert_eq!(see(gateway, &signed_in, "").await.status, 200);
}
