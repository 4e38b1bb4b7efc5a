//! Settings that can't be used, exit codes, and being interrupted.

use std::collections::BTreeMap;

use rustix::process::Signal;
use serde_json::{Value, json};
use system_tests::{binaries, deadline::eventually, process};

use crate::examination::{Patient, run};

#[tokio::test]
async fn everything_that_is_wrong_with_the_settings_is_said_at_once() {
    let environment = BTreeMap::from(
        [
            ("GATEWAY__WECHAT__APPID", "wx00000000000000ee"),
            ("GATEWAY__INTERNAL__API_KEY", "hunter2"),
            ("GATEWAY__RELAY__URL", "backend.example.com"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let output = run(&environment, &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let lines = String::from_utf8(output.stdout).expect("it prints text");
    for words in [
        "GATEWAY__WECHAT__APPID (wechat.appid) is not a setting",
        "GATEWAY__WECHAT__APP_ID (wechat.app_id) is missing",
        "GATEWAY__WECHAT__APP_SECRET (wechat.app_secret) is missing",
        "GATEWAY__WECHAT__TOKEN (wechat.token) is missing",
        "GATEWAY__INTERNAL__API_KEY (internal.api_key) has 7 characters",
        "GATEWAY__RELAY__URL (relay.url)",
    ] {
        let told = lines
            .lines()
            .filter(|line| line.starts_with("fail  settings ") && line.contains(words));
        assert_eq!(told.count(), 1, "{words}: {lines}");
    }
    assert!(!lines.contains("hunter2"), "{lines}");

    let output = run(&environment, &["--json"]).await;
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).expect("--json prints JSON");
    assert_eq!(report["ok"], false);
    assert_eq!(
        report["checks"].as_array().map(Vec::len),
        Some(6),
        "{report}"
    );
}

#[tokio::test]
async fn settings_that_contradict_each_other() {
    let mut patient = Patient::healthy().await;
    patient.environment.remove("GATEWAY__PUBLIC__URL");
    patient
        .environment
        .remove("GATEWAY__WECHAT__ENCODING_AES_KEY");
    patient.set("GATEWAY__WECHAT__ACCEPT_PLAINTEXT", "false");
    patient.set("GATEWAY__LOGIN__APPROVAL", "tap");
    patient.set("GATEWAY__REPLY__CONFIRM", "确认登录");
    let output = run(&patient.environment, &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let lines = String::from_utf8(output.stdout).expect("it prints text");
    for words in [
        "no push could be accepted",
        "login.approval = tap needs it",
        "must contain {link}",
    ] {
        assert!(lines.contains(words), "{words}: {lines}");
    }
    // Nothing was asked of anybody.
    assert_eq!(
        patient.stack.wechat.calls("/cgi-bin/qrcode/create").await,
        0
    );
}

#[tokio::test]
async fn a_wechat_that_does_not_answer_is_given_up_and_can_be_interrupted() {
    let patient = Patient::healthy().await;
    let path = "/cgi-bin/stable_token";
    let slow = json!([{ "path": path, "kind": "slow", "delay_ms": 60_000 }]);
    patient.stack.wechat.faults(slow).await;
    let found = patient.examine().await;
    found.fails_only("access_token", &["it took too long"]);

    let before = patient.stack.wechat.calls(path).await;
    let environment: Vec<_> = patient.environment.clone().into_iter().collect();
    let program = binaries::path("wechat-gateway");
    let log = &patient.stack.log;
    let mut doctor = process::start("doctor", program, ["doctor"], &environment, log);
    eventually("doctor asks WeChat", async || {
        (patient.stack.wechat.calls(path).await > before).then_some(())
    })
    .await;
    doctor.signal(Signal::INT);
    let status = doctor.ended().await;
    assert_eq!(status.code(), None, "the signal ended it: {status}");
}
