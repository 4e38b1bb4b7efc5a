//! Web authorisation: the question on the phone, the code, and what it is exchanged for.

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::api::NOWHERE;
use crate::page_server::{PageServer, parameter};
use crate::process::{APP_ID, APP_SECRET, Simulator};

/// The address that sends a phone to web authorisation and back to `return_to`.
pub(crate) fn authorize_url(simulator: &Simulator, return_to: &str, scope: &str) -> String {
    let return_to: String = byte_serialize(return_to.as_bytes()).collect();
    format!(
        "{}/connect/oauth2/authorize?appid={APP_ID}&redirect_uri={return_to}&response_type=code\
         &scope={scope}&state=s1#wechat_redirect",
        simulator.address
    )
}

/// Opens a link on somebody's phone.
pub(crate) async fn open(simulator: &Simulator, person: &Value, link: Value) -> Value {
    let path = format!("/simulator/people/{}/open", person["id"].as_str().unwrap());
    simulator.post(&path, link).await
}

/// Opens the authorisation on a follower's phone and returns the code.
async fn code(simulator: &Simulator, person: &Value, scope: &str) -> String {
    let pages = PageServer::start();
    let url = authorize_url(simulator, &format!("{}/return", pages.address), scope);
    open(simulator, person, json!({ "url": url })).await;
    pages.codes().pop().expect("the phone came back")
}

async fn sns(simulator: &Simulator, path: &str) -> Value {
    let response = simulator.send(Method::GET, path, Value::Null).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain", "{path}");
    response.json().await.unwrap()
}

async fn exchange(simulator: &Simulator, code: &str) -> Value {
    let path = format!(
        "/sns/oauth2/access_token?appid={APP_ID}&secret={APP_SECRET}&code={code}\
         &grant_type=authorization_code"
    );
    sns(simulator, &path).await
}

async fn user_info(simulator: &Simulator, granted: &Value, openid: &Value) -> Value {
    let token = granted["access_token"].as_str().unwrap();
    let openid = openid.as_str().unwrap();
    let path = format!("/sns/userinfo?access_token={token}&openid={openid}&lang=zh_CN");
    sns(simulator, &path).await
}

async fn bound_follower(simulator: &Simulator) -> Value {
    let wanted = json!({ "nickname": "小林/1", "follows": true, "unionid": "u1", "city": "深圳" });
    simulator.post("/simulator/people", wanted).await
}

#[tokio::test]
async fn a_code_is_exchanged_once_for_nickname_and_avatar() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = bound_follower(&simulator).await;
    let code = code(&simulator, &person, "snsapi_userinfo").await;
    let granted = exchange(&simulator, &code).await;
    assert_eq!(granted["openid"], person["openid"]);
    assert_eq!(granted["scope"], "snsapi_userinfo");
    assert_eq!(granted["expires_in"], 7200);
    assert_eq!(granted["unionid"], "u1");
    assert_eq!(granted.get("is_snapshotuser"), None);
    let info = user_info(&simulator, &granted, &person["openid"]).await;
    let expected = json!({
        "openid": person["openid"], "nickname": "小林/1", "sex": 0, "province": "", "city": "",
        "country": "", "headimgurl": person["avatar_url"], "privilege": [], "unionid": "u1",
    });
    assert_eq!(info, expected);
    assert_eq!(exchange(&simulator, &code).await["errcode"], 40163);
    let calls = simulator.get("/simulator/calls").await;
    assert_eq!(calls["/sns/oauth2/access_token"], 2);
    assert_eq!(calls["/sns/userinfo"], 1);
    let secrets = simulator.get("/simulator/secrets").await;
    assert_eq!(secrets["web_codes"], json!([code]));
    assert_eq!(
        secrets["web_refresh_tokens"],
        json!([granted["refresh_token"]])
    );
}

#[tokio::test]
async fn the_silent_scope_tells_the_openid_alone() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = bound_follower(&simulator).await;
    let code = code(&simulator, &person, "snsapi_base").await;
    let granted = exchange(&simulator, &code).await;
    assert_eq!(granted["openid"], person["openid"]);
    assert_eq!(granted.get("unionid"), None);
    let info = user_info(&simulator, &granted, &person["openid"]).await;
    assert_eq!(info["errcode"], 48001);
}

#[tokio::test]
async fn who_does_not_follow_is_asked_and_may_refuse() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let stranger = simulator.person(false).await;
    let pages = PageServer::start();
    let return_to = format!("{}/return", pages.address);
    let url = authorize_url(&simulator, &return_to, "snsapi_userinfo");
    let refused = open(
        &simulator,
        &stranger,
        json!({ "url": url, "consent": false }),
    )
    .await;
    assert_eq!(refused["status"], 200);
    assert!(refused["body"].as_str().unwrap().contains("你拒绝了授权"));
    assert!(pages.codes().is_empty());
    open(&simulator, &stranger, json!({ "url": url })).await;
    assert_eq!(pages.codes().len(), 1);
    let silent = authorize_url(&simulator, &return_to, "snsapi_base");
    open(
        &simulator,
        &stranger,
        json!({ "url": silent, "consent": false }),
    )
    .await;
    assert_eq!(pages.codes().len(), 2, "the silent scope asks nobody");
    let follower = simulator.person(true).await;
    let elsewhere = json!({ "url": url, "consent": false, "from_chat": false });
    open(&simulator, &follower, elsewhere).await;
    assert_eq!(
        pages.codes().len(),
        2,
        "a follower who comes from elsewhere is asked"
    );
}

