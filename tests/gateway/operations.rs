//! What operators ask: health, readiness, figures, and a description that keeps its word.

use std::collections::BTreeSet;

use jiff::Timestamp;
use login_protocol::account_picture::PictureName;
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, member, new_openid, new_scene, own_realm},
    log_folder,
    sessions::{self, session},
    simulator::Person,
    stack::{Plan, Service, Stack},
    visitor::Answer,
    webhook_receiver::SECRET,
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, ago, scan},
    web_authorizations,
};

async fn ask(gateway: &Service, path: &str) -> Answer {
    http::send(http::client().get(format!("{}{path}", gateway.internal))).await
}

#[tokio::test]
async fn health_and_readiness_need_no_key() {
    let stack = http::start(Plan::default()).await;
    for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = ask(&stack.gateways[0], path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json["status"], status, "{}", answer.text);
    }
}

#[tokio::test]
async fn health_and_figures_name_the_build() {
    let stack = http::start(Plan::default()).await;
    let health = ask(&stack.gateways[0], "/healthz").await.json;
    let (version, commit) = (&health["version"], &health["commit"]);
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let commit = commit.as_str().unwrap_or_default();
    let figures = ask(&stack.gateways[0], "/metrics").await.text;
    for part in [
        "# TYPE build_info gauge".to_owned(),
        format!("version={version}"),
        format!("commit=\"{commit}\""),
    ] {
        assert!(figures.contains(&part), "{part}: {figures}");
    }
}

#[tokio::test]
async fn figures_are_prometheus_text_and_name_nobody() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let scene = attempts::open(&stack.redis.store()).await;
    let person = new_openid();
    PushRequest::safe(&scan(&person, &scene))
        .send(gateway)
        .await;
    http::get(gateway, &format!("/v1/members/{person}")).await;
    let answer = ask(gateway, "/metrics").await;
    assert_eq!(answer.status, 200);
    let content_type = http::header(&answer, "content-type");
    assert!(content_type.starts_with("text/plain; version=0.0.4"));
    for figure in [
        "wechat_pushes_total{event=\"scan\",outcome=\"accepted\",account=\"default\"} 1",
        "wechat_api_calls_total{call=\"stable_token\",outcome=\"ok\",account=\"default\"} 1",
        "route=\"/v1/members/{openid}\"",
        "http_request_duration_seconds_bucket{",
        "# TYPE http_requests_total counter",
    ] {
        assert!(answer.text.contains(figure), "{figure}: {}", answer.text);
    }
    assert!(!answer.text.contains(&person));
    assert!(!answer.text.contains(scene.as_str()));
}

#[tokio::test]
async fn strangers_cant_make_figures_grow() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    for number in 0..20 {
        let method = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
        let address = format!("{}/wechat/{number}", gateway.public);
        http::send(http::client().request(method, address)).await;
    }
    let figures = ask(gateway, "/metrics").await.text;
    let counted: Vec<&str> = figures
        .lines()
        .filter(|line| line.starts_with("http_requests_total{") && line.contains("unmatched"))
        .collect();
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert!(counted[0].contains("method=\"other\""), "{counted:?}");
    assert!(counted[0].ends_with(" 20"), "{counted:?}");
}

/// A body that the description calls good, for an operation that has one.
async fn good_body(
    stack: &Stack,
    person: &Person,
    method: &Method,
    path: &str,
    held: &Value,
) -> Option<Value> {
    match (method.as_str(), path) {
        ("POST", "/v1/qrcodes") => {
            Some(json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 }))
        }
        ("POST", "/v1/login-prompts") => {
            Some(json!({ "scene": new_scene().as_str(), "ttl_seconds": 300, "method": "code" }))
        }
        ("POST", "/v1/access-token/invalidate") => Some(json!({ "access_token": held })),
        ("POST", "/v1/web-authorizations") => {
            let redirect_uri = web_authorizations::redirect_uri(&stack.gateways[0]);
            Some(json!({ "scene": new_scene().as_str(), "redirect_uri": redirect_uri }))
        }
        ("POST", "/v1/web-authorizations/complete") => {
            let scene = attempts::open(&stack.redis.store()).await;
            let code = web_authorizations::code(stack, person, &scene).await;
            Some(json!({ "scene": scene.as_str(), "code": code }))
        }
        ("POST", "/v1/webhooks/{name}/redeliver") => {
            Some(json!({ "since": "9000-01-01T00:00:00Z" }))
        }
        ("POST", "/v1/web-authorizations/discard") => {
            Some(json!({ "code": "invented", "client": "203.0.113.9" }))
        }
        _ => None,
    }
}

