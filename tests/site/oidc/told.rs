//! What is kept and told of logins at clients: by whose login a session began, and whose rule held.

use reqwest::Method;
use serde_json::Value;
use system_tests::stack::{API_KEY, Stack};

use super::client::{authorize_path, authorized, location, of_app, of_wiki, plan, query};

async fn gateway(stack: &Stack, path: &str) -> Value {
    let url = format!("{}{path}", stack.gateways[0].internal);
    let client = service_kit::http_client::builder()
        .build()
        .expect("a client");
    let answer = client.get(url).bearer_auth(API_KEY).send().await;
    let answer = answer.expect("the gateway answers");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("it is JSON")
}

#[tokio::test]
async fn a_login_at_a_client_names_it_in_events_and_in_lists_of_sessions() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let own = visitor.call(Method::GET, "/api/sessions").await;
    assert_eq!(own.json["sessions"][0]["client"], "wiki", "{}", own.text);
    let path = format!("/v1/members/{}/sessions", person.openid);
    let owners = gateway(&stack, &path).await;
    assert_eq!(owners["sessions"][0]["client"], "wiki");
    visitor.call(Method::DELETE, "/api/session").await;
    let told = gateway(&stack, "/v1/events").await;
    let events = told["events"].as_array().expect("events");
    for kind in ["login.completed", "session.ended"] {
        let mut events = events.iter().filter(|event| event["type"] == kind);
        let event = events.next().expect("it is told");
        assert_eq!(event["data"]["client"], "wiki", "{event}");
    }
}

#[tokio::test]
async fn a_client_lets_in_whom_its_site_wouldnt_and_for_itself_alone() {
    let plan = plan()
        .site("SITE__LOGIN__REQUIRE_FOLLOWING", "true")
        .site("SITE__CLIENT__APP__REQUIRE_FOLLOWING", "false");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let page = super::client::page_for(&mut visitor, &of_app()).await;
    let request = page.split_once('?').expect("a request").1;
    let path = format!("/api/login?{request}");
    let begun = visitor.call(Method::POST, &path).await;
    let content = begun.json["qr"]["content"].as_str().expect("a code");
    stack.wechat.scan(&person, content).await;
    visitor.status_becomes("confirmed").await;
    // They are gone before the browser comes.
    stack.wechat.unfollow(&person).await;
    visitor.complete().await;
    assert_eq!(visitor.session().await, None, "at the site itself");
    let answer = visitor.call(Method::GET, &authorize_path(&of_app())).await;
    assert!(query(&location(&answer)).contains_key("code"));
}
