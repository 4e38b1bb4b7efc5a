//! Several accounts and several sites on one gateway and one Redis, in browsers: each phone reads
//! its own site's name, each site's rule holds, and an account that is broken the whole time keeps
//! no other from logging in.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    browser::Browser,
    login_page::LoginPage,
    simulator::{Person, Simulator},
    stack::{Plan, Stack},
};

const FORUM: usize = 0;
const SHOP: usize = 1;
const BROKEN: usize = 2;

/// A forum at the account that needs no name, where the scan logs in; a shop at the account `shop`,
/// where a press is needed; and a site at an account whose AppSecret is wrong.
async fn three_sites() -> Stack {
    let mut stack = Plan::default()
        .account("shop")
        .account("broken")
        .gateway(
            "GATEWAY__ACCOUNT__BROKEN__APP_SECRET",
            "wrongsecretwrongsecretwrongsecre",
        )
        .gateway("GATEWAY__REPLY__RETURNING", "您已登录{site}")
        .sites(0)
        .start()
        .await;
    stack.publish_gateway().await;
    stack.push_to(0).await;
    let plan = stack.plan.clone();
    for (url, name, approval, account) in [
        ("http://forum.localhost", "论坛", "scan", "default"),
        ("http://shop.localhost", "花店", "tap", "shop"),
        ("http://broken.localhost", "旧站", "scan", "broken"),
    ] {
        stack.plan = plan
            .clone()
            .site("SITE__PUBLIC__URL", url)
            .site("SITE__LOGIN__SITE_NAME", name)
            .site("SITE__LOGIN__APPROVAL", approval)
            .site("SITE__LOGIN__ACCOUNT", account);
        stack.add_site().await;
    }
    stack
}

/// The scene of the newest code of an account.
async fn newest_scene(wechat: &Simulator) -> String {
    let codes = wechat
        .control(Method::GET, "/simulator/codes", Value::Null)
        .await;
    let newest = codes.as_array().and_then(|codes| codes.last()).cloned();
    let newest = newest.unwrap_or_else(|| panic!("there is a code: {codes}"));
    newest["scene"].as_str().expect("it has a scene").to_owned()
}

/// A code of this account with the scene of another one's, and what it says. Whoever has the
/// account's AppSecret can make one.
async fn code_with(wechat: &Simulator, stack: &Stack, account: &str, scene: &str) -> String {
    let path = format!("/v1/access-token?account={account}");
    let token = stack.internal(&path).await;
    let token = token["access_token"].as_str().expect("a token").to_owned();
    let body = json!({
        "expire_seconds": 60, "action_name": "QR_STR_SCENE",
        "action_info": { "scene": { "scene_str": scene } },
    });
    let path = format!("/cgi-bin/qrcode/create?access_token={token}");
    let created = wechat.control(Method::POST, &path, body).await;
    created["url"].as_str().expect("a code").to_owned()
}

async fn reply(wechat: &Simulator, person: &Person) -> String {
    let chat = wechat.chat(person).await;
    chat.last().cloned().expect("the account answered")
}

#[tokio::test]
async fn each_account_and_each_site_keeps_to_itself() {
    let stack = three_sites().await;
    let shop = stack.wechat.account("shop");
    let lin = stack.wechat.person("小林", true).await;
    let yu = shop.person("小雨", true).await;
    // A site's cookies are its own by its host's name; here it is one browser a site.
    let right = Browser::start(&stack.log).await;

    let at_shop = LoginPage::visit(&right, &stack.sites[SHOP].public).await;
    let shop_code = at_shop.open_code().await;
    let shop_scene = newest_scene(&shop).await;

    // Another account's scan moves nothing, whatever scene it bears.
    let forged = code_with(&stack.wechat, &stack, "default", &shop_scene).await;
    stack.wechat.scan(&lin, &forged).await;
    let said = reply(&stack.wechat, &lin).await;
    assert!(said.contains("这次登录已失效"), "{said}");
    assert_eq!(at_shop.state().await, "pending");

    let left = Browser::start(&stack.log).await;
    let at_forum = LoginPage::visit(&left, &stack.sites[FORUM].public).await;
    let forum_code = at_forum.open_code().await;
    stack.wechat.scan(&lin, &forum_code).await;
    at_forum.shows(&lin).await;
    assert!(reply(&stack.wechat, &lin).await.contains("您已登录论坛"));
    left.close(&[]).await;

    shop.scan(&yu, &shop_code).await;
    at_shop.becomes("scanned").await;
    let said = reply(&shop, &yu).await;
    assert!(said.contains("确认登录花店"), "{said}");
    let link = said.split('"').nth(1).expect("the reply holds a link");
    assert!(link.contains("/wechat/shop/oauth/confirm"), "{link}");
    let link = link.replace("&amp;", "&");
    right.belongs_to(&yu, &stack.wechat).await;
    right.open_tab(&link).await;
    right
        .until("document.body.innerText.includes('登录花店')")
        .await;
    right.press("confirm").await;
    right
        .until("document.body.innerText.includes('已确认登录')")
        .await;
    right.go_to_tab(0).await;
    at_shop.shows(&yu).await;
    right.close(&[]).await;

    // The broken one is told so, and the others never noticed.
    let third = Browser::start(&stack.log).await;
    let at_broken = LoginPage::visit(&third, &stack.sites[BROKEN].public).await;
    at_broken.open().await;
    at_broken.becomes("error").await;
    let ready = stack.internal("/readyz").await;
    assert_eq!(ready["accounts"]["shop"], "ready", "{ready}");
    assert_eq!(ready["accounts"]["default"], "ready", "{ready}");
    assert_ne!(ready["accounts"]["broken"], "ready", "{ready}");

    third.close(&["503", "502"]).await;
}
