//! What a visitor and a phone do through a proxy, and what may then stand in no log of it.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    nginx::Nginx,
    simulator::Person,
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};
use url::Url;

/// A system that believes the proxies of this machine and is reached at this address.
pub(crate) async fn system_at(public_url: &str) -> Stack {
    let plan = Plan::default()
        .site("SITE__PUBLIC__URL", public_url)
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1")
        .gateway("GATEWAY__PUBLIC__URL", public_url)
        .gateway("GATEWAY__PUBLIC__TRUSTED_PROXIES", "127.0.0.1")
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap")
        .gateway("GATEWAY__PUBLIC__VERIFICATION_FILES", "MP_verify_aB1.txt");
    plan.start().await
}

/// An address without its scheme.
pub(crate) fn host(address: &str) -> &str {
    address.trim_start_matches("http://")
}

/// They log in by the code, confirm on the phone and show their nickname there. Returns what no log
/// may hold.
pub(crate) async fn log_in_by_code(stack: &Stack, visitor: &mut Visitor) -> Vec<String> {
    let person = stack.wechat.person("小林", true).await;
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    // A proxy that keeps answers until they are whole would send nothing yet.
    assert_eq!(events.next_status().await.as_deref(), Some("scanned"));
    let link = link(stack, &person).await;
    let confirmed = json!({ "url": link, "form": { "decision": "confirm" } });
    let page = open(stack, &person, confirmed).await;
    assert!(
        page["body"]
            .as_str()
            .unwrap_or_default()
            .contains("已确认登录"),
        "{page}"
    );
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    assert_eq!(visitor.complete().await["openid"], person.openid.as_str());
    assert!(visitor.session().await.is_some());
    let mut secrets = secrets_in(&page);
    assert!(secrets.len() >= 2, "a code and a ticket: {page}");
    secrets.push(person.openid);
    secrets
}

/// They log in inside WeChat, by the site's own return address. Returns what no log may hold.
pub(crate) async fn log_in_inside_wechat(stack: &Stack, visitor: &mut Visitor) -> Vec<String> {
    let person = stack.wechat.person("小李", true).await;
    let path = "/api/login/web-authorization?return_to=/shop";
    let answer = visitor.call(Method::POST, path).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let authorize_url = answer.json["authorize_url"].as_str().expect("an address");
    let back = stack.wechat.authorize(&person, authorize_url).await;
    let answer = follow(visitor, &back).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.headers["location"], "/shop#");
    assert_eq!(
        visitor.session().await.expect("a session")["openid"],
        person.openid.as_str()
    );
    // The same address again, as somebody else opens it, and as a careless program writes it.
    let mut other = visitor.clone();
    other.cookies().clear();
    assert_eq!(follow(&mut other, &back).await.status, 303);
    let mut slashed = back.clone();
    slashed.set_path(&format!("{}/", back.path()));
    assert_eq!(follow(&mut other, &slashed).await.status, 303);
    let mut secrets = secrets_of(&back);
    assert_eq!(secrets.len(), 2, "a code and a state: {back}");
    secrets.push(person.openid);
    secrets
}

/// Opens an address where the visitor is.
async fn follow(visitor: &mut Visitor, address: &Url) -> Answer {
    let path = address.path();
    let path = path.strip_prefix("/passport").unwrap_or(path);
    visitor
        .call(
            Method::GET,
            &format!("{path}?{}", address.query().unwrap_or_default()),
        )
        .await
}

async fn link(stack: &Stack, person: &Person) -> String {
    let chat = stack.wechat.chat(person).await;
    let reply = chat.last().expect("the account replied");
    let (_, after) = reply.split_once("href=\"").expect("with a link");
    after.split_once('"').expect("which ends").0.to_owned()
}

async fn open(stack: &Stack, person: &Person, body: Value) -> Value {
    let path = format!("/simulator/people/{}/open", person.id);
    stack.wechat.control(Method::POST, &path, body).await
}

/// Codes, states and tickets of all addresses that a phone was led through.
fn secrets_in(page: &Value) -> Vec<String> {
    let addresses = page["redirects"].as_array().into_iter().flatten();
    let addresses = addresses.chain([&page["url"]]);
    let addresses = addresses.filter_map(|address| Url::parse(address.as_str()?).ok());
    addresses.flat_map(|address| secrets_of(&address)).collect()
}

fn secrets_of(address: &Url) -> Vec<String> {
    let secret = |name: &str| matches!(name, "code" | "state" | "ticket" | "scene");
    let pairs = address.query_pairs();
    pairs
        .filter(|(name, value)| secret(name) && value.len() >= 8)
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// None of these stands in what a proxy wrote, nor does what says that a query was written.
#[track_caller]
pub(crate) fn assert_says_nothing(nginx: &Nginx, secrets: &[String]) {
    let written = ["access.log", "error.log"]
        .map(|file| nginx.read(file))
        .concat();
    assert_holds_none(&written, secrets);
}

/// None of these stands in this log.
#[track_caller]
pub(crate) fn assert_holds_none(written: &str, secrets: &[String]) {
    let marks = [
        "signature=",
        "code=",
        "state=",
        "ticket=",
        "openid=",
        "echostr=",
    ]
    .map(str::to_owned);
    for secret in secrets.iter().chain(&marks) {
        let line = written.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret}");
    }
}
