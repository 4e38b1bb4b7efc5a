//! The protocol of wechat-server, called as one-api and new-api call it.

use std::net::{IpAddr, Ipv4Addr};

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_openid,
    deadline::PATIENCE,
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
};
use wechat_wire::push::{Push, PushBody};

use crate::{
    backend::{Backend, Behaviour},
    relay::{message, plain, push},
};

const TOKEN: &str = "6f1c0e8a9d2b4753a1c9";

fn plan() -> Plan {
    Plan::default()
        .sites(0)
        .gateway("GATEWAY__COMPAT__WECHAT_SERVER_TOKEN", TOKEN)
        .gateway("GATEWAY__COMPAT__KEYWORDS", "验证码,登录码")
}

/// A caller with an address of its own.
struct Caller<'a> {
    stack: &'a Stack,
    address: Ipv4Addr,
}

impl Caller<'_> {
    async fn answer(&self, path: &str, token: &str) -> (StatusCode, Value) {
        let client = service_kit::http_client::builder()
            .timeout(PATIENCE)
            .local_address(IpAddr::V4(self.address))
            .build()
            .expect("a client can be made");
        let url = format!("{}{path}", self.stack.gateways[0].internal);
        let request = client.get(url).header("Authorization", token);
        let answer = request.send().await.expect("the gateway answers");
        let status = answer.status();
        let text = answer.text().await.expect("the answer has a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// As one-api asks for the person of a code: the data, unless it is refused.
    async fn user(&self, code: &str) -> Result<String, String> {
        let path = format!("/api/wechat/user?code={code}");
        let (status, answer) = self.answer(&path, TOKEN).await;
        assert_eq!(status, StatusCode::OK);
        let text = |member: &str| answer[member].as_str().map(str::to_owned);
        let message = text("message").expect("a message");
        if answer["success"] != true {
            return Err(message);
        }
        assert_eq!(message, "");
        Ok(text("data").expect("data"))
    }
}

fn one_api(stack: &Stack) -> Caller<'_> {
    let address = Ipv4Addr::LOCALHOST;
    Caller { stack, address }
}

fn another(stack: &Stack) -> Caller<'_> {
    let address = Ipv4Addr::new(127, 0, 0, 2);
    Caller { stack, address }
}

/// The six digits in a reply.
fn digits(reply: &str) -> String {
    let digits: String = reply
        .split(|character: char| !character.is_ascii_digit())
        .find(|digits| digits.len() == 6)
        .unwrap_or_default()
        .to_owned();
    assert_eq!(digits.len(), 6, "{reply}");
    digits
}

async fn code(stack: &Stack, person: &Person, keyword: &str) -> String {
    stack.wechat.message(person, keyword).await;
    let reply = stack.wechat.chat(person).await.pop();
    digits(&reply.expect("there is a reply"))
}

/// Makes the only code older, or the taking of it.
async fn pass_time(stack: &Stack, milliseconds: u64) {
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:compat-code:*"])
        .await;
    let [key] = keys.as_slice() else {
        panic!("one code: {keys:?}");
    };
    let record: String = stack.redis.command(&["GET", key]).await;
    let earlier = |word: &str| match word.parse::<u64>() {
        Ok(at) => (at - milliseconds).to_string(),
        Err(_) => word.to_owned(),
    };
    let record: Vec<String> = record.split(' ').map(earlier).collect();
    let _: String = stack
        .redis
        .command(&["SET", key, &record.join(" "), "PX", "60000"])
        .await;
}

