//! axe-core finds nothing on any page of the console, in any of its states: on a desktop and on a
//! phone, light and dark, in Chinese and in English.

use service_kit::http_client;
use system_tests::{
    browser::{Browser, DESKTOP, PHONE},
    deadline::{PATIENCE, eventually},
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    webhook_receiver::{Receiver, Reply, SECRET},
};

use crate::console::{ask_for_code, click, console, log_in, shows, sign_in, with_an_owner};

const LANGUAGES: [&str; 2] = ["zh-CN", "en"];

/// Looks at what the browser shows on each screen, in each colour scheme.
async fn nothing_is_found(browser: &Browser, what: &str) {
    for screen in [DESKTOP, PHONE] {
        for dark in [false, true] {
            browser.pose(screen, dark).await;
            let found = browser.axe().await;
            assert!(found.is_empty(), "{what}, {screen:?}, {dark}: {found:#?}");
        }
    }
}

async fn send_key(browser: &Browser, key: &str) {
    let field = browser.element("document.querySelector('#key')").await;
    field.send_keys(key).await.expect("keys");
    click(browser, "[name=sign-in]").await;
    shows(browser, ".note.bad").await;
}

async fn each_page_is_well(browser: &Browser, stack: &Stack, person: &Person) {
    let of_person = format!("/members/{}", person.openid);
    let asking = ["end-sessions", "ban", "lift-ban", "erase"];
    let asking = asking.map(|action| format!("{of_person}/{action}"));
    let pages = [
        "",
        "/members",
        "/members?q=nobody",
        "/members/oNobody",
        &of_person,
        "/webhooks",
        "/webhooks/crm/redeliver",
        "/checks",
        "/activity",
    ];
    for path in pages.into_iter().chain(asking.iter().map(String::as_str)) {
        browser.visit(&console(stack, path)).await;
        nothing_is_found(browser, path).await;
    }
}

#[tokio::test]
async fn on_no_page_while_all_is_well_and_while_it_is_not() {
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply::Status(410));
    let plan = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", &receiver.url())
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET);
    let stack = plan.start().await;
    let person = log_in(&stack, "小林").await;
    eventually("it is switched off", async || {
        let told = stack.internal("/v1/webhooks").await;
        told["webhooks"][0]["switched_off_at"]
            .is_string()
            .then_some(())
    })
    .await;
    for language in LANGUAGES {
        let browser = Browser::speaking(language, &stack.log).await;
        browser.visit(&console(&stack, "/sign-in")).await;
        nothing_is_found(&browser, "sign-in").await;
        send_key(&browser, "wrong").await;
        nothing_is_found(&browser, "a wrong key").await;
        sign_in(&browser, &stack).await;
        each_page_is_well(&browser, &stack, &person).await;
        browser.visit(&console(&stack, "/checks")).await;
        click(&browser, "[name=run]").await;
        shows(&browser, ".findings li").await;
        nothing_is_found(&browser, "findings").await;
        browser.close(&["/console"]).await;
    }
    let ban = format!(
        "{}/v1/members/{}/ban",
        stack.gateways[0].internal, person.openid
    );
    let http = http_client::build(PATIENCE).expect("a client");
    let answer = http.put(ban).bearer_auth(API_KEY).send().await;
    assert_eq!(answer.expect("the gateway answers").status(), 204);
    for language in LANGUAGES {
        let browser = Browser::speaking(language, &stack.log).await;
        sign_in(&browser, &stack).await;
        let of_person = format!("/members/{}", person.openid);
        browser.visit(&console(&stack, &of_person)).await;
        nothing_is_found(&browser, "a banned person").await;
        browser.close(&[]).await;
    }
}

#[tokio::test]
async fn on_no_page_where_there_is_nothing_yet_nor_when_the_key_is_locked() {
    let plan = Plan::default().gateway("GATEWAY__EVENTS__KEEP_DAYS", "0");
    let stack = plan.start().await;
    for language in LANGUAGES {
        let browser = Browser::speaking(language, &stack.log).await;
        sign_in(&browser, &stack).await;
        for path in ["/members", "/webhooks", "/activity"] {
            browser.visit(&console(&stack, path)).await;
            nothing_is_found(&browser, path).await;
        }
        browser.close(&[]).await;
    }
    let browser = Browser::start(&stack.log).await;
    browser.visit(&console(&stack, "/sign-in")).await;
    let http = http_client::build(PATIENCE).expect("a client");
    for _ in 0..10 {
        let sent = http
            .post(console(&stack, "/sign-in"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("key=wrong");
        let answer = sent.send().await.expect("the gateway answers");
        assert_eq!(answer.status(), 403);
    }
    send_key(&browser, "wrong").await;
    nothing_is_found(&browser, "locked").await;
    browser.close(&["/console/sign-in"]).await;
}

#[tokio::test]
async fn on_no_page_of_a_sign_in_by_wechat() {
    let (stack, owner) = with_an_owner().await;
    for language in LANGUAGES {
        let browser = Browser::speaking(language, &stack.log).await;
        let content = ask_for_code(&browser, &stack).await;
        nothing_is_found(&browser, "a code").await;
        stack.wechat.scan(&owner, &content).await;
        shows(&browser, ".scan .note").await;
        nothing_is_found(&browser, "scanned").await;
        browser.visit(&console(&stack, "/sign-in/wechat")).await;
        shows(&browser, "[name=wechat]").await;
        nothing_is_found(&browser, "over").await;
        browser.close(&[]).await;
    }
}
