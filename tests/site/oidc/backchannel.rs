//! Telling clients that a session has ended (Back-Channel Logout 1.0).

use std::{collections::BTreeMap, net::SocketAddr};

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    deadline::{PATIENCE, eventually},
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    visitor::Visitor,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

use super::{
    client::{
        Client, authorize_path, authorized, claims, header, location, of_app, of_wiki, plan, query,
        text,
    },
    logout::{id_token, logout},
};

/// A client's back-channel address.
struct Listener(TcpListener);

impl Listener {
    async fn new() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        (Self(listener), address)
    }

    /// The next request's logout token; answered with this status.
    async fn next(&self, status: &str) -> String {
        let heard = async {
            let (mut stream, _) = self.0.accept().await.expect("a connection");
            let mut received = Vec::new();
            loop {
                let text = String::from_utf8_lossy(&received).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let head = head.to_lowercase();
                    assert!(head.starts_with("post /logout?a=b http/1.1"), "{head}");
                    assert!(head.contains("application/x-www-form-urlencoded"), "{head}");
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: "))
                        .expect("a length");
                    if body.len() == length.parse::<usize>().expect("a number") {
                        let answer = format!(
                            "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        );
                        stream.write_all(answer.as_bytes()).await.expect("it reads");
                        return body
                            .strip_prefix("logout_token=")
                            .expect("a token")
                            .to_owned();
                    }
                }
                stream.read_buf(&mut received).await.expect("it sends");
            }
        };
        timeout(PATIENCE, heard)
            .await
            .expect("a logout token in time")
    }
}

#[tokio::test]
async fn the_clients_of_a_session_hear_of_its_end_and_a_deaf_one_holds_nobody_up() {
    let (listener, address) = Listener::new().await;
    let (deaf, silent) = Listener::new().await;
    let plan = plan()
        .site(
            "SITE__CLIENT__WIKI__BACKCHANNEL_LOGOUT_URI",
            &format!("http://{address}/logout?a=b"),
        )
        .site(
            "SITE__CLIENT__APP__BACKCHANNEL_LOGOUT_URI",
            &format!("http://{silent}/"),
        );
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    let hint = id_token(&stack, &mut visitor).await;
    visitor.call(Method::GET, &authorize_path(&of_app())).await;
    let answer = visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204);
    // The first answer is a failure: it is told again.
    let refused = listener.next("500 Internal Server Error").await;
    let token = listener.next("200 OK").await;
    assert_eq!(claims(&refused)["jti"], claims(&token)["jti"]);
    drop(deaf);

    assert_eq!(header(&token)["typ"], "logout+jwt");
    let [said, before] = [&token, &hint].map(|token| claims(token));
    for claim in ["iss", "sub", "aud", "sid"] {
        assert_eq!(said[claim], before[claim], "{claim}");
    }
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(said["events"], json!({ event: {} }));
    assert_eq!(said["nonce"], Value::Null);
    assert!(!text(&said, "jti").is_empty());
    assert!(said["exp"].as_i64() > said["iat"].as_i64());
    // A logout token is no hint.
    let mut visitor = stack.visitor();
    id_token(&stack, &mut visitor).await;
    let answer = visitor
        .call(Method::GET, &logout(&[("id_token_hint", &token)]))
        .await;
    assert!(answer.text.contains("退出登录？"), "{}", answer.text);
}

#[tokio::test]
async fn signing_out_everywhere_and_the_next_login_are_told_as_well() {
    let (listener, address) = Listener::new().await;
    let uri = format!("http://{address}/logout?a=b");
    let plan = plan().site("SITE__CLIENT__WIKI__BACKCHANNEL_LOGOUT_URI", &uri);
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let sid = async |answer: &BTreeMap<String, String>| {
        let tokens = client.exchange(&answer["code"]).await.json;
        claims(&text(&tokens, "id_token"))["sid"].clone()
    };
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let first = sid(&answer).await;
    // The same browser logs in again.
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    assert_eq!(claims(&listener.next("200 OK").await)["sid"], first);

    let answer = visitor.call(Method::GET, &authorize_path(&of_wiki())).await;
    let second = sid(&query(&location(&answer))).await;
    assert_ne!(first, second);
    let mut elsewhere = crate::session::signed_in(&stack, &person).await;
    elsewhere.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(
        claims(&listener.next("204 No Content").await)["sid"],
        second
    );
}