#[tokio::test]
async fn who_sends_a_keyword_gets_a_code_that_tells_who_they_are_once() {
    let stack = plan().start().await;
    let (one, other) = (
        stack.wechat.person("小林", true).await,
        stack.wechat.person("小王", true).await,
    );
    let first = code(&stack, &one, "验证码").await;
    let second = code(&stack, &other, " 登录码 ").await;
    let third = code(&stack, &one, "验证码").await;
    assert_ne!(first, third);
    let caller = one_api(&stack);
    assert_eq!(caller.user(&first).await, Ok(one.openid.clone()));
    // Its answer may have got lost.
    assert_eq!(caller.user(&first).await, Ok(one.openid.clone()));
    assert_eq!(another(&stack).user(&first).await, Ok(String::new()));
    assert_eq!(another(&stack).user(&second).await, Ok(other.openid));
    assert_eq!(caller.user(&second).await, Ok(String::new()));
    // Typed as people type.
    let spaced = format!("{}%20{}%20", &third[..3], &third[3..]);
    assert_eq!(caller.user(&spaced).await, Ok(one.openid));
    for nobodys in ["000000", "12345", "1234567", "abc", "%F0%9F"] {
        let told = caller.user(nobodys).await;
        assert_eq!(told, Ok(String::new()), "{nobodys}");
    }
}

#[tokio::test]
async fn a_code_is_good_for_three_minutes_and_its_repeat_for_ten_seconds() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let caller = one_api(&stack);
    let code = code(&stack, &person, "验证码").await;
    pass_time(&stack, 170_000).await;
    assert_eq!(caller.user(&code).await, Ok(person.openid.clone()));
    pass_time(&stack, 9_000).await;
    assert_eq!(caller.user(&code).await, Ok(person.openid.clone()));
    pass_time(&stack, 1_000).await;
    assert_eq!(caller.user(&code).await, Ok(String::new()));

    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let code = self::code(&stack, &person, "验证码").await;
    pass_time(&stack, 180_000).await;
    assert_eq!(one_api(&stack).user(&code).await, Ok(String::new()));
}

#[tokio::test]
async fn a_callers_wrong_codes_are_limited_and_its_right_ones_are_not() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let caller = one_api(&stack);
    for _ in 0..3 {
        let right = code(&stack, &person, "验证码").await;
        assert_eq!(caller.user(&right).await, Ok(person.openid.clone()));
    }
    // It differs from each code in length.
    for _ in 0..60 {
        assert_eq!(caller.user("0000000").await, Ok(String::new()));
    }
    let right = code(&stack, &person, "验证码").await;
    for code in ["0000000", &right] {
        let refused = caller.user(code).await;
        assert!(
            refused.as_ref().is_err_and(|why| why.contains("次数过多")),
            "{refused:?}"
        );
    }
    assert_eq!(another(&stack).user(&right).await, Ok(person.openid));
}

#[tokio::test]
async fn the_token_is_the_whole_header() {
    let stack = plan().start().await;
    let caller = one_api(&stack);
    let longer = format!("{TOKEN}x");
    let bearer = format!("Bearer {TOKEN}");
    for path in ["/api/wechat/user?code=123456", "/api/wechat/access_token"] {
        for wrong in ["", "wrong", &longer, &bearer, &TOKEN[1..], API_KEY] {
            let (status, answer) = caller.answer(path, wrong).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(answer["success"], false, "{wrong}");
            let message = answer["message"].as_str();
            assert!(message.is_some_and(|message| !message.is_empty()));
            assert_eq!(answer.as_object().map(serde_json::Map::len), Some(2));
        }
    }
    let (_, answer) = caller.answer("/api/wechat/user", TOKEN).await;
    assert_eq!(answer, json!({ "success": false, "message": "无效的参数" }));
}

