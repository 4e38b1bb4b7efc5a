//! A whole login by OpenID Connect, from the client's link to what it knows of the person.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use super::client::{
    Client, OIDC_SECRET, SECRET, authorize_path, authorized, claims, header, location, log_in,
    of_app, of_wiki, page_for, plan, query, text,
};

#[tokio::test]
async fn a_client_learns_who_logged_in() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let before = Timestamp::now().as_second();
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    assert_eq!(answer["state"], "the state");
    assert_eq!(answer["iss"], "http://localhost");

    let client = Client::of(&stack);
    let tokens = client.exchange(&answer["code"]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(tokens.headers["cache-control"], "no-store");
    let tokens = tokens.json;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], "openid profile");
    assert_eq!(tokens["refresh_token"], json!(null));

    let id_token = text(&tokens, "id_token");
    assert_eq!(header(&id_token)["alg"], "RS256");
    let said = claims(&id_token);
    let user = visitor.session().await.unwrap();
    assert_eq!(said["iss"], "http://localhost");
    assert_eq!(said["aud"], "wiki");
    assert_eq!(said["sub"], user["sub"]);
    assert_eq!(said["nonce"], "n-1");
    assert_eq!(
        said["exp"].as_i64(),
        said["iat"].as_i64().map(|iat| iat + 3600)
    );
    let auth_time = said["auth_time"].as_i64().unwrap();
    assert!((before - 1..=before + 30).contains(&auth_time), "{said}");
    assert!(!text(&said, "sid").is_empty());
    assert!(!text(&said, "at_hash").is_empty());

    let told = client.userinfo(&text(&tokens, "access_token")).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(told.json["sub"], user["sub"]);
    assert_eq!(told.json["name"], "小林");
    assert_eq!(told.json["nickname"], "小林");
    let username = text(&told.json, "preferred_username");
    assert!(username.starts_with("wx_"), "{username}");
    assert_eq!(told.json["wechat_openid"], json!(null));
}

#[tokio::test]
async fn a_session_goes_on_without_a_page_and_also_at_another_client() {
    let stack = plan().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    visitor.move_to(&stack.sites[1].public);
    let answer = visitor.call(Method::GET, &authorize_path(&of_app())).await;
    let answer = query(&location(&answer));
    let tokens = Client::at(&stack.sites[1].public)
        .exchanged_by_app(&answer["code"])
        .await;
    let id_token = text(&tokens, "id_token");
    assert_eq!(header(&id_token)["alg"], "ES256");
    assert_eq!(claims(&id_token)["aud"], "app");
}

#[tokio::test]
async fn the_page_names_the_client_and_leads_on_after_the_login() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let page = page_for(&mut visitor, &of_wiki()).await;
    for _ in 0..2 {
        let shown = visitor.call(Method::GET, &page).await;
        assert_eq!(shown.status, 200);
        assert!(shown.text.contains("登录 小林的维基"), "{}", shown.text);
        assert!(shown.text.contains("<wechat-login"), "{}", shown.text);
    }
    let answer = log_in(&stack, &mut visitor, &person, &page).await;
    assert!(location(&answer).starts_with("https://wiki.example.com/callback?code="));
    // The back button leads on again, and each time to a code of its own.
    let again = visitor.call(Method::GET, &page).await;
    assert_ne!(location(&again), location(&answer));
    let client = Client::of(&stack);
    for answer in [&answer, &again] {
        let code = &query(&location(answer))["code"];
        assert_eq!(client.exchange(code).await.status, 200);
    }
}

