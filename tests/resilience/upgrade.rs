//! An upgrade in mid-login. Redis holds what the version before left there, written by its own
//! binaries; today's gateway and site start on it, and browsers and phones go on where they were.

use harness::{
    older,
    phone::{Mode, Phone},
    ports,
};
use login_protocol::scene::{BrowserSecret, Scene};
use reqwest::Method;
use serde_json::Value;
use system_tests::{
    deadline::PATIENCE,
    older_records::{Browser, OlderRecords},
    simulator::Person,
    stack::{Plan, Stack},
    visitor::{ATTEMPT_COOKIE, SESSION_COOKIE, Visitor},
};
use url::Url;

const TOKEN_CALLS: [&str; 2] = ["/cgi-bin/stable_token", "/cgi-bin/token"];

/// A deployment after its upgrade.
struct Upgraded {
    stack: Stack,
    records: OlderRecords,
}

impl Upgraded {
    async fn start() -> Self {
        let public = ports::local(ports::free()).to_string();
        let plan = Plan::default()
            .gateways(0)
            .sites(0)
            .gateway("GATEWAY__PUBLIC__BIND", &public)
            .gateway("GATEWAY__PUBLIC__URL", &format!("http://{public}"));
        let mut stack = plan.start().await;
        let records = OlderRecords::read(older::COMMIT);
        records.load(&stack.redis).await;
        stack.add_gateway().await;
        stack.push_to(0).await;
        stack.add_site().await;
        Self { stack, records }
    }

    fn browser(&self, name: &str) -> (&Browser, Visitor) {
        let browser = &self.records.browsers[name];
        (browser, browser.visitor(&self.stack))
    }

    /// The simulator of today doesn't know the codes of before, so WeChat's push is made here.
    async fn is_scanned(&self, openid: &str, visitor: &mut Visitor) {
        let push = Phone::default();
        let push = push.sign(&push.scan(openid, &scene(visitor)), Mode::Safe);
        let gateway = &self.stack.gateways[0].public;
        let http = service_kit::http_client::build(PATIENCE).expect("a client can be made");
        let answer = http
            .post(format!("{gateway}/wechat/callback?{}", push.query()))
            .header("content-type", "text/xml")
            .body(push.body)
            .send()
            .await
            .expect("the gateway answers");
        assert_eq!(answer.status(), 200);
    }

    /// Whoever had a token before the upgrade needs no other one.
    async fn no_token_was_asked_for(&self) {
        for call in TOKEN_CALLS {
            assert_eq!(self.stack.wechat.calls(call).await, 0, "{call}");
        }
    }
}

fn scene(visitor: &mut Visitor) -> Scene {
    let secret = BrowserSecret::parse(&visitor.cookies()[ATTEMPT_COOKIE]);
    secret.expect("it is a secret").scene()
}

/// The browser gets its session, and is signed in as this person.
async fn completes(visitor: &mut Visitor, openid: &str) {
    assert_eq!(visitor.complete().await["openid"], openid);
    let user = visitor.session().await.expect("signed in");
    assert_eq!(user["openid"], openid);
    assert!(user["sub"].is_string(), "{user}");
}

#[tokio::test]
async fn a_code_that_was_shown_before_an_upgrade_is_scanned_after_it() {
    let upgraded = Upgraded::start().await;
    let (browser, mut visitor) = upgraded.browser("waiting");
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    // A reload shows the same code.
    assert_eq!(visitor.start_login().await, browser.content);
    upgraded.is_scanned(&browser.openid, &mut visitor).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    completes(&mut visitor, &browser.openid).await;
    upgraded.no_token_was_asked_for().await;
}

