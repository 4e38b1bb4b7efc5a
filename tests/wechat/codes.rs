//! Logging in by digits that the visitor sends to the account.

use login_protocol::account_picture::PictureName;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{
    attempts::new_openid,
    deadline::eventually,
    log_folder,
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};
use wechat_wire::push::{Push, PushBody};

use crate::{
    backend::{Backend, Behaviour},
    profile::link,
    relay::{message, plain, push},
};

const TAKEN: &str = "已被别人使用";

fn plan() -> Plan {
    Plan::default()
        .site("SITE__LOGIN__METHOD", "code")
        .site("SITE__LOGIN__SITE_NAME", "花店")
        .gateway("GATEWAY__REPLY__RETURNING", "您已登录{site}。")
}

/// Opens the modal and returns the digits that it shows.
async fn start(visitor: &mut Visitor) -> String {
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json["method"], "code");
    assert_eq!(answer.json["qr"], Value::Null);
    let digits = answer.json["code"]["digits"].as_str();
    digits.expect("there are digits").to_owned()
}

/// Delivers somebody's message, once, and returns what they read, or `success`.
async fn deliver(stack: &Stack, openid: &str, id: &str, text: &str) -> String {
    let message = Push {
        from_user_name: openid.to_owned(),
        body: PushBody::Message {
            msg_type: "text".to_owned(),
            msg_id: Some(id.to_owned()),
            content: Some(text.to_owned()),
        },
        ..message(text)
    };
    let answer = push(stack, &plain(&message)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = answer.text().await.expect("the answer has a body");
    let content = answer.split("<Content><![CDATA[").nth(1);
    let content = content.and_then(|rest| rest.split("]]>").next());
    content.unwrap_or(&answer).to_owned()
}

async fn last_reply(stack: &Stack, person: &Person) -> String {
    stack.wechat.chat(person).await.pop().unwrap_or_default()
}

#[tokio::test]
async fn who_sends_the_digits_is_logged_in() {
    let plan = plan()
        .gateway("GATEWAY__WECHAT__NAME", "小林花店")
        .gateway("GATEWAY__WECHAT__QR_URL", "https://www.example.com/qr.png");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let first = visitor.call(Method::POST, "/api/login").await;
    let code = &first.json["code"];
    assert_eq!(code["account_name"], "小林花店");
    assert_eq!(code["account_qr_url"], "https://www.example.com/qr.png");
    assert_eq!(first.json.get("methods"), None);
    // A reload shows the same.
    let second = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(second.json["code"], *code);
    let digits = code["digits"].as_str().expect("there are digits");
    assert_eq!(digits.len(), 6);

    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.message(&person, digits).await;
    assert_eq!(last_reply(&stack, &person).await, "您已登录花店。");
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    let user = visitor.complete().await;
    assert_eq!(user["openid"], person.openid);
    assert_eq!(user["subscribed"], true);
}

#[tokio::test]
async fn a_picture_that_is_a_file_is_handed_out_by_the_site() {
    let content =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\xae\0\0\x01\xae: the rest is for browsers";
    let file = log_folder::create().join("account.png");
    std::fs::write(&file, content).expect("a file can be written");
    let path = file.to_str().expect("a path in UTF-8");
    let plan = plan()
        .gateway("GATEWAY__WECHAT__QR_URL", path)
        .site("SITE__PUBLIC__URL", "https://shop.example.com/passport/");
    let mut stack = plan.start().await;
    let mut visitor = stack.visitor();
    let first = visitor.call(Method::POST, "/api/login").await;
    let url = first.json["code"]["account_qr_url"].as_str();
    let url = url.expect("an address");
    let address = url.strip_prefix("https://shop.example.com/passport");
    let address = address.expect("one of the site's own");
    let name = address.strip_prefix("/assets/account/");
    let name = name.and_then(PictureName::parse).expect("a picture's name");
    assert_eq!(Some(name), PictureName::of(content));
    // A reload shows the same.
    let second = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(second.json["code"], first.json["code"]);

    let read = async |address: &str| {
        let client = service_kit::http_client::build(system_tests::deadline::PATIENCE);
        let url = format!("{}{address}", stack.sites[0].public);
        let answer = client.expect("a client can be made").get(url).send().await;
        answer.expect("the site answers")
    };
    let answer = read(address).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    let body = answer.bytes().await.expect("the answer has a body");
    assert_eq!(&body[..], content);
    for unknown in ["AAAAAAAAAAAAAAAA.png", "AAAA.png", "AAAAAAAAAAAAAAAA.svg"] {
        let answer = read(&format!("/assets/account/{unknown}")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{unknown}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{unknown}");
    }
    // It was fetched once.
    stack.gateways.remove(0).process.stop().await;
    assert_eq!(read(address).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_account_that_says_nothing_of_itself_is_null() {
    let stack = plan().start().await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.json["code"]["account_name"], Value::Null);
    assert_eq!(answer.json["code"]["account_qr_url"], Value::Null);
}

#[tokio::test]
async fn digits_may_be_typed_with_spaces_and_in_full_width() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    let wide: String = digits
        .chars()
        .map(|digit| {
            let value = digit.to_digit(10).expect("a digit");
            char::from_u32('０' as u32 + value).expect("a full-width digit")
        })
        .collect();
    let (before, after) = wide.split_at('０'.len_utf8() * 3);
    stack
        .wechat
        .message(&person, &format!(" {before}\u{3000}{after} "))
        .await;
    assert_eq!(visitor.status().await, "confirmed");
}

#[tokio::test]
async fn the_first_wins_repeats_and_others_are_told() {
    let stack = plan().start().await;
    let (winner, other) = (
        stack.wechat.person("小林", true).await,
        stack.wechat.person("小王", true).await,
    );
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    for _ in 0..2 {
        stack.wechat.message(&winner, &digits).await;
        assert_eq!(last_reply(&stack, &winner).await, "您已登录花店。");
        stack.wechat.message(&other, &digits).await;
        assert!(last_reply(&stack, &other).await.contains(TAKEN));
    }
    assert_eq!(visitor.complete().await["openid"], winner.openid);
    // Its record lives for another minute.
    stack.wechat.message(&winner, &digits).await;
    assert_eq!(last_reply(&stack, &winner).await, "您已登录花店。");
}

#[tokio::test]
async fn after_five_wrong_guesses_the_right_digits_are_not_looked_at() {
    let stack = plan().start().await;
    let (guesser, other) = (
        stack.wechat.person("猜测者", true).await,
        stack.wechat.person("小林", true).await,
    );
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    // They differ from the digits in length.
    for wrong in ["0000", "11111", "2222222", "33333333", "444444444444"] {
        stack.wechat.message(&guesser, wrong).await;
    }
    stack.wechat.message(&guesser, &digits).await;
    assert_eq!(visitor.status().await, "pending");
    stack.wechat.message(&other, &digits).await;
    assert_eq!(visitor.complete().await["openid"], other.openid);
}

#[tokio::test]
async fn guesses_are_counted_once_with_a_backend_and_without() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    for plan in [
        plan(),
        plan().gateway("GATEWAY__RELAY__URL", &backend.url()),
    ] {
        let stack = plan.plain().start().await;
        let mut visitor = stack.visitor();
        let digits = start(&mut visitor).await;
        let (one, other) = (new_openid(), new_openid());
        for (id, text) in [("1", "0000"), ("1", "0000"), ("2", &digits), ("2", &digits)] {
            deliver(&stack, &one, id, text).await;
        }
        for id in ["1", "2", "3", "4", "5", "6"] {
            deliver(&stack, &other, id, "0000").await;
        }
        let url = format!("{}/metrics", stack.gateways[0].internal);
        let client = service_kit::http_client::build(system_tests::deadline::PATIENCE);
        let answer = client.expect("a client can be made").get(url).send().await;
        let figures = answer.expect("the gateway answers").text().await;
        let figures = figures.expect("the answer has a body");
        for (outcome, times) in [("right", 1), ("wrong", 6), ("repeated", 2), ("locked", 1)] {
            let figure = format!(
                "login_guesses_total{{outcome=\"{outcome}\",account=\"default\"}} {times}\n"
            );
            assert!(figures.contains(&figure), "{figure}: {figures}");
        }
    }
}

#[tokio::test]
async fn what_is_no_guess_locks_nobody() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    for other in ["123", "1234567890123", "你好", "123-456", "12 ok", "12.34"] {
        stack.wechat.message(&person, other).await;
    }
    stack.wechat.message(&person, &digits).await;
    assert_eq!(visitor.status().await, "confirmed");
}

