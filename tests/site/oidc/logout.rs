//! Signing out: at the client's wish, and telling the clients.

use std::net::SocketAddr;

use reqwest::{Method, header::LOCATION};
use serde_json::{Value, json};
use system_tests::{deadline::PATIENCE, stack::Stack};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

use super::client::{
    Client, authorize_path, authorized, claims, header, location, of_app, of_wiki, plan, query,
    text,
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

async fn id_token(stack: &Stack, visitor: &mut system_tests::visitor::Visitor) -> String {
    let person = stack.wechat.person("小林", true).await;
    let answer = authorized(stack, visitor, &person, &of_wiki()).await;
    let tokens = Client::of(stack).exchange(&answer["code"]).await.json;
    text(&tokens, "id_token")
}

fn logout(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    format!("/oidc/logout?{}", super::client::encoded(fields))
}

const BYE: &str = "https://wiki.example.com/bye";

#[tokio::test]
async fn with_a_hint_of_this_session_nobody_is_asked() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let hint = id_token(&stack, &mut visitor).await;
    let path = logout(&[
        ("id_token_hint", &hint),
        ("post_logout_redirect_uri", BYE),
        ("state", "s 1"),
    ]);
    let answer = visitor.call(Method::GET, &path).await;
    assert_eq!(location(&answer), format!("{BYE}?state=s+1"));
    assert!(visitor.session().await.is_none());
    // Somebody without a session goes back all the same.
    let answer = visitor.call(Method::GET, &path).await;
    assert_eq!(location(&answer), format!("{BYE}?state=s+1"));
    let answer = visitor.call(Method::GET, "/oidc/logout").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_a_good_hint_the_visitor_is_asked() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let mut stranger = stack.visitor();
    let theirs = id_token(&stack, &mut stranger).await;
    let own = id_token(&stack, &mut visitor).await;
    let forged = format!(
        "{}.{}",
        own.rsplit_once('.').unwrap().0,
        theirs.rsplit_once('.').unwrap().1
    );
    let named = [("client_id", "wiki"), ("post_logout_redirect_uri", BYE)];
    for hint in ["", "x", &theirs, &forged] {
        let fields = [named[0], named[1], ("state", "s"), ("id_token_hint", hint)];
        let answer = visitor.call(Method::GET, &logout(&fields)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.contains("退出登录？"), "{}", answer.text);
        assert!(answer.text.contains("小林的维基"), "{}", answer.text);
        assert!(visitor.session().await.is_some());
    }
    // Its form alone signs out, and only from a page of ours.
    let form =
        "client_id=wiki&state=s&post_logout_redirect_uri=https%3A%2F%2Fwiki.example.com%2Fbye";
    let mut foreign = visitor.clone();
    for origin in ["https://evil.example", "null"] {
        foreign.set_header("origin", origin);
        let answer = foreign
            .post_form("/oidc/logout/confirmed", form.to_owned())
            .await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    assert!(visitor.session().await.is_some());
    visitor.set_header("origin", "http://localhost");
    let answer = visitor
        .post_form("/oidc/logout/confirmed", form.to_owned())
        .await;
    assert_eq!(location(&answer), format!("{BYE}?state=s"));
    assert!(visitor.session().await.is_none());
}

#[tokio::test]
async fn a_wrong_address_afterwards_is_a_page_and_signs_nobody_out() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let hint = id_token(&stack, &mut visitor).await;
    for fields in [
        vec![
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", "https://evil.example/"),
        ],
        vec![
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", "https://wiki.example.com/bye/"),
        ],
        vec![("client_id", "app"), ("post_logout_redirect_uri", BYE)],
        vec![("client_id", "other"), ("post_logout_redirect_uri", BYE)],
        vec![("post_logout_redirect_uri", BYE)],
        vec![("id_token_hint", &hint), ("client_id", "app")],
    ] {
        let answer = visitor.call(Method::GET, &logout(&fields)).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.headers.get(LOCATION).is_none());
        assert!(visitor.session().await.is_some());
    }
}

#[tokio::test]
async fn a_form_of_the_clients_page_signs_out_too() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let hint = id_token(&stack, &mut visitor).await;
    visitor.set_header("origin", "https://wiki.example.com");
    let form = logout(&[("id_token_hint", &hint)]);
    let form = form.split_once('?').unwrap().1.to_owned();
    let answer = visitor.post_form("/oidc/logout", form).await;
    let onwards = super::client::path(&location(&answer));
    let answer = visitor.call(Method::GET, &onwards).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(visitor.session().await.is_none());
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
    assert_eq!(refused, token);
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
    let sid = async |answer: &std::collections::BTreeMap<String, String>| {
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