#[tokio::test]
async fn the_wide_scopes_tell_more() {
    let plan = plan().site("SITE__CLIENT__WIKI__EMAIL_DOMAIN", "users.example.com");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let mut fields = of_wiki();
    fields.insert("scope", "openid email wechat unheard-of".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let client = Client::of(&stack);
    let tokens = client.exchange(&answer["code"]).await.json;
    assert_eq!(tokens["scope"], "openid email wechat");
    let told = client.userinfo(&text(&tokens, "access_token")).await.json;
    let sub = text(&told, "sub");
    assert_eq!(
        told,
        json!({
            "sub": sub,
            "email": format!("{sub}@users.example.com"),
            "email_verified": false,
            "wechat_openid": person.openid,
            "wechat_app_id": system_tests::stack::APP_ID,
            "wechat_subscribed": true,
        })
    );
}

#[tokio::test]
async fn scopes_may_come_in_any_order() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let mut fields = of_wiki();
    fields.insert("scope", "profile openid".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let client = Client::of(&stack);
    let tokens = client.exchange(&answer["code"]).await.json;
    assert_eq!(tokens["scope"], "openid profile");
    let told = client.userinfo(&text(&tokens, "access_token")).await.json;
    assert_eq!(told["name"], "小林");
}

#[tokio::test]
async fn somebody_without_a_nickname_has_a_name_all_the_same() {
    let stack = plan().start().await;
    let faults = json!([{ "path": "/cgi-bin/user/info", "kind": "html" }]);
    stack.wechat.faults(faults).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let client = Client::of(&stack);
    let tokens = client.exchange(&answer["code"]).await.json;
    let told = client.userinfo(&text(&tokens, "access_token")).await.json;
    let sub = text(&told, "sub");
    let name = format!("微信用户{}", &sub[sub.len() - 4..]);
    assert_eq!(told["name"], name);
    assert_eq!(told["nickname"], name);
}

#[tokio::test]
async fn a_pairwise_client_sees_a_subject_of_its_own() {
    let plan = plan().site("SITE__CLIENT__APP__SUBJECT_TYPE", "pairwise");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let mut fields = of_app();
    fields.insert("scope", "openid profile".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let client = Client::of(&stack);
    let tokens = client.exchanged_by_app(&answer["code"]).await;
    let told = client.userinfo(&text(&tokens, "access_token")).await.json;
    let sub = visitor.session().await.unwrap()["sub"].clone();
    assert_ne!(told["sub"], sub);
    assert_eq!(told["sub"], claims(&text(&tokens, "id_token"))["sub"]);
    let part: String = text(&told, "sub").chars().take(16).collect();
    let part = part.to_lowercase().replace('-', "_");
    assert_eq!(told["preferred_username"], format!("wx_{part}"));
    // Nor does the session connect it with another client.
    let answer = visitor.call(Method::GET, &authorize_path(&of_wiki())).await;
    let code = query(&location(&answer))["code"].clone();
    let at_wiki = client.exchange(&code).await.json;
    let [own, other] = [tokens, at_wiki].map(|tokens| claims(&text(&tokens, "id_token")));
    assert_ne!(own["sid"], other["sid"]);

    fields.insert("scope", "openid wechat".to_owned());
    let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
    assert_eq!(query(&location(&answer))["error"], "invalid_scope");
}

#[tokio::test]
async fn the_answer_can_be_a_form() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let mut fields = of_wiki();
    fields.insert("response_mode", "form_post".to_owned());
    fields.insert("state", "\"><script>".to_owned());
    let page = page_for(&mut visitor, &fields).await;
    let answer = log_in(&stack, &mut visitor, &person, &page).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let form = &answer.text;
    assert!(form.contains(r#"method="post" action="https://wiki.example.com/callback""#));
    assert!(!form.contains("\"><script>"), "{form}");
    let after = form.split_once(r#"name="code" value=""#).unwrap().1;
    let code = after.split('"').next().unwrap();
    assert_eq!(Client::of(&stack).exchange(code).await.status, 200);
}

#[tokio::test]
async fn neither_redis_nor_a_log_holds_a_code_a_token_or_a_secret() {
    let mut stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    let answer = authorized(&stack, &mut visitor, &person, &fields).await;
    let client = Client::of(&stack);
    let first = client.exchange(&answer["code"]).await.json;
    let second = client.refresh(&text(&first, "refresh_token")).await.json;
    let mut secrets = vec![
        answer["code"].clone(),
        SECRET.to_owned(),
        OIDC_SECRET.to_owned(),
    ];
    for tokens in [&first, &second] {
        for member in ["access_token", "refresh_token", "id_token"] {
            secrets.push(text(tokens, member));
        }
    }
    let keys: Vec<String> = stack.redis.command(&["KEYS", "wechat-login:*"]).await;
    let mut kept = String::new();
    for key in &keys {
        let kind: String = stack.redis.command(&["TYPE", key]).await;
        let values: Vec<String> = match kind.as_str() {
            "hash" => stack.redis.command(&["HGETALL", key]).await,
            "set" => stack.redis.command(&["SMEMBERS", key]).await,
            "zset" => stack.redis.command(&["ZRANGE", key, "0", "-1"]).await,
            _ => vec![stack.redis.command(&["GET", key]).await],
        };
        kept.push_str(key);
        kept.push_str(&values.join(" "));
    }
    assert!(kept.contains("oidc-grant"), "{kept}");
    let logs = stack.logs_to_the_end().await;
    for secret in secrets {
        assert!(!kept.contains(&secret), "Redis holds {secret}");
        assert!(!logs.contains(&secret), "a log holds {secret}");
    }
}
