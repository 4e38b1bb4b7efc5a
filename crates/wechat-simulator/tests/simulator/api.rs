//! The server API's habits, and the faults that a test can ask for.

use reqwest::Method;
use serde_json::{Value, json};
use wechat_wire::api::{ApiError, UserInfo, decode};

use crate::process::{APP_ID, Simulator};

/// Nothing listens there, and nothing is pushed in these tests.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9/";

async fn failure(simulator: &Simulator, method: Method, path: &str, body: Value) -> ApiError {
    let response = simulator.send(method, path, body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "application/json; encoding=utf-8"
    );
    let error: ApiError = response.json().await.unwrap();
    assert!(error.rid().is_some(), "{}", error.errmsg);
    error
}

#[tokio::test]
async fn failures_travel_inside_http_200_with_a_request_id() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let token = simulator.access_token().await;
    assert!(token.starts_with("99_sim"));
    let create = format!("/cgi-bin/qrcode/create?access_token={token}");
    let long = json!({
        "action_name": "QR_STR_SCENE",
        "action_info": { "scene": { "scene_str": "x".repeat(65) } },
    });
    let wrong_secret =
        json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": "no" });
    let nobody = format!("/cgi-bin/user/info?access_token={token}&openid=oNobody");
    let (get, post) = (Method::GET, Method::POST);
    let rows = [
        (&post, "/cgi-bin/stable_token", wrong_secret, 40125),
        (&get, "/cgi-bin/stable_token", json!({}), 43002),
        (&get, "/cgi-bin/user/info?openid=x", json!({}), 41001),
        (&get, nobody.as_str(), json!({}), 40003),
        (
            &get,
            "/cgi-bin/getcallbackip?access_token=junk",
            json!({}),
            40014,
        ),
        (&post, create.as_str(), long, 40053),
        (
            &post,
            create.as_str(),
            json!({ "action_name": "QR" }),
            40052,
        ),
        (&get, "/cgi-bin/nothing", json!({}), 40066),
    ];
    for (method, path, body, errcode) in rows {
        let error = failure(&simulator, method.clone(), path, body).await;
        assert_eq!(error.errcode, errcode, "{method} {path}");
    }
    simulator
        .put("/simulator/settings", json!({ "account": "subscription" }))
        .await;
    assert_eq!(
        failure(&simulator, post, &create, json!({})).await.errcode,
        48001
    );
    simulator
        .post("/simulator/tokens/invalidate", json!({}))
        .await;
    assert_eq!(
        failure(&simulator, get, &nobody, json!({})).await.errcode,
        40001
    );
}

#[tokio::test]
async fn a_code_has_a_picture_and_slashes_are_escaped() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let code = simulator.code("login").await;
    let on_offer = simulator.get("/simulator/codes").await;
    assert_eq!(on_offer[0]["content"], code["url"]);
    let image_url = on_offer[0]["image_url"].as_str().unwrap();
    let picture = simulator.http.get(image_url).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/jpg");
    assert!(picture.bytes().await.unwrap().starts_with(b"\xff\xd8\xff"));
    let token = simulator.access_token().await;
    let path = format!("/cgi-bin/qrcode/create?access_token={token}");
    let body = json!({
        "action_name": "QR_SCENE",
        "action_info": { "scene": { "scene_id": 7 } },
    });
    let raw = simulator
        .send(Method::POST, &path, body)
        .await
        .text()
        .await
        .unwrap();
    assert!(
        raw.contains(r#""url":"http:\/\/weixin.qq.com\/q\/02"#),
        "{raw}"
    );
    assert!(raw.contains(r#""expire_seconds":60"#), "{raw}");
    let unknown = simulator
        .http
        .get(format!("{image_url}x"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn user_info_has_the_old_or_the_new_shape() {
    let simulator = Simulator::start(
        NOWHERE,
        &[("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "true")],
    );
    let wanted = json!({ "nickname": "控\u{7}制", "follows": true, "city": "深圳" });
    let person = simulator.post("/simulator/people", wanted).await;
    let openid = person["openid"].as_str().unwrap();
    let token = simulator.access_token().await;
    let path = format!("/cgi-bin/user/info?access_token={token}&openid={openid}&lang=zh_CN");
    let url = format!("{}{path}", simulator.address);
    let old = simulator
        .http
        .get(&url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert!(old.contains(&7), "the control character is raw");
    let old: UserInfo = decode(&old).unwrap();
    assert_eq!((old.nickname(), old.city()), (Some("控制"), Some("深圳")));
    simulator
        .put(
            "/simulator/settings",
            json!({ "profile_in_user_info": false }),
        )
        .await;
    let new: Value = simulator
        .http
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&new["nickname"], &new["headimgurl"]),
        (&json!(""), &json!(""))
    );
}

#[tokio::test]
async fn faults_hit_their_path_as_often_as_was_asked() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let path = "/cgi-bin/getcallbackip";
    simulator
        .put(
            "/simulator/faults",
            json!([
                { "path": path, "times": 1, "kind": "errcode", "errcode": 45011 },
                { "path": path, "times": 1, "kind": "status", "status": 502 },
                { "path": path, "times": 1, "kind": "hang_up" },
                { "path": path, "times": 1, "kind": "body", "body": "\u{1}" },
            ]),
        )
        .await;
    let error = failure(&simulator, Method::GET, path, json!({})).await;
    assert_eq!(error.errcode, 45011);
    let url = format!("{}{path}", simulator.address);
    assert_eq!(simulator.http.get(&url).send().await.unwrap().status(), 502);
    assert!(simulator.http.get(&url).send().await.is_err());
    assert_eq!(
        simulator
            .http
            .get(&url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "\u{1}"
    );
    assert_eq!(
        failure(&simulator, Method::GET, path, json!({}))
            .await
            .errcode,
        41001
    );
    assert_eq!(simulator.get("/simulator/calls").await[path], 5);
}