#[tokio::test]
async fn cancelled_digits_log_nobody_in() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    visitor.call(Method::DELETE, "/api/login").await;
    stack.wechat.message(&person, &digits).await;
    // They are no login's any more, so the message is one like any other and isn't answered.
    assert_eq!(last_reply(&stack, &person).await, digits);
    let other = start(&mut visitor).await;
    assert_ne!(digits, other);
    assert_eq!(visitor.status().await, "pending");
}

#[tokio::test]
async fn repeated_deliveries_have_the_first_answer() {
    let stack = plan().plain().start().await;
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    let (one, other) = (new_openid(), new_openid());
    for _ in 0..3 {
        assert_eq!(deliver(&stack, &one, "71", &digits).await, "您已登录花店。");
        let taken = deliver(&stack, &other, "71", &digits).await;
        assert!(taken.contains(TAKEN), "{taken}");
    }

    // A wrong guess stays wrong, however often it comes, and counts once.
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    for _ in 0..6 {
        assert_eq!(deliver(&stack, &one, "72", "0000").await, "success");
    }
    assert_eq!(deliver(&stack, &one, "73", &digits).await, "您已登录花店。");
}

#[tokio::test]
async fn a_live_code_is_not_relayed_and_every_other_message_is() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let relay = format!("http://{}/wx", backend.address);
    let stack = plan().gateway("GATEWAY__RELAY__URL", &relay).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    stack.wechat.message(&person, "123456").await;
    assert_eq!(backend.received().len(), 1, "nobody waits for digits yet");
    let digits = start(&mut visitor).await;
    stack.wechat.message(&person, &digits).await;
    assert_eq!(visitor.status().await, "confirmed");
    assert_eq!(last_reply(&stack, &person).await, "您已登录花店。");
    assert_eq!(backend.received().len(), 1);
    stack.wechat.message(&person, "0000").await;
    assert_eq!(backend.received().len(), 2, "a wrong guess goes its way");
}