/// `wiki` and `app`, which are told.
async fn told(plan: Plan) -> (Plan, Listener, Listener) {
    let (wiki, wiki_address) = Listener::new().await;
    let (app, app_address) = Listener::new().await;
    let plan = plan
        .site(
            "SITE__CLIENT__WIKI__BACKCHANNEL_LOGOUT_URI",
            &format!("http://{wiki_address}/logout?a=b"),
        )
        .site(
            "SITE__CLIENT__APP__BACKCHANNEL_LOGOUT_URI",
            &format!("http://{app_address}/logout?a=b"),
        );
    (plan, wiki, app)
}

/// Somebody at both clients: the sid that each knows.
async fn at_both(stack: &Stack, visitor: &mut Visitor, person: &Person) -> [Value; 2] {
    let client = Client::of(stack);
    let answer = authorized(stack, visitor, person, &of_wiki()).await;
    let of_wiki = client.exchange(&answer["code"]).await.json;
    let answer = visitor.call(Method::GET, &authorize_path(&of_app())).await;
    let code = query(&location(&answer))["code"].clone();
    let of_app = client.exchanged_by_app(&code).await;
    [of_wiki, of_app].map(|tokens| claims(&text(&tokens, "id_token"))["sid"].clone())
}

/// What the owner does by the gateway's internal API.
async fn owner(stack: &Stack, method: Method, path: &str) {
    let http = service_kit::http_client::build(PATIENCE).expect("a client");
    let url = format!("{}{path}", stack.gateways[0].internal);
    let answer = http.request(method, url).bearer_auth(API_KEY).send().await;
    let status = answer.expect("the gateway answers").status();
    assert!(status.is_success(), "{status}");
}

