//! What WeChat's console can have wrong.

use serde_json::json;

use crate::examination::Patient;

/// What can't be checked without an access token.
const NEED_A_TOKEN: [&str; 5] = [
    "qr_codes",
    "quota_qrcode_create",
    "quota_user_info",
    "quota_stable_token",
    "callback_console",
];

#[tokio::test]
async fn a_secret_that_is_wrong() {
    let mut patient = Patient::healthy().await;
    patient.set(
        "GATEWAY__WECHAT__APP_SECRET",
        "another0secret00another0secret00",
    );
    let found = patient.examine().await;
    found.fails_only(
        "access_token",
        &["40125", "AppSecret is wrong", "开发者密钥"],
    );
    found.all_are(&NEED_A_TOKEN, "skip");
    // What doesn't depend on it is checked all the same.
    found.all_are(&["redis", "clock", "callback", "callback_signature"], "ok");
}

#[tokio::test]
async fn a_secret_that_is_frozen() {
    let patient = Patient::healthy().await;
    let frozen = json!({ "secret_state": "frozen" });
    patient.stack.wechat.settings(frozen).await;
    let found = patient.examine().await;
    found.fails_only("access_token", &["40243", "frozen", "解冻", "10 minutes"]);
}

#[tokio::test]
async fn an_app_id_of_somebody_else() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__WECHAT__APP_ID", "wx00000000000000ff");
    let found = patient.examine().await;
    found.fails_only("access_token", &["40013", "AppID is wrong", "开发者ID"]);
}

#[tokio::test]
async fn an_address_that_is_not_on_the_whitelist() {
    let patient = Patient::healthy().await;
    let refused = json!({ "whitelist_ok": false });
    patient.stack.wechat.settings(refused).await;
    let found = patient.examine().await;
    found.fails_only(
        "access_token",
        &["40164", "Add 127.0.0.1 to the IP whitelist (IP白名单)"],
    );
}

#[tokio::test]
async fn an_address_that_the_administrator_must_confirm() {
    let patient = Patient::healthy().await;
    for (errcode, words) in [
        (89503, "confirm the request"),
        (89506, "24 hours"),
        (89507, "an hour"),
    ] {
        let fault =
            json!([{ "path": "/cgi-bin/stable_token", "kind": "errcode", "errcode": errcode }]);
        patient.stack.wechat.faults(fault).await;
        let found = patient.examine().await;
        found.fails_only("access_token", &[&errcode.to_string(), words, "管理员"]);
    }
}

#[tokio::test]
async fn an_account_that_may_not_create_codes() {
    let patient = Patient::healthy().await;
    let subscription = json!({ "account": "subscription" });
    patient.stack.wechat.settings(subscription).await;
    let found = patient.examine().await;
    found.fails_only("qr_codes", &["48001", "认证服务号", "接口测试号"]);
    found.all_are(&["access_token", "callback"], "ok");
}

#[tokio::test]
async fn a_quota_that_is_used_up() {
    let patient = Patient::healthy().await;
    let quota = json!({ "quota": { "/cgi-bin/qrcode/create": 1 } });
    patient.stack.wechat.settings(quota).await;
    // The first run creates the last code of the day, in order to try it.
    let found = patient.examine().await;
    assert_eq!(found.code, Some(1), "{}", found.lines);
    let found = patient.examine().await;
    let (status, detail, action) = found.check("qr_codes");
    assert_eq!(status, "fail");
    assert!(detail.contains("45009"), "{detail}");
    assert!(action.contains("清零"), "{action}");
    let (status, detail, _) = found.check("quota_qrcode_create");
    assert_eq!(status, "fail");
    assert!(detail.contains("0 of 1 calls left"), "{detail}");
    found.all_are(&["quota_user_info", "quota_stable_token"], "ok");
}

#[tokio::test]
async fn a_quota_that_is_nearly_used_up() {
    let patient = Patient::healthy().await;
    let body = r#"{"errcode":0,"errmsg":"ok","quota":{"daily_limit":100,"used":91,"remain":9}}"#;
    let fault = json!([{ "path": "/cgi-bin/openapi/quota/get", "kind": "body", "body": body }]);
    patient.stack.wechat.faults(fault).await;
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "a warning is no failure");
    let (status, detail, action) = found.check("quota_user_info");
    assert_eq!(status, "warn");
    assert!(detail.contains("9 of 100 calls left"), "{detail}");
    assert!(action.contains("清零"), "{action}");
}

#[tokio::test]
async fn a_console_without_a_callback_address() {
    let patient = Patient::healthy().await;
    let fault = json!([{ "path": "/cgi-bin/callback/check", "kind": "errcode", "errcode": 40201 }]);
    patient.stack.wechat.faults(fault).await;
    let found = patient.examine().await;
    found.fails_only(
        "callback_console",
        &["40201", "/wechat/callback", "服务器地址(URL)"],
    );
}

#[tokio::test]
async fn pings_that_are_lost() {
    let patient = Patient::healthy().await;
    let body = r#"{"dns":[{"ip":"192.0.2.1","real_operator":"UNICOM"}],
        "ping":[{"ip":"192.0.2.1","from_operator":"UNICOM","package_loss":"50%","time":"23.079ms"}]}"#;
    let fault = json!([{ "path": "/cgi-bin/callback/check", "kind": "body", "body": body }]);
    patient.stack.wechat.faults(fault).await;
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0));
    let (status, detail, _) = found.check("callback_console");
    assert_eq!(status, "warn");
    assert!(detail.contains("192.0.2.1 from UNICOM"), "{detail}");
}
