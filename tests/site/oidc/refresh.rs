//! Refresh tokens: rotation, repeats, reuse.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Fields, assert_error, authorized, claims, of_wiki, plan, text};
use system_tests::stack::Stack;

fn offline() -> Fields<'static> {
    let mut fields = of_wiki();
    fields.insert("scope", "openid offline_access".to_owned());
    fields
}

async fn tokens(stack: &Stack, client: &Client) -> Value {
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let answer = authorized(stack, &mut visitor, &person, &offline()).await;
    client.exchange(&answer["code"]).await.json
}

/// Makes a used refresh token's answer eleven seconds old.
async fn eleven_seconds_later(stack: &Stack) {
    let grants: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:oidc-grant:*"])
        .await;
    for grant in grants {
        let fields: Vec<String> = stack.redis.command(&["HGETALL", &grant]).await;
        for pair in fields.chunks(2) {
            if pair[0].starts_with("u:") {
                let at: i64 = pair[1].parse().expect("a time");
                let earlier = (at - 11_000).to_string();
                let set = ["HSET", &grant, &pair[0], &earlier];
                let _: i64 = stack.redis.command(&set).await;
            }
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_replaced_by_its_successor() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let first = tokens(&stack, &client).await;
    let second = client.refresh(&text(&first, "refresh_token")).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let second = second.json;
    for member in ["access_token", "refresh_token", "id_token"] {
        assert_ne!(first[member], second[member], "{member}");
    }
    let [before, after] = [&first, &second].map(|tokens| claims(&text(tokens, "id_token")));
    for claim in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!(
        [&before["nonce"], &after["nonce"]],
        [&json!("n-1"), &json!(null)]
    );
    for tokens in [&first, &second] {
        let told = client.userinfo(&text(tokens, "access_token")).await;
        assert_eq!(told.status, 200, "its access token lives on");
    }
    let third = client.refresh(&text(&second, "refresh_token")).await;
    assert_eq!(third.status, 200);
}

#[tokio::test]
async fn whoever_lost_the_answer_gets_it_again_for_ten_seconds() {
    let stack = plan().sites(2).start().await;
    let client = Client::of(&stack);
    let first = tokens(&stack, &client).await;
    let used = text(&first, "refresh_token");
    let answer = client.refresh(&used).await.json;
    let elsewhere = Client::at(&stack.sites[1].public);
    assert_eq!(elsewhere.refresh(&used).await.json, answer);
    // Also when the successor was used already.
    let next = client.refresh(&text(&answer, "refresh_token")).await;
    assert_eq!(next.status, 200);
    assert_eq!(elsewhere.refresh(&used).await.json, answer);
    eleven_seconds_later(&stack).await;
    assert_error(&client.refresh(&used).await, 400, "invalid_grant");
    // Then somebody has it who shouldn't, and all of it ends.
    let last = client.refresh(&text(&next.json, "refresh_token")).await;
    assert_error(&last, 400, "invalid_grant");
    let access = text(&next.json, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 401);
}

#[tokio::test]
async fn many_at_once_get_the_same_answer() {
    let stack = plan().sites(2).start().await;
    let clients = [
        Client::at(&stack.sites[0].public),
        Client::at(&stack.sites[1].public),
    ];
    let mut current = tokens(&stack, &clients[0]).await;
    for _ in 0..5 {
        let token = text(&current, "refresh_token");
        let all = (0..6).map(|number| clients[number % 2].refresh(&token));
        let answers = join_all(all).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json, answers[0].json);
        }
        current = answers[0].json.clone();
    }
}

#[tokio::test]
async fn a_refresh_token_is_its_clients_alone_and_brings_no_wider_scope() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let first = tokens(&stack, &client).await;
    let token = text(&first, "refresh_token");
    let of_app = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", "app".to_owned()),
        ("refresh_token", token.clone()),
    ];
    let answer = client.post("/oidc/token", None, of_app).await;
    assert_error(&answer, 400, "invalid_grant");
    let wider = [
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", token.clone()),
        ("scope", "openid profile".to_owned()),
    ];
    let basic = Some(("wiki", super::client::SECRET));
    let answer = client.post("/oidc/token", basic, wider).await;
    assert_error(&answer, 400, "invalid_scope");
    let access = text(&first, "access_token");
    for other in [&access, &token[..token.len() - 1], "x"] {
        assert_error(&client.refresh(other).await, 400, "invalid_grant");
    }
    assert_eq!(client.refresh(&token).await.status, 200);
}