/// Nothing waits to be told. (What a client doesn't answer waits for a minute.)
async fn all_is_told(stack: &Stack) {
    eventually("all is told", async || {
        let mut waiting = 0;
        for queue in ["oidc-endings", "oidc-logouts"] {
            let pattern = format!("wechat-login:{queue}:*");
            let found: Vec<String> = stack.redis.command(&["KEYS", &pattern]).await;
            waiting += found.len();
        }
        (waiting == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whatever_the_owner_ends_the_clients_hear_of() {
    let (plan, wiki, app) = told(plan()).await;
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let member = format!("/v1/members/{}", person.openid);
    for (method, below) in [
        (Method::DELETE, "/sessions"),
        (Method::DELETE, "/sessions/{id}"),
        (Method::PUT, "/ban"),
        (Method::DELETE, ""),
    ] {
        let mut visitor = stack.visitor();
        let [of_wiki, of_app] = at_both(&stack, &mut visitor, &person).await;
        let sessions = stack.internal(&format!("{member}/sessions")).await;
        let id = sessions["sessions"][0]["id"].as_str().expect("an id");
        let path = format!("{member}{}", below.replace("{id}", id));
        owner(&stack, method, &path).await;
        for (listener, sid) in [(&wiki, of_wiki), (&app, of_app)] {
            assert_eq!(claims(&listener.next("200 OK").await)["sid"], sid, "{path}");
        }
        assert!(visitor.session().await.is_none());
        if below == "/ban" {
            owner(&stack, Method::DELETE, &format!("{member}/ban")).await;
        }
    }
    // Of whoever was erased nothing is left, not even of what was told.
    all_is_told(&stack).await;
    for key in ["client-uses", "oidc-grant"] {
        let pattern = format!("wechat-login:{key}:*");
        let found: Vec<String> = stack.redis.command(&["KEYS", &pattern]).await;
        assert_eq!(found, [""; 0]);
    }
}

#[tokio::test]
async fn a_session_that_is_ended_from_elsewhere_is_told() {
    let (plan, wiki, app) = told(plan()).await;
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let sids = at_both(&stack, &mut visitor, &person).await;
    let mut elsewhere = crate::session::signed_in(&stack, &person).await;
    let listed = elsewhere.call(Method::GET, "/api/sessions").await.json;
    let sessions = listed["sessions"].as_array().expect("a list");
    let other = sessions
        .iter()
        .find(|session| session["current"] == false)
        .expect("the other one");
    let path = format!("/api/sessions/{}", text(other, "id"));
    assert_eq!(elsewhere.call(Method::DELETE, &path).await.status, 204);
    for (listener, sid) in [&wiki, &app].into_iter().zip(sids) {
        assert_eq!(claims(&listener.next("200 OK").await)["sid"], sid);
    }
}

#[tokio::test]
async fn an_unfollow_is_told_to_clients_that_require_following() {
    let (plan, wiki, app) = told(plan()).await;
    let plan = plan.site("SITE__CLIENT__WIKI__REQUIRE_FOLLOWING", "true");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let [of_wiki, of_app] = at_both(&stack, &mut visitor, &person).await;
    stack.wechat.unfollow(&person).await;
    assert_eq!(claims(&wiki.next("200 OK").await)["sid"], of_wiki);
    all_is_told(&stack).await;
    // The session goes on, and its end is told to the other one alone.
    assert!(visitor.session().await.is_some());
    visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!(claims(&app.next("200 OK").await)["sid"], of_app);
    all_is_told(&stack).await;
}

#[tokio::test]
async fn an_unfollow_that_ends_sessions_is_told_to_all_their_clients() {
    let (plan, wiki, app) = told(plan()).await;
    let plan = plan.site("SITE__SESSION__END_ON_UNFOLLOW", "true");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let sids = at_both(&stack, &mut visitor, &person).await;
    stack.wechat.unfollow(&person).await;
    for (listener, sid) in [&wiki, &app].into_iter().zip(sids) {
        assert_eq!(claims(&listener.next("200 OK").await)["sid"], sid);
    }
    assert!(visitor.session().await.is_none());
}

#[tokio::test]
async fn what_ends_while_no_site_runs_is_told_by_the_next_one() {
    let (plan, wiki, app) = told(plan()).await;
    let mut stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let [of_wiki, of_app] = at_both(&stack, &mut visitor, &person).await;
    // One is told once, and refuses.
    visitor.call(Method::DELETE, "/api/session").await;
    let refused = wiki.next("503 Service Unavailable").await;
    assert_eq!(claims(&app.next("200 OK").await)["sid"], of_app);
    stack.sites[0].process.kill();
    let path = format!("/v1/members/{}/sessions", person.openid);
    owner(&stack, Method::DELETE, &path).await;
    stack.add_site().await;
    let again = wiki.next("200 OK").await;
    assert_eq!(claims(&again)["sid"], of_wiki);
    assert_eq!(claims(&again)["jti"], claims(&refused)["jti"]);
}

#[tokio::test]
async fn a_full_redis_lets_everybody_sign_out_whom_clients_know() {
    let (plan, _wiki, _app) = told(plan()).await;
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let client = Client::of(&stack);
    for path in ["/api/session", "/api/sessions"] {
        let mut visitor = stack.visitor();
        let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
        let tokens = client.exchange(&answer["code"]).await.json;
        let token = text(&tokens, "access_token");
        assert_eq!(client.userinfo(&token).await.status, 200);
        crate::sign_out::fill(&stack).await;
        let answer = visitor.call(Method::DELETE, path).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text);
        assert_eq!(client.userinfo(&token).await.status, 401, "{path}");
        let room = ["CONFIG", "SET", "maxmemory", "0"];
        let _: String = stack.redis.command(&room).await;
        assert!(visitor.session().await.is_none());
    }
}
