//! One push delivered several times, at once and on several gateways: one effect.

use login_protocol::{attempt::AttemptStatus, status_change::StatusChange};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid},
    news::News,
    stack::{Plan, Stack},
};
use wechat_wire::push::Push;

use crate::{
    http,
    push_request::{PushRequest, scan, sealed_reply, subscribe},
};

/// Delivers the push this often to every gateway, all at once, and returns the words that came
/// back.
async fn deliver_at_once(stack: &Stack, push: &Push, times: usize) -> Vec<String> {
    let requests: Vec<_> = stack
        .gateways
        .iter()
        .flat_map(|gateway| std::iter::repeat_n(gateway, times))
        .map(|gateway| (gateway, PushRequest::safe(push)))
        .collect();
    let answers = requests
        .iter()
        .map(|(gateway, request)| request.send(gateway));
    let answers = futures_util::future::join_all(answers).await;
    answers
        .iter()
        .map(|answer| sealed_reply(answer, &push.from_user_name))
        .collect()
}

#[tokio::test]
async fn a_push_that_arrives_three_times_at_once_has_one_effect() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let mut news = News::listen(&store).await;
    for new_follower in [false, true] {
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let push = if new_follower {
            subscribe(&person, &scene)
        } else {
            scan(&person, &scene)
        };
        let words = deliver_at_once(&stack, &push, 3).await;
        assert_eq!(words.len(), 3);
        assert!(words[0].contains("已登录"), "{words:?}");
        assert!(words.iter().all(|text| *text == words[0]), "{words:?}");
        let confirmed = StatusChange {
            scene: scene.clone(),
            status: AttemptStatus::Confirmed,
        };
        assert_eq!(news.so_far(&stack.redis).await, [confirmed]);
        assert_eq!(attempts::owner(&store, &scene).await, person);
        news.so_far(&stack.redis).await;

        // WeChat's third delivery can come when the browser has long taken the login.
        assert_eq!(deliver_at_once(&stack, &push, 1).await, words[..1]);
        assert!(news.so_far(&stack.redis).await.is_empty());
    }
}

#[tokio::test]
async fn a_push_that_arrives_at_two_gateways_at_once_has_one_effect() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let store = stack.redis.store();
    let mut news = News::listen(&store).await;
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let words = deliver_at_once(&stack, &subscribe(&person, &scene), 3).await;
    assert_eq!(words.len(), 6);
    assert!(words[0].contains("已登录"), "{words:?}");
    assert!(words.iter().all(|text| *text == words[0]), "{words:?}");
    assert_eq!(news.so_far(&stack.redis).await.len(), 1);
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn two_people_at_two_gateways_at_once_share_no_login() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let store = stack.redis.store();
    for _ in 0..10 {
        let scene = attempts::open(&store).await;
        let people = [new_openid(), new_openid()];
        let requests = people
            .each_ref()
            .map(|person| PushRequest::safe(&scan(person, &scene)));
        let (first, second) = tokio::join!(
            requests[0].send(&stack.gateways[0]),
            requests[1].send(&stack.gateways[1])
        );
        let words = [
            sealed_reply(&first, &people[0]),
            sealed_reply(&second, &people[1]),
        ];
        let logged_in = words.each_ref().map(|text| text.contains("您已登录"));
        assert_ne!(logged_in[0], logged_in[1], "{words:?}");
        let owner = usize::from(logged_in[1]);
        assert_eq!(attempts::owner(&store, &scene).await, people[owner]);
    }
}

#[tokio::test]
async fn wechats_own_repeats_change_nothing() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let follower = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 300 });
    let code = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    let content = code.json["content"].as_str().expect("a code has it");
    let scanned = stack.wechat.scan(&follower, content).await;
    let first = &scanned["delivery"]["attempts"][0]["reply"];
    let id = scanned["delivery_id"].as_str().expect("it was pushed");
    let path = format!("/simulator/deliveries/{id}/repeat?times=3");
    let repeats = stack.wechat.control(Method::POST, &path, Value::Null).await;
    let repeats = repeats.as_array().expect("a list of attempts");
    assert_eq!(repeats.len(), 3);
    for repeat in repeats {
        assert_eq!(&repeat["reply"], first, "{repeat}");
        assert_eq!(repeat["status"], 200);
    }
    assert_eq!(attempts::owner(&store, &scene).await, follower.openid);
}
