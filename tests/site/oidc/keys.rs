//! Discovery and the signing keys.

use serde_json::Value;

use super::client::{Client, OIDC_SECRET, authorized, header, of_wiki, plan, text};
use crate::configuration::{self, Configuration};
use system_tests::stack::{Plan, Stack};

#[tokio::test]
async fn the_document_says_where_everything_is() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let answer = client.get("/.well-known/openid-configuration").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["issuer"], "http://localhost");
    for (member, path) in [
        ("authorization_endpoint", "/oidc/authorize"),
        ("token_endpoint", "/oidc/token"),
        ("userinfo_endpoint", "/oidc/userinfo"),
        ("jwks_uri", "/oidc/jwks"),
        ("introspection_endpoint", "/oidc/introspect"),
        ("revocation_endpoint", "/oidc/revoke"),
        ("end_session_endpoint", "/oidc/logout"),
    ] {
        assert_eq!(answer.json[member], format!("http://localhost{path}"));
        assert_ne!(client.get(path).await.status, 404);
    }
    assert_eq!(answer.json["code_challenge_methods_supported"][0], "S256");
}

#[tokio::test]
async fn without_a_client_there_is_nothing() {
    let stack = Plan::default().site("SITE__OIDC__SECRET", OIDC_SECRET);
    let stack = stack.start().await;
    let client = Client::of(&stack);
    for path in [
        "/.well-known/openid-configuration",
        "/oidc/jwks",
        "/oidc/token",
    ] {
        let answer = client.get(path).await;
        crate::answers::assert_problem(&answer, 404, "not_found");
    }
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*oidc*"]).await;
    assert!(keys.is_empty(), "{keys:?}");
}

async fn key_set(stack: &Stack, site: usize) -> Vec<Value> {
    let client = Client::at(&stack.sites[site].public);
    let answer = client.get("/oidc/jwks").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["keys"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn replicas_share_keys_that_are_public_by_half_and_outlive_them() {
    let mut stack = plan().sites(2).start().await;
    let keys = key_set(&stack, 0).await;
    assert_eq!(keys, key_set(&stack, 1).await);
    let kinds: Vec<&str> = keys
        .iter()
        .map(|key| key["alg"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["RS256", "ES256"]);
    for key in &keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key[private], Value::Null, "{private}");
        }
    }
    let person = stack.wechat.person("小林", true).await;
    let answer = authorized(&stack, &mut stack.visitor(), &person, &of_wiki()).await;
    let tokens = Client::of(&stack).exchange(&answer["code"]).await.json;
    assert_eq!(header(&text(&tokens, "id_token"))["kid"], keys[0]["kid"]);
    stack.add_site().await;
    assert_eq!(key_set(&stack, 2).await, keys);
}

#[tokio::test]
async fn with_another_secret_the_site_doesnt_start_and_says_so() {
    let stack = plan().start().await;
    let mut configuration = Configuration::of(&stack.redis.url());
    configuration.set("SITE__CLIENT__WIKI__REDIRECT_URIS", "https://a.example/");
    configuration.set(
        "SITE__OIDC__SECRET",
        "another-secret-of-more-than-32-characters",
    );
    let ended = configuration::run(&[], &configuration);
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(
        ended.errors.contains("SITE__OIDC__SECRET"),
        "{}",
        ended.errors
    );
    assert!(!ended.output.contains("ready"), "{}", ended.output);
}
