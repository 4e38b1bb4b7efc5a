//! What an account can suffer: quotas, kinds of account, the whitelist, the network.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::NOWHERE;
use crate::process::{APP_ID, APP_SECRET, Simulator};

async fn call(simulator: &Simulator, method: Method, path: &str, body: Value) -> Value {
    let token = simulator.access_token().await;
    let path = format!("{path}?access_token={token}");
    let response = simulator.send(method, &path, body).await;
    response.json().await.unwrap()
}

async fn settings(simulator: &Simulator, settings: Value) {
    simulator.put("/simulator/settings", settings).await;
}

#[tokio::test]
async fn quotas_end_and_are_cleared() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let create = "/cgi-bin/qrcode/create";
    settings(&simulator, json!({ "quota": { create: 2 } })).await;
    for _ in 0..2 {
        assert!(simulator.code("login").await["ticket"].is_string());
    }
    assert_eq!(simulator.code("login").await["errcode"], 45009);
    let asked = json!({ "cgi_path": create });
    let quota = call(
        &simulator,
        Method::POST,
        "/cgi-bin/openapi/quota/get",
        asked,
    )
    .await;
    assert_eq!(
        quota["quota"],
        json!({ "daily_limit": 2, "used": 2, "remain": 0 })
    );
    let cleared = json!({ "appid": APP_ID });
    call(&simulator, Method::POST, "/cgi-bin/clear_quota", cleared).await;
    assert!(simulator.code("login").await["ticket"].is_string());

    let changed = json!({ "quota": {}, "minute_quota": { "/cgi-bin/getcallbackip": 1 } });
    settings(&simulator, changed).await;
    let addresses =
        async || call(&simulator, Method::GET, "/cgi-bin/getcallbackip", json!({})).await;
    assert!(addresses().await["ip_list"].is_array());
    assert_eq!(addresses().await["errcode"], 45011);
}

#[tokio::test]
async fn kinds_of_account_may_do_different_things() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = simulator.person(true).await;
    let token = simulator.access_token().await;
    let openid = person["openid"].as_str().unwrap();
    let user_info = format!("/cgi-bin/user/info?access_token={token}&openid={openid}");
    for (kind, code, info) in [
        ("service", Value::Null, Value::Null),
        ("subscription", json!(48001), Value::Null),
        ("uncertified", json!(48001), json!(48001)),
    ] {
        settings(&simulator, json!({ "account": kind })).await;
        assert_eq!(simulator.code("login").await["errcode"], code, "{kind}");
        assert_eq!(simulator.get(&user_info).await["errcode"], info, "{kind}");
    }
}

#[tokio::test]
async fn an_account_without_rights_can_be_set() {
    let settings = [("SIMULATOR__WECHAT__ACCOUNT", "uncertified")];
    let simulator = Simulator::start(NOWHERE, &settings);
    assert_eq!(simulator.code("login").await["errcode"], 48001);
}

#[tokio::test]
async fn codes_without_a_scene_push_nothing() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let (follower, stranger) = (simulator.person(true).await, simulator.person(false).await);
    let (own, page) = (
        "http://weixin.qq.com/r/51d0ca11bac4",
        "https://shop.example/wechat/login?a=b",
    );
    for (person, content, expected) in [
        (&follower, own, json!({ "outcome": "chat_opened" })),
        (&stranger, own, json!({ "outcome": "follow_page" })),
        (&stranger, page, json!({ "outcome": "page", "url": page })),
    ] {
        let id = person["id"].as_str().unwrap();
        let path = format!("/simulator/people/{id}/scan");
        let scanned = simulator.post(&path, json!({ "code": content })).await;
        assert_eq!(scanned, expected, "{content}");
    }
    let deliveries = simulator.get("/simulator/deliveries").await;
    assert_eq!(deliveries.as_array().map(Vec::len), Some(0), "{deliveries}");
}

#[tokio::test]
async fn the_whitelist_names_the_callers_address() {
    let simulator = Simulator::start(NOWHERE, &[]);
    settings(&simulator, json!({ "whitelist_ok": false })).await;
    let path =
        format!("/cgi-bin/token?grant_type=client_credential&appid={APP_ID}&secret={APP_SECRET}");
    let refused = simulator.get(&path).await;
    assert_eq!(refused["errcode"], 40164);
    let errmsg = refused["errmsg"].as_str().unwrap();
    let expected = "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ";
    assert!(errmsg.starts_with(expected), "{errmsg}");
}

#[tokio::test]
async fn the_callback_check_says_whether_the_address_is_reached() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let path = "/cgi-bin/callback/check";
    let check = async |action: &str, operator: &str| {
        let body = json!({ "action": action, "check_operator": operator });
        call(&simulator, Method::POST, path, body).await
    };
    let all = check("all", "DEFAULT").await;
    assert_eq!(all["dns"][0]["ip"], "127.0.0.1");
    assert_eq!(all["ping"][0]["package_loss"], "100%");
    settings(&simulator, json!({ "callback_url": simulator.address })).await;
    let ping = check("ping", "UNICOM").await;
    assert_eq!(ping["ping"][0]["package_loss"], "0%");
    assert_eq!(ping.get("dns"), None);
    assert_eq!(check("sing", "DEFAULT").await["errcode"], 40202);
    assert_eq!(check("all", "NOBODY").await["errcode"], 40203);
}

#[tokio::test]
async fn a_setting_that_does_not_exist_or_fit_is_refused() {
    let simulator = Simulator::start(NOWHERE, &[]);
    for wrong in [
        json!({ "modus": "plain" }),
        json!({ "mode": "loud" }),
        json!({ "mode": "safe" }),
        json!({ "callback_url": "ftp://127.0.0.1/" }),
    ] {
        let path = "/simulator/settings";
        let response = simulator.send(Method::PUT, path, wrong.clone()).await;
        assert_eq!(response.status(), 400, "{wrong}");
    }
}
