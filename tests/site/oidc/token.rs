//! The token endpoint, and those that take tokens: whom they serve, and what they refuse.

use futures_util::future::join_all;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use system_tests::deadline::eventually;
use url::form_urlencoded;

use super::client::{
    APP_CALLBACK, CALLBACK, Client, SECRET, assert_error, authorize_path, authorized, challenge,
    location, of_app, of_wiki, plan, query, text,
};

/// Somebody who is signed in gets another code at once.
async fn code(visitor: &mut system_tests::visitor::Visitor, path: &str) -> String {
    let answer = visitor.call(Method::GET, path).await;
    query(&location(&answer))["code"].clone()
}

#[tokio::test]
async fn a_client_proves_who_it_is() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let of = |id: &str, secret: &str| {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", "x".to_owned()),
            ("client_id", id.to_owned()),
            ("client_secret", secret.to_owned()),
        ]
    };
    // A code that is none comes after the client's proof, so it shows that the proof was taken.
    for (basic, fields) in [
        (Some(("wiki", SECRET)), of("", "")),
        (Some(("wiki", SECRET)), of("wiki", "")),
        (None, of("wiki", SECRET)),
        (None, of("app", "")),
    ] {
        let answer = client.post("/oidc/token", basic, fields).await;
        assert_error(&answer, 400, "invalid_grant");
    }
    for (basic, fields) in [
        (Some(("wiki", "wrong")), of("", "")),
        (Some(("wiki", "")), of("", "")),
        (Some(("other", SECRET)), of("", "")),
        (None, of("wiki", "")),
        (None, of("wiki", "wrong")),
        (None, of("other", SECRET)),
        (None, of("app", SECRET)),
        (None, of("", "")),
    ] {
        let answer = client.post("/oidc/token", basic, fields).await;
        assert_error(&answer, 401, "invalid_client");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    for fields in [of("wiki", SECRET), of("app", "")] {
        let answer = client
            .post("/oidc/token", Some(("wiki", SECRET)), fields)
            .await;
        assert_error(&answer, 400, "invalid_request");
    }
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_in_oauths_words() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let basic = Some(("wiki", SECRET));
    let kind = |kind: &str| vec![("grant_type", kind.to_owned())];
    for (fields, error) in [
        (Vec::new(), "invalid_request"),
        (kind("password"), "unsupported_grant_type"),
        (kind("client_credentials"), "unsupported_grant_type"),
        (kind("authorization_code"), "invalid_request"),
        (kind("refresh_token"), "invalid_request"),
        (
            [kind("refresh_token"), kind("refresh_token")].concat(),
            "invalid_request",
        ),
    ] {
        let answer = client.post("/oidc/token", basic, fields).await;
        assert_error(&answer, 400, error);
    }
    let answer = client.get("/oidc/token").await;
    assert_error(&answer, 405, "invalid_request");
    assert_eq!(answer.headers["allow"], "POST");
    let mut visitor = stack.visitor();
    visitor.set_header("content-type", "application/json");
    let answer = visitor.call(Method::POST, "/oidc/token").await;
    assert_error(&answer, 400, "invalid_request");
    let large = vec![("grant_type", "x".repeat(100_000))];
    let answer = client.post("/oidc/token", basic, large).await;
    assert_error(&answer, 413, "invalid_request");
}

#[tokio::test]
async fn a_code_is_good_for_its_own_request_alone() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let of_wikis = code(&mut visitor, &authorize_path(&of_wiki())).await;
    let of_apps = code(&mut visitor, &authorize_path(&of_app())).await;

    // Another client's code, though all else is right.
    let answer = client.exchange(&of_apps).await;
    assert_error(&answer, 400, "invalid_grant");
    let answer = client.exchange_of_app(&of_wikis, None).await;
    assert_error(&answer, 400, "invalid_grant");
    // Another verifier, none, or one that nobody asked for.
    for verifier in [None, Some("a".repeat(43)), Some(challenge("x"))] {
        let answer = client.exchange_of_app(&of_apps, verifier.as_deref()).await;
        assert_error(&answer, 400, "invalid_grant");
    }
    let basic = Some(("wiki", SECRET));
    let with = |uri: &str, verifier: &str| {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", of_wikis.clone()),
            ("redirect_uri", uri.to_owned()),
            ("code_verifier", verifier.to_owned()),
        ]
    };
    for fields in [
        with(APP_CALLBACK, ""),
        with("", ""),
        with(CALLBACK, &"a".repeat(43)),
    ] {
        let answer = client.post("/oidc/token", basic, fields).await;
        assert_error(&answer, 400, "invalid_grant");
    }
    // A code that was changed is none.
    for changed in [&of_wikis[..of_wikis.len() - 1], "", "wlc_", &of_wikis[4..]] {
        let answer = client.exchange(changed).await;
        assert_ne!(answer.status, 200);
    }
    // None of that has spent it.
    assert_eq!(client.exchange(&of_wikis).await.status, 200);
    client.exchanged_by_app(&of_apps).await;
}

