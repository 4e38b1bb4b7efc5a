//! What the owner did, as the console lists it and the events tell it.

use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, Occasion},
    identity::MemberId,
    steps::{AppendEvent, ReadActs},
};
use serde_json::Value;
use system_tests::{
    attempts::{member, new_openid},
    stack::{API_KEY, Plan, Service, Stack},
};

use crate::{
    console::{known, post, see, sign_in, token},
    console_wechat::{OWNER, sign_in_by_wechat, with_an_owner},
    http::{self, header},
};

/// The rows of the page, each as its texts.
async fn rows(gateway: &Service, cookie: &str, path: &str) -> Vec<Vec<String>> {
    let page = see(gateway, cookie, path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let body = page.text.split("<tbody>").nth(1).unwrap_or_default();
    let rows = body.split("</tr>").filter(|row| row.contains("<tr>"));
    rows.map(|row| {
        let texts = row.split('<').filter_map(|part| part.split_once('>'));
        let texts = texts.map(|(_, text)| text.trim());
        let texts = texts.filter(|text| !text.is_empty());
        texts.map(str::to_owned).collect()
    })
    .collect()
}

/// The first page's rows but for their times, which each has.
async fn whats(gateway: &Service, cookie: &str) -> Vec<Vec<String>> {
    let mut rows = rows(gateway, cookie, "/activity").await;
    for row in &mut rows {
        let time = row.pop().expect("a time");
        assert_eq!(time.len(), "2026-11-28 12:00:00".len(), "{time}");
    }
    rows
}

/// Presses a person's button, and is sure.
async fn press(gateway: &Service, cookie: &str, path: &str) {
    let page = see(gateway, cookie, path).await;
    let sent = post(gateway, path, &[("token", token(&page.text))]);
    let answer = http::send(sent.header("cookie", cookie)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

async fn owners(stack: &Stack) -> Vec<Value> {
    let answer = http::get(&stack.gateways[0], "/v1/events?limit=1000").await;
    let events = answer.json["events"].as_array().expect("events");
    let acts = events.iter().filter(|event| event["type"] == "owner.acted");
    acts.map(|event| event["data"]["owner"].clone()).collect()
}

#[tokio::test]
async fn who_did_what_to_whom_and_from_where_is_listed_newest_first() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    let openid = known(&stack, "小雨").await;
    sign_in(gateway, "wrong").await;
    let by_wechat = sign_in_by_wechat(&stack).await;
    press(gateway, &by_wechat, &format!("/members/{openid}/ban")).await;
    let unbanned = format!("{}/v1/members/{openid}/ban", gateway.internal);
    let unbanned = http::client().delete(unbanned).bearer_auth(API_KEY);
    assert_eq!(http::send(unbanned).await.status, 204);
    let console = [OWNER, "控制台", "127.0.0.1"];
    let sign_ins = [
        [&["登录控制台", "–"][..], &console].concat(),
        ["登录被拒绝", "–", "控制台", "127.0.0.1"].to_vec(),
    ];
    let of_person = [
        ["解除封禁", "小雨", "内部接口", "127.0.0.1"].to_vec(),
        [&["封禁", "小雨"][..], &console].concat(),
    ];
    let expected = [&of_person[..], &sign_ins].concat();
    assert_eq!(whats(gateway, &by_wechat).await, expected);

    // Of who is erased nothing stays.
    press(gateway, &by_wechat, &format!("/members/{openid}/erase")).await;
    let erased = [&["删除数据", "default"][..], &console].concat();
    let expected = [&[erased][..], &sign_ins].concat();
    assert_eq!(whats(gateway, &by_wechat).await, expected);
}

#[tokio::test]
async fn the_events_say_which_owner_until_that_owner_is_erased() {
    let stack = http::start(with_an_owner()).await;
    let gateway = &stack.gateways[0];
    let openid = known(&stack, "小雨").await;
    let by_wechat = sign_in_by_wechat(&stack).await;
    press(gateway, &by_wechat, &format!("/members/{openid}/ban")).await;
    let (_, by_key) = sign_in(gateway, API_KEY).await;
    press(gateway, &by_key, &format!("/members/{openid}/lift-ban")).await;
    assert_eq!(
        owners(&stack).await,
        [OWNER.into(), OWNER.into(), Value::Null, Value::Null]
    );
    let erased = format!("{}/v1/members/{OWNER}", gateway.internal);
    http::send(http::client().delete(erased).bearer_auth(API_KEY)).await;
    let told = owners(&stack).await;
    assert!(told.iter().all(Value::is_null), "{told:?}");
    let kept = told.len();
    assert!(kept >= 4, "what was done stays: {kept}");
}

#[tokio::test]
async fn a_nickname_is_text_there_too() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let hostile = "<img src=x onerror=alert(1)>";
    let openid = known(&stack, hostile).await;
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    press(gateway, &cookie, &format!("/members/{openid}/ban")).await;
    let page = see(gateway, &cookie, "/activity").await.text;
    assert!(page.contains("&#60;img src=x"), "{page}");
    assert!(!page.contains("<img"), "{page}");
}

#[tokio::test]
async fn a_page_ends_where_the_next_one_begins_however_much_lies_between() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let store = stack.redis.store();
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    let somebody = member(&new_openid());
    let act = |number: usize| AppendEvent {
        occasion: Occasion::once(EventKind::OwnerActed, &number.to_string()),
        happening: Happening::by_owner(None, None)
            .with("action", "run_checks")
            .with("by", "command_line"),
        opens: false,
    };
    let acts: Vec<AppendEvent> = (0..60).map(act).collect();
    store.run_all(&acts).await.expect("Redis runs");
    let logins: Vec<AppendEvent> = (0..2500).map(|number| login(&somebody, number)).collect();
    store.run_all(&logins).await.expect("Redis runs");
    store.run(&act(60)).await.expect("Redis runs");

    let looked = ReadActs {
        before: None,
        limit: 50,
    };
    let first = store.run(&looked).await.expect("Redis runs");
    assert_eq!(first.acts.len(), 1, "one step looks at a thousand events");
    assert!(first.next.is_some());

    let page = see(gateway, &cookie, "/activity").await.text;
    let more = page.split("id=\"more\" href=\"/console").nth(1);
    let more = more.and_then(|rest| rest.split('"').next());
    let more = more.expect("there are more").to_owned();
    assert_eq!(rows(gateway, &cookie, "/activity").await.len(), 50);
    // 61 in all, and the sign-in.
    assert_eq!(rows(gateway, &cookie, &more).await.len(), 12);
    let end = see(gateway, &cookie, &more).await.text;
    assert!(!end.contains("id=\"more\""), "{end}");
    let nonsense = see(gateway, &cookie, "/activity?before=evt_1").await;
    assert_eq!(nonsense.status, 404);
}

fn login(somebody: &MemberId, number: usize) -> AppendEvent {
    const KIND: EventKind = EventKind::MemberFollowed;
    AppendEvent {
        occasion: Occasion::of(KIND, somebody, &[&number.to_string()]),
        happening: Happening::new(KIND, AccountName::default(), somebody),
        opens: false,
    }
}

#[tokio::test]
async fn without_events_it_says_how_to_have_them() {
    let plan = Plan::default().gateway("GATEWAY__EVENTS__KEEP_DAYS", "0");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let (_, cookie) = sign_in(gateway, API_KEY).await;
    let page = see(gateway, &cookie, "/activity").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("GATEWAY__EVENTS__KEEP_DAYS=0"),
        "{}",
        page.text
    );
    let signed_out = see(gateway, "", "/activity").await;
    assert_eq!(signed_out.status, 303);
    assert_eq!(header(&signed_out, "location"), "/console/sign-in");
}