#[tokio::test]
async fn only_offline_access_brings_one_and_it_lives_thirty_days_from_its_last_use() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let first = tokens(&stack, &client).await;
    let grants: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:oidc-grant:*"])
        .await;
    let day = 24 * 60 * 60 * 1000;
    let life = async || -> i64 { stack.redis.command(&["PTTL", &grants[0]]).await };
    let after_the_exchange = life().await;
    assert!((29 * day..=30 * day).contains(&after_the_exchange));
    let shorter = (10 * day).to_string();
    let _: i64 = stack
        .redis
        .command(&["PEXPIRE", &grants[0], &shorter])
        .await;
    client.refresh(&text(&first, "refresh_token")).await;
    let after_its_use = life().await;
    assert!((29 * day..=30 * day).contains(&after_its_use));
}

#[tokio::test]
async fn signing_out_leaves_refresh_tokens_and_signing_out_everywhere_ends_them() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let lasting = authorized(&stack, &mut visitor, &person, &offline()).await;
    let lasting = client.exchange(&lasting["code"]).await.json;
    let path = super::client::authorize_path(&of_wiki());
    let answer = visitor.call(Method::GET, &path).await;
    let passing = super::client::query(&super::client::location(&answer));
    let passing = client.exchange(&passing["code"]).await.json;
    let unspent = visitor.call(Method::GET, &path).await;
    let unspent = super::client::query(&super::client::location(&unspent));

    visitor.call(Method::DELETE, "/api/session").await;
    let access = text(&passing, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 401);
    assert_error(
        &client.exchange(&unspent["code"]).await,
        400,
        "invalid_grant",
    );
    let access = text(&lasting, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 200);
    let next = client.refresh(&text(&lasting, "refresh_token")).await;
    assert_eq!(next.status, 200, "{}", next.text);

    let mut elsewhere = crate::session::signed_in(&stack, &person).await;
    elsewhere.call(Method::DELETE, "/api/sessions").await;
    let access = text(&next.json, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 401);
    let answer = client.refresh(&text(&next.json, "refresh_token")).await;
    assert_error(&answer, 400, "invalid_grant");
}

/// The mark of a sign-out everywhere lives as long as a session, and a refresh token for longer.
#[tokio::test]
async fn a_sign_out_everywhere_holds_when_its_mark_is_gone() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let answer = authorized(&stack, &mut visitor, &person, &offline()).await;
    let first = client.exchange(&answer["code"]).await.json;
    let mut elsewhere = crate::session::signed_in(&stack, &person).await;
    elsewhere.call(Method::DELETE, "/api/sessions").await;
    let marks: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:sessions-end*"])
        .await;
    assert!(!marks.is_empty());
    for mark in &marks {
        let _: i64 = stack.redis.command(&["DEL", mark]).await;
    }
    let access = text(&first, "access_token");
    assert_eq!(client.userinfo(&access).await.status, 401);
    let answer = client.refresh(&text(&first, "refresh_token")).await;
    assert_error(&answer, 400, "invalid_grant");
}

#[tokio::test]
async fn a_repeat_gets_no_answer_once_the_person_signed_out_everywhere() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let used = text(&tokens(&stack, &client).await, "refresh_token");
    assert_eq!(client.refresh(&used).await.status, 200);
    assert_eq!(client.refresh(&used).await.status, 200, "a repeat");
    // The end alone, as if what is told of it came later.
    let member: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:member:*"])
        .await;
    let end = member[0].replacen("member", "sessions-end", 1);
    let later = (jiff::Timestamp::now().as_millisecond() + 1000).to_string();
    let _: String = stack.redis.command(&["SET", &end, &later]).await;
    assert_error(&client.refresh(&used).await, 400, "invalid_grant");
}

/// Nobody keeps more than the last hundred, and each is known for what it was.
#[tokio::test]
async fn a_refresh_token_that_was_used_long_ago_ends_its_family() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let first = text(&tokens(&stack, &client).await, "refresh_token");
    let mut last = first.clone();
    for _ in 0..102 {
        last = text(&client.refresh(&last).await.json, "refresh_token");
    }
    let made_up = format!("{}{}", &first[..26], "A".repeat(43));
    assert_error(&client.refresh(&made_up).await, 400, "invalid_grant");
    let next = client.refresh(&last).await;
    assert_eq!(next.status, 200, "one that we never made ends nothing");
    assert_error(&client.refresh(&first).await, 400, "invalid_grant");
    let last = text(&next.json, "refresh_token");
    assert_error(&client.refresh(&last).await, 400, "invalid_grant");
}