#[tokio::test]
async fn in_tap_mode_the_digits_bring_a_link() {
    let plan = plan()
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .site("SITE__LOGIN__APPROVAL", "tap");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let digits = start(&mut visitor).await;
    stack.wechat.message(&person, &digits).await;
    assert_eq!(visitor.status().await, "scanned");
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let confirm = json!({ "url": link, "form": { "decision": "confirm" } });
    crate::profile::open(&stack, &person, confirm).await;
    assert_eq!(visitor.complete().await["openid"], person.openid);
}

/// The link to the profile leads through web authorisation.
#[tokio::test]
async fn an_account_without_web_authorisation_asks_for_no_profile() {
    for (has_it, asks) in [("true", true), ("false", false)] {
        let plan = plan()
            .simulator("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "false")
            .gateway("GATEWAY__PUBLIC__URL", "https://gateway.example.com")
            .gateway("GATEWAY__WECHAT__WEB_AUTHORIZATION", has_it);
        let stack = plan.start().await;
        let person = stack.wechat.person("小林", true).await;
        let mut visitor = stack.visitor();
        let digits = start(&mut visitor).await;
        stack.wechat.message(&person, &digits).await;
        assert_eq!(link(&stack, &person).await.is_some(), asks, "{has_it}");
    }
}

#[tokio::test]
async fn of_several_methods_the_first_is_shown_and_the_others_are_offered() {
    let stack = plan()
        .site("SITE__LOGIN__METHOD", "scan,code")
        .start()
        .await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let scan = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(scan.json["method"], "scan");
    assert_eq!(scan.json["code"], Value::Null);
    assert_eq!(scan.json["methods"], json!(["scan", "code"]));
    let content = scan.json["qr"]["content"]
        .as_str()
        .expect("there is a code");
    let code = visitor.call(Method::POST, "/api/login?method=code").await;
    assert_eq!(code.json["method"], "code");
    assert_eq!(code.json["qr"], Value::Null);
    // The page is still the one with digits when it is loaded again.
    let again = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(again.json["code"], code.json["code"]);
    // Nobody looks at the code any more.
    stack.wechat.scan(&person, content).await;
    assert_eq!(visitor.status().await, "pending");
    for unknown in ["page", "auto", "telepathy"] {
        let refused = visitor
            .call(Method::POST, &format!("/api/login?method={unknown}"))
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{unknown}");
        assert_eq!(refused.json["code"], "invalid_request");
    }
    let digits = again.json["code"]["digits"].as_str().expect("digits");
    stack.wechat.message(&person, digits).await;
    assert_eq!(visitor.complete().await["openid"], person.openid);
}

/// Where nobody logs in by digits, a message of digits leaves nothing behind.
#[tokio::test]
async fn a_message_of_digits_costs_nothing_where_no_digits_are_given() {
    let stack = Plan::default()
        .gateway("GATEWAY__REPLY__KEYWORDS", r#"{"12345": "第五号商品"}"#)
        .start()
        .await;
    let person = stack.wechat.person("小林", true).await;
    let keys = async || -> Vec<String> {
        let keys: Vec<String> = stack.redis.command(&["KEYS", "*"]).await;
        let is_ours = |key: &String| key.contains("digits") || key.contains("guess");
        keys.into_iter().filter(is_ours).collect()
    };
    for _ in 0..6 {
        stack.wechat.message(&person, "12345").await;
        assert_eq!(last_reply(&stack, &person).await, "第五号商品");
    }
    assert_eq!(keys().await, Vec::<String>::new());
    eventually("the scan works as ever", async || {
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        stack.wechat.scan(&person, &content).await;
        (visitor.status().await == "confirmed").then_some(())
    })
    .await;
}
