//! Where a person is signed in: what they see and end themselves, and what the owner does.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::member,
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    visitor::{Answer, Visitor},
};

use crate::{
    answers::{assert_members, assert_problem},
    attempt_record,
    session::signed_in,
    upgrade::older_session,
};

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/// Signs somebody in with a browser of this name.
async fn signed_in_with(stack: &Stack, person: &Person, user_agent: &str) -> Visitor {
    let mut visitor = stack.visitor();
    visitor.set_header("user-agent", user_agent);
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    visitor.complete().await;
    visitor
}

async fn sessions(visitor: &mut Visitor) -> Vec<Value> {
    let answer = visitor.call(Method::GET, "/api/sessions").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_members(&answer.json, &["sessions"]);
    answer.json["sessions"].as_array().expect("a list").clone()
}

/// The identifier of this browser's own session.
async fn own(visitor: &mut Visitor) -> String {
    let sessions = sessions(visitor).await;
    let own = sessions.iter().find(|session| session["current"] == true);
    let own = own.expect("it is listed");
    own["id"].as_str().expect("an identifier").to_owned()
}

/// The owner asks the gateway.
async fn owner(stack: &Stack, method: Method, person: &Person, rest: &str) -> Answer {
    let mut owner = Visitor::new(&stack.gateways[0].internal);
    owner.set_header("authorization", &format!("Bearer {API_KEY}"));
    let path = format!("/v1/members/{}/sessions{rest}", person.openid);
    owner.call(method, &path).await
}

#[tokio::test]
async fn a_person_sees_where_they_are_signed_in_and_so_does_the_owner() {
    let plan = Plan::default().site("SITE__LOGIN__SITE_NAME", "小林花店");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let before = Timestamp::now();
    let mut old = signed_in_with(&stack, &person, WINDOWS).await;
    let mut new = signed_in_with(&stack, &person, "curl/8.5.0").await;
    signed_in(&stack, &stranger).await;

    let seen = sessions(&mut old).await;
    assert_eq!(seen.len(), 2);
    for session in &seen {
        assert_members(
            session,
            &[
                "id",
                "current",
                "site",
                "client",
                "begun_at",
                "last_seen_at",
                "browser",
                "address",
            ],
        );
        assert_eq!(session["site"], "小林花店");
        assert_eq!(session["client"], Value::Null);
        assert_eq!(session["address"], "127.0.0.x");
        let time = |name: &str| -> Timestamp {
            let text = session[name].as_str().expect("a time");
            text.parse().expect("a time of RFC 3339")
        };
        let begun_at = time("begun_at");
        assert!(begun_at > before - jiff::SignedDuration::from_secs(60));
        assert!(time("last_seen_at") >= begun_at);
        let id = session["id"].as_str().expect("an identifier");
        for browser in [&mut old, &mut new] {
            let cookie = browser.cookies()["wechat-session"].clone();
            assert_ne!(cookie, id, "what is told signs nobody in");
        }
    }
    let told = |name: &str| -> Vec<Value> {
        let values = seen.iter().map(|session| session[name].clone());
        values.collect()
    };
    assert_eq!(told("current"), [false, true]);
    assert_eq!(told("browser"), ["未知 · 未知", "Chrome · Windows"]);

    let answer = owner(&stack, Method::GET, &person, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let of_owner = answer.json["sessions"].as_array().expect("a list").clone();
    let ids = |sessions: &[Value]| -> Vec<Value> {
        let ids = sessions.iter().map(|session| session["id"].clone());
        ids.collect()
    };
    assert_eq!(ids(&of_owner), ids(&seen));
    assert!(of_owner.iter().all(|session| session["current"] == false));

    let mut nobody = stack.visitor();
    let answer = nobody.call(Method::GET, "/api/sessions").await;
    assert_problem(&answer, 401, "not_signed_in");
}

#[tokio::test]
async fn a_person_ends_a_session_of_theirs_and_nobody_elses() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut there = signed_in(&stack, &person).await;
    let mut strangers = signed_in(&stack, &stranger).await;
    let there_path = format!("/api/sessions/{}", own(&mut there).await);
    let strangers_path = format!("/api/sessions/{}", own(&mut strangers).await);
    there.move_to(&stack.sites[1].public);

    let mut page = here.clone();
    page.set_header("origin", "https://evil.example");
    let answer = page.call(Method::DELETE, &there_path).await;
    assert_problem(&answer, 403, "foreign_origin");
    let mut nobody = stack.visitor();
    let answer = nobody.call(Method::DELETE, &there_path).await;
    assert_problem(&answer, 401, "not_signed_in");
    let unknown = format!("/api/sessions/{}", "A".repeat(43));
    for path in [
        strangers_path.as_str(),
        &unknown,
        "/api/sessions/*",
        "/api/sessions/%00",
    ] {
        let answer = here.call(Method::DELETE, path).await;
        assert_problem(&answer, 404, "unknown_session");
    }
    assert!(there.session().await.is_some());
    assert!(strangers.session().await.is_some());

    let answer = here.call(Method::DELETE, &there_path).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert!(there.session().await.is_none());
    assert!(here.session().await.is_some());
    assert_eq!(sessions(&mut here).await.len(), 1);
    let answer = here.call(Method::DELETE, &there_path).await;
    assert_problem(&answer, 404, "unknown_session");

    // Its own, which is signing out.
    let own_path = format!("/api/sessions/{}", own(&mut here).await);
    let mut tab = here.clone();
    let answer = here.call(Method::DELETE, &own_path).await;
    assert_eq!(answer.status, 204);
    assert!(here.cookies().is_empty());
    assert!(tab.session().await.is_none());
    let answer = tab.call(Method::POST, "/api/login/complete").await;
    assert_problem(&answer, 410, "login_consumed");
}