#[tokio::test]
async fn a_login_that_was_confirmed_before_an_upgrade_is_completed_after_it() {
    let upgraded = Upgraded::start().await;
    let (browser, mut visitor) = upgraded.browser("confirmed");
    assert_eq!(visitor.status().await, "confirmed");
    completes(&mut visitor, &browser.openid).await;
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_before_an_upgrade_is_repeated_after_it() {
    let upgraded = Upgraded::start().await;
    let (browser, mut visitor) = upgraded.browser("answer_lost");
    completes(&mut visitor, &browser.openid).await;
    let session = visitor.cookies().get(SESSION_COOKIE);
    assert_eq!(session, browser.lost_session.as_ref(), "the same session");
}

#[tokio::test]
async fn a_session_of_before_an_upgrade_goes_on_until_it_is_ended() {
    let upgraded = Upgraded::start().await;
    let (browser, mut visitor) = upgraded.browser("signed_in");
    let user = visitor.session().await.expect("still signed in");
    assert_eq!(user["openid"], browser.openid);
    assert_eq!(user["nickname"], "小林");
    assert!(user["sub"].is_string(), "{user}");
    assert_eq!(visitor.session().await, Some(user));
    let mut copy = visitor.clone();
    let answer = visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(copy.session().await, None);
}

#[tokio::test]
async fn who_signed_out_everywhere_before_an_upgrade_stays_signed_out() {
    let upgraded = Upgraded::start().await;
    let (_, mut visitor) = upgraded.browser("signed_out_everywhere");
    assert!(visitor.cookies().contains_key(SESSION_COOKIE));
    assert_eq!(visitor.session().await, None);
}

#[tokio::test]
async fn a_scan_that_waits_for_its_confirmation_is_confirmed_after_an_upgrade() {
    let upgraded = Upgraded::start().await;
    let (browser, mut visitor) = upgraded.browser("scanned");
    assert_eq!(visitor.status().await, "scanned");
    let wechat = &upgraded.stack.wechat;
    let person = wechat.known_person("小陈", &browser.openid).await;
    let scene = scene(&mut visitor);
    let page = confirms(&upgraded.stack, &person, &scene).await;
    assert!(
        page["body"]
            .as_str()
            .is_some_and(|page| page.contains("已确认登录")),
        "{page}"
    );
    completes(&mut visitor, &browser.openid).await;
}

/// Opens the link of the reply that came before the upgrade, and presses the button.
async fn confirms(stack: &Stack, person: &Person, scene: &Scene) -> Value {
    let gateway = &stack.gateways[0].public;
    let link = format!("{gateway}/wechat/oauth/confirm?scene={}", scene.as_str());
    let pressed = serde_json::json!({ "url": link, "form": { "decision": "confirm" } });
    let path = format!("/simulator/people/{}/open", person.id);
    stack.wechat.control(Method::POST, &path, pressed).await
}

#[tokio::test]
async fn a_phone_that_was_asked_before_an_upgrade_decides_after_it() {
    let upgraded = Upgraded::start().await;
    let (browser, mut visitor) = upgraded.browser("deciding");
    let asked = browser.phone.as_ref().expect("there is a phone");
    let mut phone = asked.visitor(&upgraded.stack);
    // WeChat's double redirect and the back button lead to the same question; the code is spent
    // long since.
    let again = phone.call(Method::GET, &asked.back).await;
    assert_eq!(again.status, 302, "{}", again.text);
    assert_eq!(again.headers["location"], asked.asking.as_str());
    let address = Url::parse(&upgraded.stack.gateways[0].public).expect("an address");
    let address = address
        .join(&asked.back)
        .and_then(|back| back.join(&asked.asking));
    let address = address.expect("an address");
    let query = address.query().expect("it names the ticket");
    let page = phone
        .call(Method::GET, &format!("{}?{query}", address.path()))
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    let mut thief = Visitor::new(&upgraded.stack.gateways[0].public);
    let pressed = format!("{query}&decision=confirm");
    let answer = thief.post_form(address.path(), pressed.clone()).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    let answer = phone.post_form(address.path(), pressed).await;
    assert!(answer.text.contains("已确认登录"), "{}", answer.text);
    completes(&mut visitor, &browser.openid).await;
}

/// A token that the simulator of today has never given is refused by it, so nothing may need one
/// here.
#[tokio::test]
async fn the_token_and_the_members_of_before_an_upgrade_are_used() {
    let upgraded = Upgraded::start().await;
    let stack = &upgraded.stack;
    let token = stack.internal("/v1/access-token").await;
    let kept = upgraded
        .records
        .field("wechat-login:access-token:", "token");
    assert_eq!(token["access_token"], kept);
    for browser in upgraded.records.browsers.values() {
        let member = stack
            .internal(&format!("/v1/members/{}", browser.openid))
            .await;
        assert_eq!(member["subscribed"], true, "{member}");
        assert!(member["nickname"].is_string(), "{member}");
    }
    // Whose profile is known isn't asked about again.
    let (browser, mut visitor) = upgraded.browser("waiting");
    upgraded.is_scanned(&browser.openid, &mut visitor).await;
    assert_eq!(visitor.complete().await["nickname"], "小林");
    assert_eq!(stack.wechat.calls("/cgi-bin/user/info").await, 0);
    upgraded.no_token_was_asked_for().await;
}
