//! Signing out at the client's wish.

use reqwest::{Method, header::LOCATION};
use system_tests::stack::Stack;

use super::client::{Client, authorize_path, authorized, location, of_app, of_wiki, plan, text};

pub(super) async fn id_token(
    stack: &Stack,
    visitor: &mut system_tests::visitor::Visitor,
) -> String {
    let person = stack.wechat.person("小林", true).await;
    let answer = authorized(stack, visitor, &person, &of_wiki()).await;
    let tokens = Client::of(stack).exchange(&answer["code"]).await.json;
    text(&tokens, "id_token")
}

pub(super) fn logout(fields: &[(&str, &str)]) -> String {
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
    // Nobody knows who wants it: the visitor is asked, and stays here.
    for hint in ["x", &forged] {
        let fields = [named[1], ("state", "s"), ("id_token_hint", hint)];
        let answer = visitor.call(Method::GET, &logout(&fields)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.contains("退出登录？"), "{}", answer.text);
        assert!(!answer.text.contains(BYE), "{}", answer.text);
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

/// Browsers hold where a form's answer leads to against the form.
#[tokio::test]
async fn an_apps_own_scheme_is_led_to_after_a_logout_and_gets_no_forms() {
    let app = "com.example.app:/out";
    let plan = plan()
        .site("SITE__CLIENT__APP__POST_LOGOUT_REDIRECT_URIS", app)
        .site("SITE__CLIENT__APP__REDIRECT_URIS", app);
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = crate::session::signed_in(&stack, &person).await;
    let path = format!("/oidc/logout?client_id=app&post_logout_redirect_uri={app}");
    let asked = visitor.call(Method::GET, &path).await;
    let policy = crate::answers::header(&asked.headers, "content-security-policy");
    assert!(
        policy.contains("form-action 'self' https: http: com.example.app:;"),
        "{policy}"
    );
    let mut fields = of_app();
    fields.insert("redirect_uri", app.to_owned());
    fields.insert("response_mode", "form_post".to_owned());
    let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
    let refused = answer.headers["location"].to_str().unwrap();
    assert!(
        refused.starts_with(app) && refused.contains("error=invalid_request"),
        "{refused}"
    );
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