#[tokio::test]
async fn a_site_shows_its_own_sessions_and_the_gateway_all() {
    let mut stack = Plan::default().start().await;
    stack.plan = stack
        .plan
        .clone()
        .site("SITE__PUBLIC__URL", "https://forum.example.com");
    stack.add_site().await;
    let person = stack.wechat.person("小林", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut there = Visitor::new(&stack.sites[1].public);
    let content = there.start_login().await;
    stack.wechat.scan(&person, &content).await;
    there.complete().await;
    assert_eq!(sessions(&mut here).await.len(), 1);
    let answer = owner(&stack, Method::GET, &person, "").await;
    let sites = answer.json["sessions"].as_array().expect("a list").iter();
    let sites: Vec<_> = sites.map(|session| session["site"].clone()).collect();
    assert_eq!(sites, ["forum.example.com", "localhost"]);
    // Nor does one end the other's.
    let id = answer.json["sessions"][0]["id"].as_str().expect("an id");
    let path = format!("/api/sessions/{id}");
    let answer = here.call(Method::DELETE, &path).await;
    assert_problem(&answer, 404, "unknown_session");
    let ended = owner(&stack, Method::DELETE, &person, "").await;
    assert_eq!(ended.status, 204);
    assert!(here.session().await.is_none());
    assert!(there.session().await.is_none());
}

#[tokio::test]
async fn the_owner_ends_one_session_or_all() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let mut one = signed_in(&stack, &person).await;
    let mut two = signed_in(&stack, &person).await;
    two.move_to(&stack.sites[1].public);
    let mut other = signed_in(&stack, &stranger).await;
    let id = own(&mut one).await;
    let foreign = own(&mut other).await;

    let answer = owner(&stack, Method::DELETE, &person, &format!("/{foreign}")).await;
    assert_problem(&answer, 404, "unknown_session");
    let answer = owner(&stack, Method::DELETE, &person, &format!("/{id}")).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert!(one.session().await.is_none());
    assert!(two.session().await.is_some());
    let answer = owner(&stack, Method::DELETE, &person, &format!("/{id}")).await;
    assert_problem(&answer, 404, "unknown_session");

    // A login that was confirmed and not completed yet ends with all.
    let mut waiting = stack.visitor();
    let content = waiting.start_login().await;
    stack.wechat.scan(&person, &content).await;
    for _ in 0..2 {
        let answer = owner(&stack, Method::DELETE, &person, "").await;
        assert_eq!(answer.status, 204, "{}", answer.text);
    }
    assert!(two.session().await.is_none());
    let answer = waiting.call(Method::POST, "/api/login/complete").await;
    assert_problem(&answer, 410, "login_expired");
    assert!(other.session().await.is_some());
    let answer = owner(&stack, Method::GET, &person, "").await;
    assert_eq!(answer.json, json!({ "sessions": [] }));
    assert!(signed_in(&stack, &person).await.session().await.is_some());

    let unknown = Person {
        openid: "oNobody".to_owned(),
        ..person
    };
    for method in [Method::GET, Method::DELETE] {
        let answer = owner(&stack, method, &unknown, "").await;
        assert_problem(&answer, 404, "unknown_member");
    }
    let answer = owner(&stack, Method::DELETE, &unknown, "/x").await;
    assert_problem(&answer, 404, "unknown_member");
    let answer = owner(&stack, Method::GET, &stranger, "?account=shop").await;
    assert_problem(&answer, 404, "unknown_account");
}