/// A schema, where one refers to it.
fn resolved<'a>(openapi: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"]
        .as_str()
        .and_then(|name| name.rsplit('/').next());
    name.map_or(schema, |name| &openapi["components"]["schemas"][name])
}

/// The schemas that make up this one: itself, or all that it combines.
fn parts<'a>(openapi: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = resolved(openapi, schema);
    match schema["allOf"].as_array() {
        Some(all) => all.iter().flat_map(|part| parts(openapi, part)).collect(),
        None => vec![schema],
    }
}

/// Whether a schema allows values of this type.
fn allows(openapi: &Value, schema: &Value, kind: &str) -> bool {
    let schema = resolved(openapi, schema);
    let types = &schema["type"];
    let any = |list: &Value, of: &dyn Fn(&Value) -> bool| {
        list.as_array().is_some_and(|list| list.iter().any(of))
    };
    types == kind
        || any(types, &|known| known == kind)
        || any(&schema["oneOf"], &|one| allows(openapi, one, kind))
}

/// Checks a body against one of the description's schemas: all that is required, nothing unknown.
fn assert_fits(openapi: &Value, schema: &Value, body: &Value, what: &str) {
    let body = body.as_object().unwrap_or_else(|| panic!("{what}: {body}"));
    let parts = parts(openapi, schema);
    let names: BTreeSet<&str> = body.keys().map(String::as_str).collect();
    let required: BTreeSet<&str> = parts
        .iter()
        .filter_map(|part| part["required"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(names, required, "{what}");
    for (name, value) in body {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let described = parts.iter().map(|part| &part["properties"][name]);
        let mut described = described.filter(|schema| !schema.is_null());
        let fits = described.any(|schema| allows(openapi, schema, kind));
        assert!(fits, "{what}: {name} isn't described as {kind}");
    }
}

/// All that the gateway describes.
const OPERATIONS: [&str; 25] = [
    "DELETE /v1/members/{openid}",
    "DELETE /v1/members/{openid}/ban",
    "DELETE /v1/members/{openid}/sessions",
    "DELETE /v1/members/{openid}/sessions/{id}",
    "GET /healthz",
    "GET /metrics",
    "GET /openapi-public.json",
    "GET /openapi.json",
    "GET /readyz",
    "GET /v1/access-token",
    "GET /v1/account-pictures/{name}",
    "GET /v1/events",
    "GET /v1/members",
    "GET /v1/members/export",
    "GET /v1/members/{openid}",
    "GET /v1/members/{openid}/sessions",
    "GET /v1/webhooks",
    "POST /v1/access-token/invalidate",
    "POST /v1/login-prompts",
    "POST /v1/qrcodes",
    "POST /v1/web-authorizations",
    "POST /v1/web-authorizations/complete",
    "POST /v1/web-authorizations/discard",
    "POST /v1/webhooks/{name}/redeliver",
    "PUT /v1/members/{openid}/ban",
];

#[tokio::test]
async fn every_described_operation_answers_as_described() {
    let picture = log_folder::create().join("account.png");
    let content = b"GIF89a\xae\x01\xae\x01";
    std::fs::write(&picture, content).expect("a file can be written");
    let picture = picture.to_str().expect("a path in UTF-8");
    let picture_name = PictureName::of(content).expect("it is a picture");
    let plan = Plan::default()
        .gateway("GATEWAY__WECHAT__QR_URL", picture)
        .gateway("GATEWAY__WEBHOOK__CRM__URL", "http://127.0.0.1:1/")
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET);
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&stack.redis.store()).await;
    PushRequest::safe(&scan(&person.openid, &scene))
        .send(gateway)
        .await;
    let held = http::get(gateway, "/v1/access-token").await.json["access_token"].clone();
    let description = ask(gateway, "/openapi.json").await;
    assert!(http::header(&description, "content-type").starts_with("application/json"));
    let openapi = description.json;
    assert_eq!(openapi["openapi"], "3.1.0");

    let session_key = format!(
        "wechat-login:session:{{{}:a-session}}",
        own_realm().site.as_str()
    );
    let mut operations = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().expect("paths") {
        for (name, operation) in methods.as_object().expect("methods") {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            let what = format!("{method} {path}");
            let responses = &operation["responses"];
            let concrete = path
                .replace("pictures/{name}", &format!("pictures/{picture_name}"))
                .replace("{openid}", &person.openid)
                .replace("{name}", "crm")
                .replace("{id}", "a-session");
            // What an operation before has banned, erased or ended.
            let ban = format!("/v1/members/{}/ban", person.openid);
            http::send(http::internal(gateway, Method::DELETE, &ban)).await;
            PushRequest::safe(&ago(0, &person.openid, PushBody::subscribe_without_code()))
                .send(gateway)
                .await;
            let session = session(&member(&person.openid), Timestamp::now(), false);
            let _: i64 = stack.redis.command(&["DEL", &session_key]).await;
            sessions::begin(&stack.redis.store(), &own_realm(), "a-session", &session).await;
            let request = || {
                http::client().request(method.clone(), format!("{}{concrete}", gateway.internal))
            };

            let open = operation["security"] == json!([]);
            let without_key = http::send(request()).await.status;
            assert_eq!(without_key != 401, open, "{what}: {without_key}");
            assert_eq!(responses["401"].is_object(), !open, "{what}");

            let body = good_body(&stack, &person, &method, path, &held).await;
            let mut good = http::internal(gateway, method.clone(), &concrete);
            if let Some(body) = &body {
                good = good.json(body);
            }
            let answer = http::send(good).await;
            let described = &responses[answer.status.as_str()];
            assert!(answer.status.is_success(), "{what}: {}", answer.text);
            assert!(described.is_object(), "{what}: {}", answer.status);
            let schema = &described["content"]["application/json"]["schema"];
            if schema.is_object() && !path.starts_with("/openapi") {
                assert_fits(&openapi, schema, &answer.json, &what);
            }

            if body.is_some() {
                for (bad, media_type) in [
                    ("{}".to_owned(), "application/json"),
                    ("{".to_owned(), "application/json"),
                    ("{}".to_owned(), "text/plain"),
                    ("x".repeat(20_000), "application/json"),
                ] {
                    let bad = http::internal(gateway, method.clone(), &concrete)
                        .header("content-type", media_type)
                        .body(bad);
                    let answer = http::send(bad).await;
                    assert!(answer.status.is_client_error(), "{what}: {}", answer.status);
                    assert!(
                        responses[answer.status.as_str()].is_object(),
                        "{what}: {} isn't described",
                        answer.status
                    );
                    let problem = json!({ "$ref": "#/components/schemas/Problem" });
                    assert_fits(&openapi, &problem, &answer.json, &what);
                }
            }

            let answer = http::send(http::internal(gateway, Method::PATCH, &concrete)).await;
            assert_problem(&answer, 405, "method_not_allowed");
            let allowed: BTreeSet<_> = http::header(&answer, "allow").split(", ").collect();
            let described = methods.as_object().expect("methods").keys();
            let described: Vec<_> = described.map(|name| name.to_uppercase()).collect();
            let described = described.iter().map(String::as_str).collect();
            assert_eq!(allowed, described, "{what}");
            operations.insert(what);
        }
    }
    assert_eq!(operations, OPERATIONS.map(str::to_owned).into());
}

#[tokio::test]
async fn a_request_keeps_its_name_in_the_answer() {
    let stack = http::start(Plan::default()).await;
    let named = http::client()
        .get(format!("{}/healthz", stack.gateways[0].internal))
        .header("x-request-id", "edge-1234");
    assert_eq!(
        http::header(&http::send(named).await, "x-request-id"),
        "edge-1234"
    );
    let hostile = http::client()
        .get(format!("{}/healthz", stack.gateways[0].internal))
        .header("x-request-id", "a b\tc\"");
    let answer = http::send(hostile).await;
    assert_eq!(http::header(&answer, "x-request-id").len(), 16);
}
