//! Confirming on the phone: the scan shows, the press logs in.

use serde_json::{Value, json};
use system_tests::{
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::{
    phone_browser::PhoneBrowser,
    profile::{link, open},
};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/150.0.0.0 Safari/537.36";

pub(crate) async fn tap_mode() -> Stack {
    tap_mode_with(Plan::default()).await
}

pub(crate) async fn tap_mode_with(plan: Plan) -> Stack {
    // The public address is needed from the start; the real one follows.
    let plan = plan
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap")
        .gateway("GATEWAY__REPLY__SITE_NAME", "花店");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    stack
}

pub(crate) async fn scanned(stack: &Stack, person: &Person) -> (Visitor, String) {
    let mut visitor = stack.visitor();
    visitor.set_header("user-agent", CHROME);
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    assert_eq!(visitor.status().await, "scanned");
    let link = link(stack, person).await.expect("the reply holds a link");
    (visitor, link)
}

fn text(page: &Value) -> &str {
    page["body"].as_str().expect("a page has a body")
}

async fn press(stack: &Stack, person: &Person, link: &str, decision: &str) -> Value {
    open(
        stack,
        person,
        json!({ "url": link, "form": { "decision": decision } }),
    )
    .await
}

#[tokio::test]
async fn the_phone_says_who_asks_and_confirming_logs_in() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let page = open(&stack, &person, json!({ "url": link })).await;
    for expected in ["登录花店", "Chrome · Windows", "127.0.0.x", "(UTC+8)"] {
        assert!(text(&page).contains(expected), "{expected}: {page}");
    }
    assert_eq!(
        visitor.status().await,
        "scanned",
        "opening the page decides nothing"
    );
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("scanned"));
    let page = press(&stack, &person, &link, "confirm").await;
    assert!(text(&page).contains("已确认登录"), "{page}");
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    assert_eq!(visitor.complete().await["openid"], person.openid);
}

#[tokio::test]
async fn who_confirms_without_a_nickname_may_show_it_there() {
    let plan = Plan::default().simulator("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "false");
    let stack = tap_mode_with(plan).await;
    let person = stack.wechat.person("小林", true).await;
    for offered in [true, false] {
        let (mut visitor, link) = scanned(&stack, &person).await;
        let page = press(&stack, &person, &link, "confirm").await;
        assert!(text(&page).contains("已确认登录"), "{page}");
        visitor.complete().await;
        let shown = text(&page)
            .split_once("class=\"more\" href=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        assert_eq!(shown.is_some(), offered, "{page}");
        if let Some((profile, _)) = shown {
            open(&stack, &person, json!({ "url": profile })).await;
        }
        let user = visitor.session().await.expect("signed in");
        assert_eq!(user["nickname"], "小林");
    }
}

#[tokio::test]
async fn denying_ends_the_attempt() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let page = press(&stack, &person, &link, "deny").await;
    assert!(text(&page).contains("已拒绝登录"), "{page}");
    assert_eq!(visitor.status().await, "denied");
    let answer = visitor
        .call(reqwest::Method::POST, "/api/login/complete")
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json["code"]),
        (410, &json!("login_denied"))
    );
    // The first decision stands.
    let page = press(&stack, &person, &link, "confirm").await;
    assert!(text(&page).contains("已拒绝登录"), "{page}");
    assert_eq!(visitor.status().await, "denied");
}

#[tokio::test]
async fn pressing_twice_is_pressing_once() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    press(&stack, &person, &link, "confirm").await;
    visitor.complete().await;
    let page = press(&stack, &person, &link, "confirm").await;
    assert!(text(&page).contains("已确认登录"), "{page}");
    assert_eq!(visitor.status().await, "consumed");
}

#[tokio::test]
async fn only_the_person_who_scanned_can_press() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let page = press(&stack, &stranger, &link, "confirm").await;
    assert!(text(&page).contains("这不是您的登录"), "{page}");
    assert_eq!(visitor.status().await, "scanned");
}

#[tokio::test]
async fn an_attempt_that_is_over_cannot_be_confirmed() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    assert_eq!(
        visitor
            .call(reqwest::Method::DELETE, "/api/login")
            .await
            .status,
        204
    );
    let page = press(&stack, &person, &link, "confirm").await;
    assert!(text(&page).contains("这次登录已结束"), "{page}");
    assert_eq!(visitor.session().await, None);
}

#[tokio::test]
async fn the_phones_pages_cannot_be_framed_or_kept() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (_, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    let asking = phone.is_asked(&stack, &person, &link).await;
    let mut phone = phone.visitor;
    let asking = format!("{}?{}", asking.path(), asking.query().unwrap_or_default());
    for (path, words) in [
        (asking.as_str(), "登录花店"),
        ("/wechat/oauth/confirm/decision?ticket=none", "已结束"),
        ("/wechat/oauth/confirm/decision", "已结束"),
        ("/wechat/oauth/thanks", "谢谢"),
    ] {
        let answer = phone.call(reqwest::Method::GET, path).await;
        assert!(answer.text.contains(words), "{path}: {}", answer.text);
        let header = |name: &str| {
            answer
                .headers
                .get(name)
                .map_or("", |it| it.to_str().unwrap())
        };
        let policy = header("content-security-policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn what_a_site_is_called_cannot_become_markup() {
    let name = "<script>alert('花')</script>\"><img src=x>";
    let plan = Plan::default().gateway("GATEWAY__REPLY__SITE_NAME", name);
    let plan = plan
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    let person = stack.wechat.person("<b>\"小林\"</b>", true).await;
    let (_, link) = scanned(&stack, &person).await;
    let page = open(&stack, &person, json!({ "url": link })).await;
    let escaped =
        "登录&#60;script&#62;alert(&#39;花&#39;)&#60;/script&#62;&#34;&#62;&#60;img src=x&#62;？";
    assert!(text(&page).contains(escaped), "{page}");
    for markup in ["<script", "<img", "<b>"] {
        assert!(!text(&page).contains(markup), "{markup}: {page}");
    }
}
