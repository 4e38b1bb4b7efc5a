//! Several accounts: all are examined, or the one that is named, and each is told of its own
//! settings.

use serde_json::Value;
use system_tests::stack::Plan;

use crate::examination::{Patient, run};

async fn with_a_wrong_secret() -> Patient {
    let mut patient = Patient::of(Plan::default().account("shop")).await;
    patient.set(
        "GATEWAY__ACCOUNT__SHOP__APP_SECRET",
        "another0secret00another0secret00",
    );
    patient
}

/// The findings of one name, with the account that each is about.
fn found<'a>(report: &'a Value, name: &str) -> Vec<(&'a str, &'a str)> {
    let checks = report["checks"].as_array().expect("there are checks");
    let named = checks.iter().filter(|check| check["name"] == name);
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    named
        .map(|check| (text(&check["account"]), text(&check["status"])))
        .collect()
}

#[tokio::test]
async fn each_account_is_examined_for_itself() {
    let patient = with_a_wrong_secret().await;
    let output = run(&patient.environment, &["--json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("--json prints JSON");
    assert_eq!(
        found(&report, "access_token"),
        [("default", "ok"), ("shop", "fail")],
        "{report}"
    );
    assert_eq!(
        found(&report, "callback"),
        [("default", "ok"), ("shop", "ok")],
        "{report}"
    );
    assert_eq!(found(&report, "redis"), [("", "ok")], "{report}");
    let lines = run(&patient.environment, &[]).await.stdout;
    let lines = String::from_utf8(lines).expect("it prints text");
    let failed = lines.lines().find(|line| line.starts_with("fail"));
    let failed = failed.unwrap_or_else(|| panic!("something failed: {lines}"));
    assert!(failed.contains("shop: access token"), "{failed}");
    assert!(
        failed.contains("GATEWAY__ACCOUNT__SHOP__APP_SECRET"),
        "{failed}"
    );
    assert!(!lines.contains("another0secret"), "{lines}");
}

#[tokio::test]
async fn one_account_can_be_examined_alone() {
    let patient = with_a_wrong_secret().await;
    let output = run(&patient.environment, &["--account", "default", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("--json prints JSON");
    assert_eq!(found(&report, "access_token"), [("default", "ok")]);

    let output = run(&patient.environment, &["--account", "forum"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let lines = String::from_utf8(output.stdout).expect("it prints text");
    assert!(lines.contains("default, shop"), "{lines}");
}