#[tokio::test]
async fn a_code_is_its_clients_alone_even_where_another_has_the_same_address() {
    let plan = plan()
        .site("SITE__CLIENT__FORUM__SECRET", SECRET)
        .site("SITE__CLIENT__FORUM__REDIRECT_URIS", CALLBACK);
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let fields = [
        ("grant_type", "authorization_code".to_owned()),
        ("code", answer["code"].clone()),
        ("redirect_uri", CALLBACK.to_owned()),
    ];
    let by_another = client
        .post("/oidc/token", Some(("forum", SECRET)), fields)
        .await;
    assert_error(&by_another, 400, "invalid_grant");
    assert_eq!(client.exchange(&answer["code"]).await.status, 200);
}

#[tokio::test]
async fn a_code_lives_a_minute_and_a_second_exchange_ends_what_came_of_the_first() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let first = authorized(&stack, &mut visitor, &person, &fields).await;
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:oidc-grant:*"])
        .await;
    let life: i64 = stack.redis.command(&["PTTL", &keys[0]]).await;
    assert!((30_000..=60_000).contains(&life), "{life}");

    let tokens = client.exchange(&first["code"]).await.json;
    let access = text(&tokens, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 200);
    let answer = client.exchange(&first["code"]).await;
    assert_error(&answer, 400, "invalid_grant");
    assert_eq!(client.userinfo(&access).await.status, 401);
    let answer = client.refresh(&text(&tokens, "refresh_token")).await;
    assert_error(&answer, 400, "invalid_grant");
    // Another authorization is another matter.
    let other = code(&mut visitor, &authorize_path(&fields)).await;
    assert_eq!(client.exchange(&other).await.status, 200);
}

#[tokio::test]
async fn of_many_exchanges_at_two_replicas_one_succeeds_at_most() {
    let stack = plan().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let clients = [
        Client::at(&stack.sites[0].public),
        Client::at(&stack.sites[1].public),
    ];
    for _ in 0..10 {
        let code = code(&mut visitor, &authorize_path(&of_wiki())).await;
        let exchanges = (0..6).map(|number| clients[number % 2].exchange(&code));
        let answers = join_all(exchanges).await;
        let good = answers.iter().filter(|answer| answer.status == 200);
        assert_eq!(good.count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_error(answer, 400, "invalid_grant");
        }
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            let access = text(&answer.json, "access_token");
            assert_eq!(clients[0].userinfo(&access).await.status, 401);
        }
    }
}

