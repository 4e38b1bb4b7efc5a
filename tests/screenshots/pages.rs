//! The pages that a phone opens: from the account's reply, and after a login inside WeChat that
//! failed.

use system_tests::{
    browser::Browser,
    phone_tab::WECHAT,
    simulator::Person,
    stack::{Plan, Stack},
};

use crate::album::{Album, Look};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/150.0.0.0 Safari/537.36";

/// Whoever confirms has yet to show nickname and avatar.
pub(crate) async fn start() -> Stack {
    let mut stack = Plan::default()
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap")
        .gateway("GATEWAY__REPLY__SITE_NAME", "花店")
        .simulator("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "false")
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .start()
        .await;
    stack.publish_gateway().await;
    stack
}

pub(crate) async fn take(stack: &Stack, album: &Album, look: Look) {
    let browser = Browser::speaking(look.language, &stack.log).await;
    browser.pose(look.screen, look.dark).await;
    browser.call_itself(WECHAT).await;
    let person = stack.wechat.person("小雨", true).await;
    let stranger = stack.wechat.person("路人", true).await;

    browser.belongs_to(&stranger, &stack.wechat).await;
    browser.visit(&scanned(stack, &person).await).await;
    album.keep(look, "page-1-somebody-elses", &browser).await;
    browser.belongs_to(&person, &stack.wechat).await;
    browser.visit(&scanned(stack, &person).await).await;
    album.keep(look, "page-2-decision", &browser).await;
    browser.press("deny").await;
    album.keep(look, "page-3-denied", &browser).await;
    browser.visit(&scanned(stack, &person).await).await;
    browser.press("confirm").await;
    album.keep(look, "page-4-confirmed", &browser).await;
    let gateway = &stack.gateways[0].public;
    for (path, name) in [
        ("thanks", "page-5-thanks"),
        ("follow-first", "page-6-follow-first"),
        ("confirm/decision?ticket=none", "page-7-over"),
        ("confirm?scene=none", "page-8-broken-link"),
    ] {
        browser
            .visit(&format!("{gateway}/wechat/oauth/{path}"))
            .await;
        album.keep(look, name, &browser).await;
    }
    let site = &stack.sites[0].public;
    for because in [
        "elsewhere",
        "declined",
        "snapshot",
        "over",
        "spent_code",
        "unavailable",
    ] {
        let address = format!("{site}/login/wechat/stopped?because={because}&return_to=/");
        browser.visit(&address).await;
        album
            .keep(look, &format!("page-9-{because}"), &browser)
            .await;
    }
    let address = format!("{site}/login/wechat/stopped/?because=over&return_to=/");
    browser.visit(&address).await;
    album.keep(look, "page-10-slash", &browser).await;
    // A broken link is answered 400.
    browser.close(&["/wechat/oauth/confirm?scene=none"]).await;
}

/// The link in the reply to a scan.
async fn scanned(stack: &Stack, person: &Person) -> String {
    let mut visitor = stack.visitor();
    visitor.set_header("user-agent", CHROME);
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    visitor.status_becomes("scanned").await;
    let chat = stack.wechat.chat(person).await;
    let link = chat.last().and_then(|line| line.split('"').nth(1));
    link.expect("the reply holds a link").to_owned()
}
