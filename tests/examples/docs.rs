//! The code in the documentation by task, in both languages, as a reader would copy it.

use std::process::Command;

use reqwest::Method;
use serde_json::Value;
use standardwebhooks::Webhook;
use system_tests::{
    browser::Browser,
    pages::Pages,
    stack::{API_KEY, Plan},
    webhook_receiver::{Receiver, SECRET},
};

use crate::{
    shop::KEY,
    visit::{says, scan},
};

/// A page in English and in Chinese.
macro_rules! page {
    ($name:literal) => {
        [
            include_str!(concat!("../../docs/", $name, ".md")),
            include_str!(concat!("../../docs/", $name, ".zh-CN.md")),
        ]
    };
}

const LOGIN_BUTTON: [&str; 2] = page!("login-button");
const OWN_USERS: [&str; 2] = page!("own-users");
const UNFOLLOW: [&str; 2] = page!("unfollow");
const OTHERS: [[&str; 2]; 3] = [
    page!("other-domain"),
    page!("inside-wechat"),
    page!("modal"),
];

/// The blocks of code in this language, without their comments.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Between fences text and code take turns.
    for block in page.split("\n```").skip(1).step_by(2) {
        let (named, code) = block.split_once('\n').expect("code below its fence");
        if named == language {
            let lines = code.lines().map(|line| {
                let code = line.split_once("    //").map_or(line, |(code, _)| code);
                format!("{code}\n")
            });
            found.push(lines.collect());
        }
    }
    found
}

#[test]
fn both_languages_show_the_same_code() {
    for [english, chinese] in [LOGIN_BUTTON, OWN_USERS, UNFOLLOW].iter().chain(&OTHERS) {
        for language in ["sh", "js", "jsx", "vue", "sql", ""] {
            assert_eq!(blocks(english, language), blocks(chinese, language));
        }
        let html = [english, chinese].map(|page| blocks(page, "html").len());
        assert_eq!(html[0], html[1]);
    }
}

#[tokio::test]
async fn the_page_of_ten_minutes_logs_in() {
    for (page, greeting) in LOGIN_BUTTON.iter().zip(["Hello, 小林", "你好，小林"]) {
        let (listener, origin) = Pages::listen().await;
        let plan = Plan::default().site("SITE__PUBLIC__ALLOWED_ORIGINS", &origin);
        let mut stack = plan.start().await;
        stack.publish_site().await;
        let [html] = blocks(page, "html").try_into().expect("one page");
        let html = html.replace("http://127.0.0.1:8080", &stack.sites[0].public);
        let pages = Pages::serve_page(listener, html, "");
        let browser = Browser::start(&stack.log).await;
        let person = stack.wechat.person("小林", true).await;
        browser.visit(&pages.origin).await;
        scan(&browser, &stack.wechat, &person).await;
        says(&browser, greeting).await;
        browser.visit(&pages.origin).await;
        says(&browser, greeting).await;
        browser.close(&["favicon.ico"]).await;
    }
}

#[tokio::test]
async fn a_page_that_listens_to_the_session_is_loaded_again_after_an_unfollow() {
    let (listener, origin) = Pages::listen().await;
    let plan = Plan::default()
        .site("SITE__PUBLIC__ALLOWED_ORIGINS", &origin)
        .site("SITE__SESSION__END_ON_UNFOLLOW", "true");
    let mut stack = plan.start().await;
    stack.publish_site().await;
    let [login] = blocks(LOGIN_BUTTON[0], "html")
        .try_into()
        .expect("one page");
    let [listening] = blocks(UNFOLLOW[0], "html").try_into().expect("one script");
    let site = &stack.sites[0].public;
    let login: String = login.replace("http://127.0.0.1:8080", site);
    let listening = listening.replace("https://login.example.com", site);
    let pages = Pages::serve_page(listener, login + &listening[..], "");
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    browser.visit(&pages.origin).await;
    scan(&browser, &stack.wechat, &person).await;
    says(&browser, "Hello, 小林").await;
    browser.value("window.isThisPage = true").await;
    stack.wechat.unfollow(&person).await;
    browser.until("window.isThisPage !== true").await;
    let said = browser.text("document.body.innerText").await;
    assert!(!said.contains("小林"), "{said}");
    browser.close(&["favicon.ico", "401"]).await;
}

