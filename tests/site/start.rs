//! `POST /api/login`: a login begins, or goes on.

use jiff::Timestamp;
use reqwest::{Method, header::LOCATION};
use system_tests::stack::Plan;

use crate::{
    answers::{assert_members, set_cookie},
    attempt_record,
    qr_reading::Drawing,
};

const CREATE: &str = "/cgi-bin/qrcode/create";

#[tokio::test]
async fn a_login_begins_with_a_pending_attempt_and_its_code() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let before = Timestamp::now();
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(answer.headers.get(LOCATION).is_none());

    let body = &answer.json;
    let members = [
        "code",
        "expires_at",
        "expires_in_seconds",
        "method",
        "poll_interval_ms",
        "qr",
        "status",
    ];
    assert_members(body, &members);
    assert_eq!(body["status"], "pending");
    assert_eq!(body["method"], "scan");
    assert!(body["code"].is_null());
    assert_eq!(body["expires_in_seconds"], 300);
    assert_eq!(body["poll_interval_ms"], 2000);
    let expires_at: Timestamp = body["expires_at"].as_str().unwrap().parse().unwrap();
    let lifetime = expires_at.duration_since(before).as_secs();
    assert!((299..=330).contains(&lifetime), "{lifetime} s");

    let qr = &body["qr"];
    assert_members(qr, &["content", "image_url", "svg"]);
    let content = qr["content"].as_str().unwrap();
    assert!(content.starts_with("http://weixin.qq.com/q/"), "{content}");
    let image_url = qr["image_url"].as_str().unwrap();
    let showqrcode = format!("{}/cgi-bin/showqrcode?ticket=", stack.wechat.url());
    assert!(image_url.starts_with(&showqrcode), "{image_url}");

    let read = visitor.call(Method::GET, "/api/login").await;
    assert_eq!(read.json["expires_at"], body["expires_at"]);
}

#[tokio::test]
async fn the_drawing_says_what_the_code_encodes() {
    let stack = Plan::default().start().await;
    for _ in 0..2 {
        let answer = stack.visitor().call(Method::POST, "/api/login").await;
        let qr = &answer.json["qr"];
        let drawing = Drawing::of_svg(qr["svg"].as_str().unwrap());
        assert_eq!(drawing.quiet_zone(), 4);
        assert_eq!(drawing.read(), qr["content"].as_str().unwrap());
    }
}

#[tokio::test]
async fn the_scene_never_reaches_the_browser() {
    let stack = Plan::default().start().await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    let key = attempt_record::only(&stack).await;
    let scene = attempt_record::scene(&key);
    let digest = scene.strip_prefix("login_").unwrap();
    assert!(!answer.text.contains(digest));
    assert!(!format!("{:?}", answer.headers).contains(digest));
}

#[tokio::test]
async fn the_same_browser_goes_on_with_its_attempt() {
    let stack = Plan::default().sites(2).start().await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let cookie = visitor.cookies().clone();
    let first = visitor.call(Method::GET, "/api/login").await;

    visitor.move_to(&stack.sites[1].public);
    let again = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(again.status, 201);
    assert_eq!(again.json["qr"]["content"], *content);
    assert_eq!(again.json["expires_at"], first.json["expires_at"]);
    assert!(again.json["expires_in_seconds"].as_i64().unwrap() <= 300);
    assert_eq!(*visitor.cookies(), cookie);
    assert_eq!(stack.wechat.calls(CREATE).await, 1);

    let person = stack.wechat.person("小林", true).await;
    stack.wechat.scan(&person, &content).await;
    let confirmed = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(confirmed.status, 201);
    assert_eq!(confirmed.json["status"], "confirmed");
    assert_eq!(confirmed.json["qr"]["content"], *content);
    visitor.complete().await;
    assert_eq!(stack.wechat.calls(CREATE).await, 1);
}

#[tokio::test]
async fn every_browser_has_its_own_attempt() {
    let stack = Plan::default().start().await;
    let [mut one, mut other] = [stack.visitor(), stack.visitor()];
    assert_ne!(one.start_login().await, other.start_login().await);
    assert_ne!(one.cookies(), other.cookies());
}

#[tokio::test]
async fn what_is_over_or_nearly_so_is_followed_by_a_new_attempt() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();

    let first = visitor.start_login().await;
    attempt_record::expire(&stack, &attempt_record::only(&stack).await).await;
    let second = visitor.start_login().await;
    assert_ne!(second, first, "after an expiry");

    let key = attempt_record::only(&stack).await;
    attempt_record::set(&stack, &key, "status", "denied").await;
    let third = visitor.start_login().await;
    assert_ne!(third, second, "after a refusal on the phone");
    attempt_record::expire(&stack, &key).await;

    let kept = visitor.cookies().clone();
    visitor.call(Method::DELETE, "/api/login").await;
    *visitor.cookies() = kept;
    let fourth = visitor.start_login().await;
    assert_ne!(fourth, third, "after the modal was closed");

    let key = attempt_record::only(&stack).await;
    let _: i64 = stack.redis.command(&["PEXPIRE", &key, "10000"]).await;
    let fifth = visitor.start_login().await;
    assert_ne!(fifth, fourth, "with ten seconds left");
    attempt_record::expire(&stack, &key).await;

    stack.wechat.scan(&person, &fifth).await;
    visitor.complete().await;
    let sixth = visitor.start_login().await;
    assert_ne!(sixth, fifth, "after a login");
    assert_eq!(visitor.status().await, "pending");
}

#[tokio::test]
async fn a_secret_that_the_site_did_not_draw_is_never_used() {
    let stack = Plan::default().start().await;
    let planted = [
        "",
        "x",
        "../../etc/passwd",
        &"A".repeat(43),
        &"A".repeat(500),
    ];
    for planted in planted {
        let mut visitor = stack.visitor();
        let cookie = ("wechat-login".to_owned(), planted.to_owned());
        visitor.cookies().extend([cookie]);
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, 201, "{planted:?}");
        assert!(set_cookie(&answer, "wechat-login").is_some());
        assert_ne!(visitor.cookies()["wechat-login"], planted);
    }
}

#[tokio::test]
async fn the_lifetime_is_a_setting() {
    let plan = Plan::default().site("SITE__LOGIN__TTL_SECONDS", "60");
    let stack = plan.start().await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.json["expires_in_seconds"], 60);
    let key = attempt_record::only(&stack).await;
    let left: i64 = stack.redis.command(&["PTTL", &key]).await;
    assert!((40_000..=60_000).contains(&left), "{left} ms");
}
