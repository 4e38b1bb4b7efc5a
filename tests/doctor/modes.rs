//! Settings that choose how the gateway works: what doctor asks follows them.

use system_tests::stack::Plan;

use crate::examination::Patient;

const TOKEN: &str = "/cgi-bin/token";

#[tokio::test]
async fn legacy_tokens_are_neither_made_nor_ended() {
    let plan = Plan::default().gateway("GATEWAY__WECHAT__TOKEN_MODE", "legacy");
    let patient = Patient::of(plan).await;
    assert_eq!(patient.stack.wechat.calls(TOKEN).await, 1);
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "{}", found.lines);
    found.all_are(&["access_token", "qr_codes", "quota_token"], "ok");
    let (_, got, _) = found.check("access_token");
    assert!(got.contains("the gateways' own token"), "{got}");
    let (_, left, _) = found.check("quota_token");
    assert!(left.contains("1999 of 2000 calls left today"), "{left}");
    assert!(
        !found.lines.contains("quota stable token"),
        "{}",
        found.lines
    );

    let _: String = patient.stack.redis.command(&["FLUSHALL"]).await;
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "{}", found.lines);
    let (_, got, _) = found.check("access_token");
    assert!(got.contains("no gateway shares a token"), "{got}");
    assert_eq!(patient.stack.wechat.calls(TOKEN).await, 1);
}

#[tokio::test]
async fn senders_that_are_checked_behind_a_proxy_that_is_not_named() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__WECHAT__CHECK_CALLBACK_IP", "true");
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "{}", found.lines);
    let (status, detail, action) = found.check("callback_ip");
    assert_eq!(status, "warn");
    assert!(detail.contains("403"), "{detail}");
    assert!(
        action.contains("GATEWAY__PUBLIC__TRUSTED_PROXIES"),
        "{action}"
    );
    patient.set("GATEWAY__PUBLIC__TRUSTED_PROXIES", "10.0.0.0/8");
    patient.examine().await.all_are(&["callback_ip"], "ok");
}

#[tokio::test]
async fn both_hosts_need_web_authorisation_whether_or_not_a_profile_is_asked_for() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__PROFILE__ASK", "false");
    for _ in 0..2 {
        let found = patient.examine().await;
        let (_, _, action) = found.check("web_authorization_domain");
        assert!(action.contains("网页授权域名"), "{action}");
        assert!(action.contains("SITE__PUBLIC__URL"), "{action}");
        assert!(!found.lines.contains("isn't used"), "{}", found.lines);
        patient.environment.remove("GATEWAY__PUBLIC__URL");
    }
}
