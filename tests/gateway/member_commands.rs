//! `wechat-gateway members …` on the command line.

use std::process::{Command, Output, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid},
    binaries,
    stack::{Plan, Stack},
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, ago, scan},
};

/// An account that moved.
const FORMER: &str = "wxf0f0f0f0f0f0f0f0";

fn command(stack: &Stack, arguments: &[&str]) -> Output {
    let mut command = Command::new(binaries::path("wechat-gateway"));
    command
        .arg("members")
        .args(arguments)
        .env_clear()
        .envs(stack.gateway_environment())
        .stdin(Stdio::null());
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is text")
}

fn succeeds(stack: &Stack, arguments: &[&str]) -> String {
    let output = command(stack, arguments);
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

#[tokio::test]
async fn people_are_looked_up_banned_and_erased() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (one, other) = (new_openid(), new_openid());
    for (age, openid) in [(1, &one), (2, &other)] {
        let push = ago(100 * age, openid, PushBody::subscribe_without_code());
        PushRequest::safe(&push).send(gateway).await;
    }
    let listed = succeeds(&stack, &["list"]);
    let rows: Vec<&str> = listed.lines().collect();
    assert_eq!(rows.len(), 3, "{listed}");
    assert!(
        rows[1].starts_with(&one) && rows[2].starts_with(&other),
        "{listed}"
    );
    assert_eq!(
        succeeds(&stack, &["list", "--limit", "1"]).lines().count(),
        2
    );
    assert_eq!(
        succeeds(&stack, &["list", "--subscribed", "false"])
            .lines()
            .count(),
        1
    );
    let shown: Value = serde_json::from_str(&succeeds(&stack, &["show", &one])).expect("JSON");
    assert_eq!(shown["member"]["openid"], one);
    assert_eq!(shown["sessions"], json!([]));
    let exported = succeeds(&stack, &["export"]);
    let lines: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    succeeds(&stack, &["ban", &one]);
    let path = format!("/v1/members/{one}");
    assert_eq!(http::get(gateway, &path).await.json["banned"], true);
    succeeds(&stack, &["unban", &one]);
    assert_eq!(http::get(gateway, &path).await.json["banned"], false);
    // There is nobody to ask.
    let output = command(&stack, &["erase", &one]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--yes"), "{output:?}");
    succeeds(&stack, &["erase", &one, "--yes"]);
    assert_problem(&http::get(gateway, &path).await, 404, "unknown_member");
    for (arguments, code) in [
        (vec!["erase", &one, "--yes"], 1),
        (vec!["show", &one], 1),
        (vec!["show", "o{x}"], 2),
        (vec!["list", "--account", "nobody"], 2),
        (vec!["list", "--limit", "many"], 2),
        (vec!["migrate"], 2),
    ] {
        let output = command(&stack, &arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        assert!(
            !text(&output.stderr).contains('\r'),
            "no bar without a terminal"
        );
    }
}

/// Somebody at the former account, and at the new one if they moved.
async fn moved_person(stack: &Stack, former: &str) -> String {
    let body = json!({ "follows": true, "former": { "app_id": FORMER, "openid": former } });
    let person = stack
        .wechat
        .control(Method::POST, "/simulator/people", body)
        .await;
    person["openid"].as_str().expect("an openid").to_owned()
}

#[tokio::test]
async fn members_of_an_account_that_moved_keep_their_subjects() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    // Members of the former account are those of this one under its AppID.
    let former: Vec<String> = (0..120).map(|_| new_openid()).collect();
    let store = stack.redis.store();
    let mut subjects = Vec::new();
    for openid in &former {
        let member = login_protocol::identity::MemberId {
            app_id: login_protocol::identity::AppId::parse(FORMER).expect("an AppID"),
            openid: login_protocol::identity::OpenId::parse(openid).expect("an openid"),
        };
        let follow = login_protocol::steps::RecordFollow {
            member: member.clone(),
            at: jiff::Timestamp::from_second(1_700_000_000).expect("a time"),
            profile: None,
        };
        store.run(&follow).await.expect("Redis is running");
        let given = service_kit::subjects::give(&store, member.clone(), None).await;
        subjects.push(given.expect("Redis is running").subject);
        if openid == &former[1] {
            service_kit::bans::ban(&store, member)
                .await
                .expect("Redis is running");
        }
    }
    let mut moved = Vec::new();
    // The last one doesn't follow the new account.
    for openid in &former[..119] {
        moved.push(moved_person(&stack, openid).await);
    }
    // One was there before, and keeps who they are there.
    let scene = attempts::open(&store).await;
    PushRequest::safe(&scan(&moved[0], &scene))
        .send(gateway)
        .await;
    let path = |openid: &str| format!("/v1/members/{openid}");
    let own = http::get(gateway, &path(&moved[0])).await.json["sub"].clone();
    // WeChat fails in the middle: what was moved stays, and the next run goes on.
    stack
        .wechat
        .faults(json!([{ "path": "/cgi-bin/changeopenid", "times": 1, "kind": "errcode", "errcode": 48001 }]))
        .await;
    let output = command(&stack, &["migrate", "--from", FORMER]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = succeeds(&stack, &["migrate", "--from", FORMER]);
    assert!(
        told.contains("120 members: 118 moved, 1 keep") && told.contains("1 have no OpenID there"),
        "{told}"
    );
    for (openid, subject) in moved.iter().zip(&subjects).skip(1) {
        let member = http::get(gateway, &path(openid)).await;
        assert_eq!(member.json["sub"], subject.as_str(), "{}", member.text);
        assert_eq!(member.json["banned"], *openid == moved[1]);
        assert_eq!(member.json["first_seen_at"], "2023-11-14T22:13:20Z");
    }
    assert_eq!(http::get(gateway, &path(&moved[0])).await.json["sub"], own);
    assert_eq!(
        succeeds(&stack, &["list", "--limit", "500"])
            .lines()
            .count(),
        120
    );
    // A newcomer logs in as who they are.
    let scene = attempts::open(&store).await;
    PushRequest::safe(&scan(&moved[2], &scene))
        .send(gateway)
        .await;
    let sub = http::get(gateway, &path(&moved[2])).await.json["sub"].clone();
    assert_eq!(sub, subjects[2].as_str());
    let again = succeeds(&stack, &["migrate", "--from", FORMER]);
    assert!(again.contains("120 members: 118 moved"), "{again}");
    let unknown = command(&stack, &["migrate", "--from", "wx0000000000000000"]);
    let nothing = text(&unknown.stdout);
    assert!(
        nothing.contains("0 members"),
        "nobody is known of it: {unknown:?}"
    );
}