/// Sessions of versions that kept no index are listed after their next use.
#[tokio::test]
async fn a_session_of_a_version_before_is_seen_once_it_was_used() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut oldest = stack.visitor();
    older_session(&stack, &person, &mut oldest).await;
    let mut before = signed_in(&stack, &person).await;
    let record = crate::attempt_record::sessions(&stack).await;
    let record = record.iter().find(|key| key.matches(':').count() == 3);
    let record = record.expect("the session of this version");
    let begun_at = Timestamp::now().as_millisecond();
    let openid = &member(&person.openid).openid;
    let version_1 = format!(
        r#"{{"version":1,"app_id":"{}","openid":"{}","account":"default","method":"scan","begun_at_ms":{begun_at}}}"#,
        system_tests::stack::APP_ID,
        openid.as_str()
    );
    let _: String = stack
        .redis
        .command(&["SET", record, &version_1, "PX", "60000"])
        .await;
    let index: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:sessions:*"])
        .await;
    let _: i64 = stack.redis.command(&["DEL", &index[0]]).await;
    assert!(oldest.session().await.is_some());
    let seen = sessions(&mut before).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["current"], true);
    assert_eq!(seen[0]["browser"], Value::Null);
    assert_eq!(seen[1]["last_seen_at"], Value::Null);
    let path = format!("/api/sessions/{}", seen[1]["id"].as_str().expect("an id"));
    assert_eq!(before.call(Method::DELETE, &path).await.status, 204);
    assert!(oldest.session().await.is_none());
}

/// More than a thousand sessions of a person, or those of a version that kept no index, aren't in the
/// index; an erasure ends them all the same, also when the person comes back.
#[tokio::test]
async fn an_erasure_ends_sessions_that_no_index_holds() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = signed_in(&stack, &person).await;
    let mut keys = attempt_record::sessions(&stack).await;
    let key = keys.remove(0);
    let record: String = stack.redis.command(&["GET", &key]).await;
    let begun = record
        .split("\"begun_at_ms\":")
        .nth(1)
        .expect("its beginning");
    let begun: String = begun.chars().take_while(char::is_ascii_digit).collect();
    let hour_ago = begun.parse::<i64>().expect("a time") - 3_600_000;
    let record = record.replace(&begun, &hour_ago.to_string());
    let _: String = stack
        .redis
        .command(&["SET", &key, &record, "PX", "100000000"])
        .await;
    let members: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:member:*"])
        .await;
    let first_seen = (hour_ago / 1000).to_string();
    let _: i64 = stack
        .redis
        .command(&["HSET", &members[0], "first_seen_at", &first_seen])
        .await;
    let index: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:sessions:*"])
        .await;
    let _: i64 = stack.redis.command(&["DEL", &index[0]]).await;
    assert!(browser.session().await.is_some());
    let mut gateway = Visitor::new(&stack.gateways[0].internal);
    gateway.set_header("authorization", &format!("Bearer {API_KEY}"));
    let path = format!("/v1/members/{}", person.openid);
    let answer = gateway.call(Method::DELETE, &path).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(browser.session().await, None);
    let mut again = signed_in(&stack, &person).await;
    assert!(again.session().await.is_some());
    assert_eq!(browser.session().await, None, "with the new subject");
}
