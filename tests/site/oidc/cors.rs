//! Which pages' scripts may read what.

use reqwest::{
    Method,
    header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN},
};

use super::client::plan;

#[tokio::test]
async fn public_documents_are_anybodys_and_the_rest_is_public_clients_alone() {
    let stack = plan().start().await;
    let own = "http://127.0.0.1:7777";
    let foreign = "https://evil.example";
    // That of a client with a secret, whose pages need nothing.
    let wiki = "https://wiki.example.com";
    let anybody = Some("*");
    for (path, origin, allowed) in [
        ("/.well-known/openid-configuration", foreign, anybody),
        ("/oidc/jwks", foreign, anybody),
        ("/oidc/token", own, Some(own)),
        ("/oidc/userinfo", own, Some(own)),
        ("/oidc/revoke", own, Some(own)),
        ("/oidc/token", foreign, None),
        ("/oidc/token", wiki, None),
        ("/oidc/userinfo", "null", None),
        ("/oidc/introspect", own, None),
        ("/oidc/authorize", own, None),
        ("/oidc/logout", own, None),
        ("/api/session", own, None),
    ] {
        let mut page = stack.visitor();
        page.set_header("origin", origin);
        let mut answers = vec![page.call(Method::GET, path).await];
        page.set_header("access-control-request-method", "POST");
        answers.push(page.call(Method::OPTIONS, path).await);
        for answer in answers {
            let said = answer.headers.get(ACCESS_CONTROL_ALLOW_ORIGIN);
            let said = said.map(|value| value.to_str().unwrap());
            assert_eq!(said, allowed, "{path} {origin} {}", answer.status);
            let credentials = answer.headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS);
            assert!(credentials.is_none(), "{path}");
        }
    }
}

#[tokio::test]
async fn pages_of_anybody_may_post_to_what_knows_no_cookie() {
    let stack = plan().start().await;
    let mut page = stack.visitor();
    page.set_header("origin", "https://evil.example");
    for path in ["/oidc/token", "/oidc/introspect", "/oidc/revoke"] {
        let answer = page.post_form(path, String::new()).await;
        assert_eq!(answer.json["error"], "invalid_client", "{path}");
    }
    let answer = page.call(Method::POST, "/api/login").await;
    crate::answers::assert_problem(&answer, 403, "foreign_origin");
}