#[tokio::test]
async fn what_wechat_does_not_accept_ends_on_its_own_page() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = simulator.person(true).await;
    let right = authorize_url(&simulator, "http://127.0.0.1:9/return", "snsapi_base");
    let page = async |url: String| {
        let opened = open(&simulator, &person, json!({ "url": url })).await;
        assert_eq!(opened["status"], 200, "{opened}");
        opened["body"].as_str().unwrap().to_owned()
    };
    let reordered = right.replace("&scope=snsapi_base&state=s1", "&state=s1&scope=snsapi_base");
    assert!(page(reordered).await.contains("参数错误"));
    let bare = right.replace("#wechat_redirect", "");
    assert!(page(bare).await.contains("#wechat_redirect"));
    let other_app = right.replace(APP_ID, "wx0000000000000000");
    assert!(page(other_app).await.contains("40013"));
    let elsewhere = right.replace("127.0.0.1%3A9", "login.example.com");
    assert!(page(elsewhere).await.contains("10003"));
    let settings = json!({ "oauth_domains": ["login.example.com"] });
    simulator.put("/simulator/settings", settings).await;
    assert!(page(right.clone()).await.contains("10003"));
    let settings = json!({ "oauth_domains": null, "account": "subscription" });
    simulator.put("/simulator/settings", settings).await;
    assert!(page(right).await.contains("10005"));
}

#[tokio::test]
async fn every_wrong_parameter_has_its_code() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = simulator.person(true).await;
    let granted = {
        let code = code(&simulator, &person, "snsapi_userinfo").await;
        exchange(&simulator, &code).await
    };
    let token = granted["access_token"].as_str().unwrap();
    let openid = person["openid"].as_str().unwrap();
    let account_token = simulator.access_token().await;
    let exchange = "/sns/oauth2/access_token?grant_type=authorization_code";
    let refresh = "/sns/oauth2/refresh_token?grant_type=refresh_token";
    let rows = [
        (format!("{exchange}&secret={APP_SECRET}&code=c"), 41002),
        (
            format!("{exchange}&appid=wx1&secret={APP_SECRET}&code=c"),
            40013,
        ),
        (format!("{exchange}&appid={APP_ID}&code=c"), 41004),
        (format!("{exchange}&appid={APP_ID}&secret=no&code=c"), 40125),
        (
            format!("{exchange}&appid={APP_ID}&secret={APP_SECRET}"),
            41008,
        ),
        (
            format!("{exchange}&appid={APP_ID}&secret={APP_SECRET}&code=c"),
            40029,
        ),
        (
            format!(
                "/sns/oauth2/access_token?appid={APP_ID}&secret={APP_SECRET}&code=c&grant_type=x"
            ),
            40002,
        ),
        (format!("{refresh}&appid={APP_ID}&refresh_token=r"), 40030),
        (format!("{refresh}&appid=wx1&refresh_token=r"), 40013),
        (format!("/sns/userinfo?openid={openid}"), 41001),
        (format!("/sns/userinfo?access_token={token}"), 41009),
        (
            format!("/sns/userinfo?access_token={token}&openid=oNobody"),
            40003,
        ),
        (
            format!("/sns/userinfo?access_token={account_token}&openid={openid}"),
            40001,
        ),
        (
            format!("/sns/auth?access_token={token}&openid=oNobody"),
            40003,
        ),
        (format!("/sns/auth?access_token={token}&openid={openid}"), 0),
        ("/sns/nothing".to_owned(), 40066),
    ];
    for (path, errcode) in rows {
        assert_eq!(sns(&simulator, &path).await["errcode"], errcode, "{path}");
    }
    let of_the_account = format!("/cgi-bin/user/info?access_token={token}&openid={openid}");
    let refused = simulator.get(&of_the_account).await;
    assert_eq!(refused["errcode"], 40001, "the tokens are of two kinds");
    let fault =
        json!([{ "path": "/sns/userinfo", "times": 1, "kind": "errcode", "errcode": 42007 }]);
    simulator.put("/simulator/faults", fault).await;
    let info = user_info(&simulator, &granted, &person["openid"]).await;
    assert_eq!(info["errcode"], 42007);
}