#[tokio::test]
async fn userinfo_takes_a_token_in_the_header_or_in_a_form() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let tokens = client.exchange(&answer["code"]).await.json;
    let access = text(&tokens, "access_token");
    let posted = client
        .post("/oidc/userinfo", None, [("access_token", access.clone())])
        .await;
    assert_eq!(posted.status, 200);
    let in_url = format!("/oidc/userinfo?access_token={access}");
    let answer = client.get(&in_url).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let id_token = text(&tokens, "id_token");
    for other in ["x", &access[..access.len() - 1], &id_token, "wlr_"] {
        let answer = client.userinfo(other).await;
        assert_error(&answer, 401, "invalid_token");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    // The visitor's own cookie is nothing here.
    let answer = visitor.call(Method::GET, "/oidc/userinfo").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_client_asks_after_its_own_tokens_and_gives_them_back() {
    let plan = plan().site("SITE__CLIENT__FORUM__SECRET", SECRET).site(
        "SITE__CLIENT__FORUM__REDIRECT_URIS",
        "https://forum.example.com/",
    );
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let tokens = client.exchange(&answer["code"]).await.json;
    let [access, refresh] = ["access_token", "refresh_token"].map(|kind| text(&tokens, kind));
    let ask = async |id: &str, path: &str, token: &str| {
        let fields = [("token", token.to_owned())];
        client.post(path, Some((id, SECRET)), fields).await
    };
    for token in [&access, &refresh] {
        let answer = ask("wiki", "/oidc/introspect", token).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json["active"], true, "{}", answer.text);
        assert_eq!(answer.json["client_id"], "wiki");
        assert_eq!(answer.json["scope"], "openid offline_access");
        let answer = ask("forum", "/oidc/introspect", token).await;
        assert_eq!(answer.json, json!({ "active": false }));
    }
    let answer = ask("wiki", "/oidc/introspect", "x").await;
    assert_eq!(answer.json, json!({ "active": false }));
    let of_app = [("token", access.clone()), ("client_id", "app".to_owned())];
    let answer = client.post("/oidc/introspect", None, of_app).await;
    assert_error(&answer, 401, "invalid_client");

    // Another client can't end it, and what is unknown has ended.
    let answer = ask("forum", "/oidc/revoke", &access).await;
    assert_error(&answer, 400, "invalid_grant");
    assert_eq!(ask("wiki", "/oidc/revoke", "x").await.status, 200);
    assert_eq!(client.userinfo(&access).await.status, 200);

    assert_eq!(ask("wiki", "/oidc/revoke", &access).await.status, 200);
    assert_eq!(client.userinfo(&access).await.status, 401);
    let next = client.refresh(&refresh).await.json;
    let [access, refresh] = ["access_token", "refresh_token"].map(|kind| text(&next, kind));
    assert_eq!(client.userinfo(&access).await.status, 200);
    assert_eq!(ask("wiki", "/oidc/revoke", &refresh).await.status, 200);
    assert_eq!(client.userinfo(&access).await.status, 401);
    assert_error(&client.refresh(&refresh).await, 400, "invalid_grant");

    // A client that doesn't know yet that its token was replaced.
    let code = code(&mut visitor, &authorize_path(&fields)).await;
    let tokens = client.exchange(&code).await.json;
    let replaced = text(&tokens, "refresh_token");
    let next = client.refresh(&replaced).await.json;
    let [access, refresh] = ["access_token", "refresh_token"].map(|kind| text(&next, kind));
    let answer = ask("forum", "/oidc/revoke", &replaced).await;
    assert_error(&answer, 400, "invalid_grant");
    assert_eq!(client.userinfo(&access).await.status, 200);
    assert_eq!(ask("wiki", "/oidc/revoke", &replaced).await.status, 200);
    assert_eq!(client.userinfo(&access).await.status, 401);
    assert_error(&client.refresh(&refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_secret_in_the_header_is_read_form_encoded_and_as_it_is() {
    let secret = "of+base64/and%2Bmore=with%-signs";
    let plan = plan()
        .site("SITE__CLIENT__FORUM__SECRET", secret)
        .site("SITE__CLIENT__FORUM__REDIRECT_URIS", CALLBACK);
    let stack = plan.start().await;
    let client = Client::of(&stack);
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    assert_ne!(encoded, secret);
    let fields = || {
        [
            ("grant_type", "authorization_code".to_owned()),
            ("code", "x".to_owned()),
        ]
    };
    // A code that is none comes after the client's proof, so it shows that the proof was taken.
    for sent in [secret, &encoded] {
        let answer = client
            .post("/oidc/token", Some(("forum", sent)), fields())
            .await;
        assert_error(&answer, 400, "invalid_grant");
    }
    for sent in ["of base64/and+more=with%-signs", &secret[1..]] {
        let answer = client
            .post("/oidc/token", Some(("forum", sent)), fields())
            .await;
        assert_error(&answer, 401, "invalid_client");
    }
}

#[tokio::test]
async fn whoever_guesses_secrets_has_to_wait() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let guess = || client.post("/oidc/token", Some(("wiki", "wrong")), []);
    for _ in 0..60 {
        assert_eq!(guess().await.status, 401);
    }
    let answer = guess().await;
    assert_error(&answer, 429, "temporarily_unavailable");
    let after = answer.retry_after().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    let metrics = Client::at(&stack.sites[0].internal).get("/metrics").await;
    let counted = r#"oidc_refusals_total{endpoint="token",client="wiki",reason="wrong_secret"} 60"#;
    assert!(metrics.text.contains(counted), "{}", metrics.text);
}

#[tokio::test]
async fn without_redis_nothing_is_lost_and_clients_are_told_to_come_again() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let tokens = client.exchange(&answer["code"]).await.json;
    let [access, refresh] = ["access_token", "refresh_token"].map(|kind| text(&tokens, kind));
    let code = code(&mut visitor, &authorize_path(&fields)).await;
    stack.redis.process.signal(Signal::STOP);
    for answer in [
        client.exchange(&code).await,
        client.refresh(&refresh).await,
        client.userinfo(&access).await,
    ] {
        assert_error(&answer, 503, "temporarily_unavailable");
        assert!(answer.retry_after().is_some());
    }
    let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
    assert_eq!(answer.status, 503);
    assert!(answer.retry_after().is_some());
    stack.redis.process.signal(Signal::CONT);
    assert_eq!(client.exchange(&code).await.status, 200);
    assert_eq!(client.refresh(&refresh).await.status, 200);
}

#[tokio::test]
async fn a_redis_that_was_killed_gives_no_code_and_no_refresh_token_twice() {
    let mut stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let spent = answer["code"].clone();
    let tokens = client.exchange(&spent).await.json;
    let replaced = text(&tokens, "refresh_token");
    let next = client.refresh(&replaced).await.json;
    let unspent = code(&mut visitor, &authorize_path(&fields)).await;
    let _: String = stack.redis.command(&["SAVE"]).await;
    stack.redis.kill();
    for answer in [
        client.exchange(&unspent).await,
        client.exchange(&spent).await,
        client.refresh(&text(&next, "refresh_token")).await,
        client.userinfo(&text(&next, "access_token")).await,
    ] {
        assert_error(&answer, 503, "temporarily_unavailable");
        assert!(answer.retry_after().is_some());
    }
    stack.redis.restart().await;
    // What was asked for in between is good, once.
    let of_unspent = client.exchange(&unspent).await;
    assert_eq!(of_unspent.status, 200, "{}", of_unspent.text);
    let last = client.refresh(&text(&next, "refresh_token")).await;
    assert_eq!(last.status, 200, "{}", last.text);
    assert_error(&client.exchange(&unspent).await, 400, "invalid_grant");
    let access = text(&of_unspent.json, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 401);
    assert_error(&client.exchange(&spent).await, 400, "invalid_grant");
    let access = text(&last.json, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 401);
}

#[tokio::test]
async fn an_oversized_code_or_token_is_refused_as_any_other() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    // Longer ones than this don't fit into a header, or into a form.
    for length in [100, 4096, 30_000] {
        for begin in ["wlc_", "wla_", "wlr_", ""] {
            let long = format!("{begin}{}", "A".repeat(length));
            for answer in [client.exchange(&long).await, client.refresh(&long).await] {
                assert_error(&answer, 400, "invalid_grant");
            }
            if length <= 4096 {
                assert_error(&client.userinfo(&long).await, 401, "invalid_token");
            }
            let basic = Some(("wiki", SECRET));
            for (path, expected) in [
                ("/oidc/introspect", json!({ "active": false })),
                ("/oidc/revoke", json!(null)),
            ] {
                let answer = client.post(path, basic, [("token", long.clone())]).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                assert_eq!(answer.json, expected);
            }
        }
    }
    let twice = ["x", "y"].map(|code| ("code", code.to_owned()));
    let answer = client
        .post("/oidc/token", Some(("wiki", SECRET)), twice)
        .await;
    assert_error(&answer, 400, "invalid_request");
    let twice = ["x", "y"].map(|token| ("token", token.to_owned()));
    for path in ["/oidc/introspect", "/oidc/revoke"] {
        let answer = client
            .post(path, Some(("wiki", SECRET)), twice.clone())
            .await;
        assert_error(&answer, 400, "invalid_request");
    }
    let twice = ["x", "y"].map(|token| ("access_token", token.to_owned()));
    let answer = client.post("/oidc/userinfo", None, twice).await;
    assert_error(&answer, 400, "invalid_request");
}

#[tokio::test]
async fn tokens_live_as_long_as_the_settings_say() {
    let plan = plan()
        .site("SITE__OIDC__ACCESS_TOKEN_SECONDS", "1")
        .site("SITE__OIDC__REFRESH_TOKEN_SECONDS", "120");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let tokens = client.exchange(&answer["code"]).await.json;
    assert_eq!(tokens["expires_in"], 1);
    let access = text(&tokens, "access_token");
    eventually("the access token is over", async || {
        (client.userinfo(&access).await.status == 401).then_some(())
    })
    .await;
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:oidc-grant:*"])
        .await;
    let life: i64 = stack.redis.command(&["PTTL", &keys[0]]).await;
    assert!((60_000..=120_000).contains(&life), "{life}");
    let next = client.refresh(&text(&tokens, "refresh_token")).await;
    assert_eq!(next.status, 200, "the refresh token lives on");
}