/// What a command prints.
fn print(command: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new("sh")
        .args(["-euc", command])
        .envs(environment.iter().copied())
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// What a command prints, as JSON.
fn run(command: &str, environment: &[(&str, &str)]) -> Value {
    let printed = print(command, environment);
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{command}: {printed}"))
}

/// The one command of a page that asks this.
fn command(page: &str, address: &str) -> String {
    let mut found = blocks(page, "sh");
    found.retain(|block| block.contains(address));
    let [command] = found.try_into().expect("one command");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_a_backend_say_who_logged_in_and_who_unfollowed() {
    let stack = Plan::default().site("SITE__INTERNAL__API_KEY", KEY);
    let stack = stack.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let code = visitor.start_login().await;
    stack.wechat.scan(&person, &code).await;
    visitor.status_becomes("confirmed").await;
    let answer = visitor.call(Method::POST, "/api/login/complete").await.json;
    let redeem = command(OWN_USERS[0], "/v1/tickets/redeem");
    let redeemed = run(
        &redeem,
        &[
            ("SITE", &stack.sites[0].internal),
            ("SITE_KEY", KEY),
            ("TICKET", answer["ticket"].as_str().expect("a ticket")),
        ],
    );
    assert_eq!(redeemed["user"]["sub"], answer["user"]["sub"]);

    stack.wechat.unfollow(&person).await;
    let gateway = [
        ("GATEWAY", stack.gateways[0].internal.as_str()),
        ("GATEWAY_KEY", API_KEY),
        ("OPENID", person.openid.as_str()),
    ];
    let ask = command(
        UNFOLLOW[0],
        "curl --silent --header \"Authorization: Bearer $GATEWAY_KEY\" \"$GATEWAY/v1/members/",
    );
    assert_eq!(run(&ask, &gateway)["subscribed"], false);
    let events = run(&command(UNFOLLOW[0], "/v1/events"), &gateway);
    let events = events["events"].as_array().expect("a list");
    let unfollowed = events
        .iter()
        .find(|event| event["type"] == "member.unfollowed")
        .expect("the unfollow");
    assert_eq!(unfollowed["data"]["sub"], answer["user"]["sub"]);

    let erase = command(UNFOLLOW[0], "--request DELETE");
    assert_eq!(print(&erase, &gateway), "");
    assert_eq!(run(&ask, &gateway)["code"], "unknown_member");
}

#[tokio::test]
async fn the_settings_of_a_webhook_tell_of_an_unfollow() {
    let receiver = Receiver::start().await;
    let settings = command(UNFOLLOW[0], "GATEWAY__WEBHOOK__SHOP__URL=");
    let settings = print(&format!("set -a\n{settings}env"), &[]);
    let mut plan = Plan::default();
    for line in settings.lines() {
        if let Some((name, value)) = line.split_once('=')
            && name.starts_with("GATEWAY__WEBHOOK__SHOP__")
        {
            let value = value.replace("https://www.example.com/wechat-events", &receiver.url());
            if name.ends_with("SECRET") {
                Webhook::new(&value).expect("a secret as Standard Webhooks say");
                // The receiver knows its own alone.
                plan = plan.gateway(name, SECRET);
            } else {
                plan = plan.gateway(name, &value);
            }
        }
    }
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    stack.wechat.unfollow(&person).await;
    let first = receiver.first(1).await;
    let expected = ("member.unfollowed".to_owned(), person.openid.clone());
    assert_eq!(first[0].what(), expected);
}