#[tokio::test]
async fn the_access_token_is_told_with_the_seconds_that_it_lasts() {
    let stack = plan().start().await;
    let (status, answer) = one_api(&stack)
        .answer("/api/wechat/access_token", TOKEN)
        .await;
    assert_eq!(status, StatusCode::OK);
    let held = stack.internal("/v1/access-token").await;
    let left = answer["expiration"].as_i64().expect("seconds");
    assert!((1..=7200).contains(&left), "{left}");
    let expected = json!({
        "success": true, "message": "", "access_token": held["access_token"], "expiration": left,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn repeated_deliveries_have_the_same_code_even_after_it_was_used() {
    let stack = plan().plain().start().await;
    let openid = new_openid();
    let asked = |id: &str| Push {
        from_user_name: openid.clone(),
        body: PushBody::Message {
            msg_type: "text".to_owned(),
            msg_id: Some(id.to_owned()),
            content: Some("验证码".to_owned()),
        },
        ..message("验证码")
    };
    let deliver = async |message: &Push| {
        let answer = push(&stack, &plain(message)).await;
        let reply = answer.text().await.expect("the answer has a body");
        let content = reply.split("<Content><![CDATA[").nth(1).map(str::to_owned);
        digits(&content.expect("there is a reply"))
    };
    let (one, other) = (asked("71"), asked("72"));
    let code = deliver(&one).await;
    assert_eq!(deliver(&one).await, code);
    assert_ne!(deliver(&other).await, code);
    let (caller, stranger) = (one_api(&stack), another(&stack));
    assert_eq!(caller.user(&code).await, Ok(openid.clone()));
    assert_eq!(deliver(&one).await, code);
    assert_eq!(stranger.user(&code).await, Ok(String::new()));
}

#[tokio::test]
async fn a_keyword_is_answered_here_and_not_by_the_relay() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let stack = plan()
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .gateway("GATEWAY__COMPAT__REPLY", "{code} 是您的验证码。")
        .start()
        .await;
    let person = stack.wechat.person("小林", true).await;
    stack.wechat.message(&person, "验证码").await;
    let reply = stack.wechat.chat(&person).await.pop().expect("a reply");
    assert!(reply.ends_with(" 是您的验证码。"), "{reply}");
    assert_eq!(backend.received().len(), 0);
    for other in ["验证码是什么", "验证"] {
        stack.wechat.message(&person, other).await;
    }
    assert_eq!(backend.received().len(), 2);
}

#[tokio::test]
async fn who_is_banned_gets_no_code_and_has_none() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", false).await;
    stack.wechat.follow(&person).await;
    let before = code(&stack, &person, "验证码").await;
    let ban = format!("/v1/members/{}/ban", person.openid);
    let url = format!("{}{ban}", stack.gateways[0].internal);
    let client = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    let answer = client.put(url).bearer_auth(API_KEY).send().await;
    assert!(answer.expect("the gateway answers").status().is_success());
    assert_eq!(one_api(&stack).user(&before).await, Ok(String::new()));
    stack.wechat.message(&person, "验证码").await;
    let reply = stack.wechat.chat(&person).await.pop().expect("a reply");
    assert!(!reply.contains(|character: char| character.is_ascii_digit()));
}

#[tokio::test]
async fn codes_are_those_of_the_account_that_is_named() {
    let stack = plan()
        .account("shop")
        .gateway("GATEWAY__COMPAT__ACCOUNT", "shop")
        .start()
        .await;
    let shop = stack.wechat.account("shop");
    let (person, visitor) = (
        stack.wechat.person("小林", true).await,
        shop.person("小王", true).await,
    );
    let said = stack.wechat.chat(&person).await.len();
    stack.wechat.message(&person, "验证码").await;
    // The other account has nothing to say to it.
    assert_eq!(stack.wechat.chat(&person).await.len(), said + 1);
    shop.message(&visitor, "验证码").await;
    let reply = shop.chat(&visitor).await.pop().expect("a reply");
    assert_eq!(
        one_api(&stack).user(&digits(&reply)).await,
        Ok(visitor.openid)
    );
}

#[tokio::test]
async fn without_a_token_there_is_no_such_door() {
    let stack = Plan::default().sites(0).start().await;
    let person = stack.wechat.person("小林", true).await;
    for path in ["/api/wechat/user?code=123456", "/api/wechat/access_token"] {
        let (status, _) = one_api(&stack).answer(path, TOKEN).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    let said = stack.wechat.chat(&person).await.len();
    stack.wechat.message(&person, "验证码").await;
    assert_eq!(stack.wechat.chat(&person).await.len(), said + 1);
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*compat*"]).await;
    assert_eq!(keys, Vec::<String>::new());
}
