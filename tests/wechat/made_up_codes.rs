//! Anybody can invent codes, and in China many phones share an address: those who do harm none of
//! the others.

use serde_json::json;
use system_tests::{stack::Plan, visitor::Visitor};
use url::Url;

use crate::{
    phone_browser::{PhoneBrowser, location, sent_to_wechat, with},
    profile::open,
    tap::{scanned, tap_mode},
};

const EXCHANGE: &str = "/sns/oauth2/access_token";

/// Two hundred of each of five ways to bring codes that nobody made, all from one address.
async fn attack(gateway: &str, site: &str, link: &str) {
    let mut phone = PhoneBrowser {
        visitor: Visitor::new(gateway),
    };
    let profile = phone
        .begins(&format!("{gateway}/wechat/oauth/profile"))
        .await;
    let return_to = |authorize_url: &Url| {
        let parameter = |wanted: &str| {
            let found = authorize_url.query_pairs().find(|(name, _)| name == wanted);
            found.expect("it is there").1.into_owned()
        };
        let back = Url::parse(&parameter("redirect_uri")).expect("an address");
        with(&back, "state", Some(&parameter("state")))
    };
    // With a cookie and a state of the attacker's own.
    let own = return_to(&profile);
    // Without, at the gateway's pages and the site's.
    let strays = [
        return_to(&profile),
        with(&Url::parse(link).expect("an address"), "state", None),
        Url::parse(&format!("{site}/login/wechat?state=a")).expect("an address"),
    ];
    let mut site = PhoneBrowser {
        visitor: Visitor::new(site),
    };
    for number in 0..200 {
        let code = format!("profile{number}");
        phone.get(&with(&own, "code", Some(&code))).await;
        // Each time for another login that isn't.
        let scene = format!("login_{number:0>43}");
        let link = format!("{gateway}/wechat/oauth/confirm?scene={scene}");
        let own = return_to(&phone.begins(&link).await);
        let code = format!("confirm{number}");
        phone.get(&with(&own, "code", Some(&code))).await;
        for (way, address) in strays.iter().enumerate() {
            let code = format!("stray{way}x{number}");
            let address = with(address, "code", Some(&code));
            if address.path() == "/login/wechat" {
                site.get(&address).await;
            } else {
                let mut nobody = PhoneBrowser {
                    visitor: Visitor::new(gateway),
                };
                nobody.get(&address).await;
            }
        }
    }
}

#[tokio::test]
async fn behind_the_address_of_an_attacker_an_honest_phone_confirms() {
    let stack = tap_mode().await;
    let (gateway, site) = (&stack.gateways[0].public, &stack.sites[0].public);
    let nowhere = format!("{gateway}/wechat/oauth/confirm/return?scene=none");
    attack(gateway, site, &nowhere).await;
    let tried = stack.wechat.calls(EXCHANGE).await;
    assert!(tried <= 30, "{tried} of a thousand were tried");
    // Everybody here has the address of the attacker.
    for _ in 0..3 {
        let person = stack.wechat.person("小林", true).await;
        let (mut visitor, link) = scanned(&stack, &person).await;
        let confirm = json!({ "url": link, "form": { "decision": "confirm" } });
        let page = open(&stack, &person, confirm).await;
        assert!(
            page["body"].as_str().unwrap().contains("已确认登录"),
            "{page}"
        );
        assert_eq!(visitor.complete().await["openid"], person.openid);
    }
}

#[tokio::test]
async fn the_codes_of_one_login_are_bounded_and_honest_ones_dont_count() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    // More often than codes may be refused.
    for _ in 0..8 {
        let back = phone.goes(&stack, &person, &link).await;
        assert!(location(&phone.get(&back).await).starts_with("decision?"));
    }
    let back = phone.goes(&stack, &person, &link).await;
    let before = stack.wechat.calls(EXCHANGE).await;
    for number in 0..9 {
        let code = format!("invented{number}");
        let answer = phone.get(&with(&back, "code", Some(&code))).await;
        if number < 5 {
            sent_to_wechat(&answer);
        } else {
            assert_eq!(answer.status, 429, "{}", answer.text);
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    assert_eq!(stack.wechat.calls(EXCHANGE).await - before, 5);
    assert_eq!(visitor.status().await, "scanned");
    // Another login of the same person has a share of its own.
    let (mut visitor, link) = scanned(&stack, &person).await;
    let asking = phone.is_asked(&stack, &person, &link).await;
    assert_eq!(phone.presses(&asking, "confirm").await.status, 200);
    visitor.complete().await;
}

#[tokio::test]
async fn an_address_from_which_many_show_their_nickname_is_no_attacker() {
    let mut stack = Plan::default().sites(0).start().await;
    stack.publish_gateway().await;
    let link = format!("{}/wechat/oauth/profile", stack.gateways[0].public);
    for _ in 0..35 {
        let person = stack.wechat.person("小林", true).await;
        let page = open(&stack, &person, json!({ "url": link })).await;
        assert_eq!(page["status"], 200, "{page}");
    }
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 35);
}