#[tokio::test]
async fn codes_and_tokens_expire_and_tokens_are_refreshed() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = simulator.person(true).await;
    let first = code(&simulator, &person, "snsapi_userinfo").await;
    let granted = exchange(&simulator, &first).await;
    let refresh = format!(
        "/sns/oauth2/refresh_token?appid={APP_ID}&grant_type=refresh_token&refresh_token={}",
        granted["refresh_token"].as_str().unwrap()
    );
    let settings = json!({ "web_code_lifetime_seconds": 0, "web_token_lifetime_seconds": 0 });
    simulator.put("/simulator/settings", settings).await;
    let late = code(&simulator, &person, "snsapi_userinfo").await;
    assert_eq!(exchange(&simulator, &late).await["errcode"], 42003);
    let refreshed = sns(&simulator, &refresh).await;
    assert_ne!(refreshed["access_token"], granted["access_token"]);
    assert_eq!(refreshed["openid"], person["openid"]);
    let info = user_info(&simulator, &refreshed, &person["openid"]).await;
    assert_eq!(info["errcode"], 42001);
    let settings = json!({
        "web_code_lifetime_seconds": 300, "web_refresh_lifetime_seconds": 0,
    });
    simulator.put("/simulator/settings", settings).await;
    let next = code(&simulator, &person, "snsapi_userinfo").await;
    let granted = exchange(&simulator, &next).await;
    let path = format!(
        "/sns/oauth2/refresh_token?appid={APP_ID}&grant_type=refresh_token&refresh_token={}",
        granted["refresh_token"].as_str().unwrap()
    );
    assert_eq!(sns(&simulator, &path).await["errcode"], 42002);
}

#[tokio::test]
async fn a_snapshot_has_a_person_who_is_not_real() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = bound_follower(&simulator).await;
    let settings = json!({ "snapshot_pages": true });
    simulator.put("/simulator/settings", settings).await;
    let code = code(&simulator, &person, "snsapi_userinfo").await;
    let granted = exchange(&simulator, &code).await;
    assert_eq!(granted["is_snapshotuser"], 1);
    assert_ne!(granted["openid"], person["openid"]);
    assert_ne!(granted["unionid"], "u1");
    let info = user_info(&simulator, &granted, &granted["openid"]).await;
    assert_eq!(info["nickname"], "微信用户");
    let secrets = simulator.get("/simulator/secrets").await;
    let openids = secrets["openids"].as_array().unwrap();
    assert!(openids.contains(&granted["openid"]));
}

#[tokio::test]
async fn a_reset_or_frozen_secret_is_refused() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = simulator.person(true).await;
    let code = code(&simulator, &person, "snsapi_base").await;
    for (state, errcode) in [("wrong", 40125), ("frozen", 40243)] {
        let settings = json!({ "secret_state": state });
        simulator.put("/simulator/settings", settings).await;
        assert_eq!(exchange(&simulator, &code).await["errcode"], errcode);
        let body = json!({
            "grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET,
        });
        let refused = simulator.post("/cgi-bin/stable_token", body).await;
        assert_eq!(refused["errcode"], errcode);
    }
    let settings = json!({ "secret_state": "ok" });
    simulator.put("/simulator/settings", settings).await;
    assert_eq!(
        exchange(&simulator, &code).await["openid"],
        person["openid"],
        "a refused secret spends no code"
    );
}

#[tokio::test]
async fn in_a_browser_cookies_say_who_holds_the_phone() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let person = simulator.person(true).await;
    let id = person["id"].as_str().unwrap();
    let url = authorize_url(&simulator, "http://127.0.0.1:9/return", "snsapi_userinfo");
    let request = |method: Method, cookies: &str| {
        let request = simulator.http.request(method, &url);
        request.header("cookie", cookies).send()
    };
    let nobody = request(Method::GET, "other=1").await.unwrap();
    let text = nobody.text().await.unwrap();
    assert!(text.contains("请在微信客户端打开链接"), "{text}");

    let phone = format!("wechat-phone={id}");
    let question = request(Method::GET, &phone).await.unwrap();
    let policy = question.headers()["content-security-policy"].to_str();
    assert!(policy.unwrap().contains("frame-ancestors 'none'"));
    let text = question.text().await.unwrap();
    assert!(text.contains("允许") && text.contains("小林"), "{text}");

    let pressed = |decision: &'static str| {
        let request = simulator.http.post(&url).header("cookie", &phone);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("decision={decision}")).send()
    };
    let denied = pressed("deny").await.unwrap();
    assert!(denied.text().await.unwrap().contains("你拒绝了授权"));
    let allowed = pressed("allow").await.unwrap();
    assert_eq!(allowed.status(), 302);
    let back = Url::parse(allowed.headers()["location"].to_str().unwrap()).unwrap();
    assert_eq!(parameter(&back, "state").as_deref(), Some("s1"));
    let code = parameter(&back, "code").unwrap();
    assert_eq!(
        exchange(&simulator, &code).await["openid"],
        person["openid"]
    );

    let from_chat = format!("{phone}; wechat-chat={id}");
    let silent = request(Method::GET, &from_chat).await.unwrap();
    assert_eq!(silent.status(), 302);
    let settings = json!({ "silent_for_followers": false });
    simulator.put("/simulator/settings", settings).await;
    let asked = request(Method::GET, &from_chat).await.unwrap();
    assert_eq!(asked.status(), 200);
    let settings = json!({ "silent_for_followers": true, "double_callback": true });
    simulator.put("/simulator/settings", settings).await;
    let twice = request(Method::GET, &from_chat).await.unwrap();
    let text = twice.text().await.unwrap();
    assert_eq!(text.matches("code=0si").count(), 3, "{text}");
}
