//! What clients do at the edges of the specifications: other methods and media types, parameters
//! that mean nothing here, one client's mistakes beside another's requests.

use reqwest::Method;
use system_tests::stack::{API_KEY, Stack};

use super::client::{
    CALLBACK, Client, SECRET, assert_error, authorize_path, authorized, location, of_wiki,
    page_for, plan, query, text,
};

#[tokio::test]
async fn a_client_that_guesses_holds_up_no_other_at_its_address() {
    let plan = plan()
        .site("SITE__CLIENT__FORUM__SECRET", SECRET)
        .site("SITE__CLIENT__FORUM__REDIRECT_URIS", CALLBACK);
    let stack = plan.start().await;
    let client = Client::of(&stack);
    for _ in 0..60 {
        let answer = client
            .post("/oidc/token", Some(("wiki", "wrong")), [])
            .await;
        assert_eq!(answer.status, 401);
    }
    let code = || {
        [
            ("grant_type", "authorization_code".to_owned()),
            ("code", "x".to_owned()),
        ]
    };
    let of_wiki = client
        .post("/oidc/token", Some(("wiki", SECRET)), code())
        .await;
    assert_error(&of_wiki, 429, "temporarily_unavailable");
    let of_forum = client
        .post("/oidc/token", Some(("forum", SECRET)), code())
        .await;
    assert_error(&of_forum, 400, "invalid_grant");
    // Ten times as many failures of all clients together are too many for each.
    for _ in 0..540 {
        let answer = client
            .post("/oidc/token", Some(("none", "wrong")), [])
            .await;
        assert_eq!(answer.status, 401);
    }
    for id in ["none", "forum"] {
        let answer = client.post("/oidc/token", Some((id, SECRET)), code()).await;
        assert_error(&answer, 429, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn a_refusal_is_counted_for_the_client_that_the_request_names() {
    let stack = plan().start().await;
    let client = Client::of(&stack);
    let token = || [("token", "x".to_owned())];
    for path in ["/oidc/token", "/oidc/introspect", "/oidc/revoke"] {
        for id in ["wiki", "made-up"] {
            let answer = client.post(path, Some((id, "wrong")), token()).await;
            assert_eq!(answer.status, 401);
        }
        let in_form = [token(), [("client_id", "wiki".to_owned())]].concat();
        assert_eq!(client.post(path, None, in_form).await.status, 401);
    }
    let elsewhere = "/oidc/logout?client_id=wiki&post_logout_redirect_uri=https://evil.example/";
    assert_eq!(client.get(elsewhere).await.status, 400);
    let metrics = Client::at(&stack.sites[0].internal).get("/metrics").await;
    for (endpoint, named, reason) in [
        ("token", "wiki", "wrong_secret"),
        ("token", "wiki", "no_secret"),
        ("token", "unknown", "unknown_client"),
        ("introspection", "wiki", "wrong_secret"),
        ("introspection", "wiki", "no_secret"),
        ("introspection", "unknown", "unknown_client"),
        ("revocation", "wiki", "wrong_secret"),
        ("revocation", "wiki", "no_secret"),
        ("revocation", "unknown", "unknown_client"),
        ("logout", "wiki", "unknown_redirect_uri"),
    ] {
        let counted = format!(
            r#"oidc_refusals_total{{endpoint="{endpoint}",client="{named}",reason="{reason}"}} 1"#
        );
        assert!(
            metrics.text.contains(&counted),
            "{counted}: {}",
            metrics.text
        );
    }
    assert!(!metrics.text.contains("made-up"));
}

#[tokio::test]
async fn userinfo_says_how_to_ask_and_looks_at_forms_alone() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let tokens = client.exchange(&answer["code"]).await.json;
    let bearer = format!("Bearer {}", text(&tokens, "access_token"));
    let mut caller = stack.visitor();
    // A form that nobody can read, or with a second token.
    caller.set_header("content-type", "text/plain");
    let unreadable = caller.call(Method::POST, "/oidc/userinfo").await;
    caller.set_header("authorization", &bearer);
    let form = format!("access_token={}", text(&tokens, "access_token"));
    let mut with_form = stack.visitor();
    with_form.set_header("authorization", &bearer);
    let twice = with_form.post_form("/oidc/userinfo", form).await;
    for answer in [&unreadable, &twice] {
        assert_error(answer, 400, "invalid_request");
        let challenge = &answer.headers["www-authenticate"];
        assert_eq!(challenge, "Bearer error=\"invalid_request\"");
    }
    for media_type in ["text/plain", "application/json"] {
        caller.set_header("content-type", media_type);
        let answer = caller.call(Method::POST, "/oidc/userinfo").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let other_form = with_form
        .post_form("/oidc/userinfo", "a=b".to_owned())
        .await;
    assert_eq!(other_form.status, 200, "{}", other_form.text);
}

#[tokio::test]
async fn head_is_answered_where_a_get_has_no_effects() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let client = Client::of(&stack);
    let answer = authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let tokens = client.exchange(&answer["code"]).await.json;
    let mut caller = stack.visitor();
    caller.set_header(
        "authorization",
        &format!("Bearer {}", text(&tokens, "access_token")),
    );
    let head = caller.call(Method::HEAD, "/oidc/userinfo").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-type"], "application/json");
    assert!(head.text.is_empty());
    let logout = format!("/oidc/logout?id_token_hint={}", text(&tokens, "id_token"));
    for (path, allowed) in [
        (authorize_path(&of_wiki()).as_str(), "GET, POST"),
        ("/oidc/login?request=x", "GET"),
        (&logout, "GET, POST"),
    ] {
        let head = visitor.call(Method::HEAD, path).await;
        assert_eq!(head.status, 405, "{path}");
        assert_eq!(head.headers["allow"], allowed);
    }
    assert!(visitor.session().await.is_some());
}

#[tokio::test]
async fn what_is_unknown_may_come_twice_and_what_means_nothing_here_changes_nothing() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let own = authorize_path(&of_wiki());
    for more in [
        "resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2F",
        "made_up=1&made_up=2",
        "display=page",
        "display=popup",
        "login_hint=somebody%40example.com",
        "acr_values=1%202",
        "claims_locales=se",
        "ui_locales=se",
    ] {
        let answer = visitor.call(Method::GET, &format!("{own}&{more}")).await;
        let answer = query(&location(&answer));
        assert!(answer.contains_key("code"), "{more}: {answer:?}");
        assert_eq!(answer["state"], "the state");
    }
    for twice in [
        "display=page&display=page",
        "login_hint=a&login_hint=b",
        "ui_locales=en&ui_locales=en",
    ] {
        let answer = visitor.call(Method::GET, &format!("{own}&{twice}")).await;
        assert_eq!(
            query(&location(&answer))["error"],
            "invalid_request",
            "{twice}"
        );
    }
}

#[tokio::test]
async fn the_page_speaks_the_first_language_of_the_clients_list_that_it_knows() {
    let stack = plan().start().await;
    for (locales, expected) in [
        ("en", "<html lang=\"en\">"),
        ("se fr en-GB zh-CN", "<html lang=\"en\">"),
        ("zh-TW en", "<html lang=\"zh-CN\">"),
        ("se", "<html lang=\"zh-CN\">"),
        ("", "<html lang=\"zh-CN\">"),
    ] {
        let mut visitor = stack.visitor();
        let mut fields = of_wiki();
        fields.insert("ui_locales", locales.to_owned());
        let page = page_for(&mut visitor, &fields).await;
        let shown = visitor.call(Method::GET, &page).await;
        assert!(shown.text.contains(expected), "{locales}: {}", shown.text);
    }
}

#[tokio::test]
async fn discovery_names_the_prompts_that_are_obeyed() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    authorized(&stack, &mut visitor, &person, &of_wiki()).await;
    let client = Client::of(&stack);
    let document = client.get("/.well-known/openid-configuration").await.json;
    let prompts = document["prompt_values_supported"].as_array().unwrap();
    assert_eq!(prompts.len(), 4);
    for prompt in prompts {
        let mut fields = of_wiki();
        let prompt = prompt.as_str().unwrap();
        fields.insert("prompt", prompt.to_owned());
        let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
        let to = location(&answer);
        let asks = matches!(prompt, "login" | "select_account");
        assert_eq!(to.starts_with(CALLBACK), !asks, "{prompt}: {to}");
    }
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
    assert_eq!(
        document["end_session_endpoint"],
        "http://localhost/oidc/logout"
    );
}

/// What the owner does by the gateway's internal API.
async fn ban(stack: &Stack, openid: &str) {
    let url = format!("{}/v1/members/{openid}/ban", stack.gateways[0].internal);
    let http = service_kit::http_client::builder()
        .build()
        .expect("a client");
    let answer = http.put(url).bearer_auth(API_KEY).send().await;
    let status = answer.expect("the gateway answers").status();
    assert!(status.is_success(), "{status}");
}

#[tokio::test]
async fn a_replica_that_never_saw_a_grant_refuses_it_as_well_once_its_login_ended() {
    let plan = plan()
        .sites(2)
        .site("SITE__CLIENT__WIKI__REQUIRE_FOLLOWING", "true");
    let stack = plan.start().await;
    let client = Client::of(&stack);
    let elsewhere = Client::at(&stack.sites[1].public);
    for end in ["sign-out everywhere", "unfollow", "ban"] {
        let person = stack.wechat.person("小林", true).await;
        let mut visitor = stack.visitor();
        let mut fields = of_wiki();
        fields.insert("scope", "openid offline_access".to_owned());
        let answer = authorized(&stack, &mut visitor, &person, &fields).await;
        let tokens = client.exchange(&answer["code"]).await.json;
        let answer = visitor.call(Method::GET, &authorize_path(&fields)).await;
        let unspent = query(&location(&answer))["code"].clone();
        match end {
            "ban" => ban(&stack, &person.openid).await,
            "unfollow" => {
                stack.wechat.unfollow(&person).await;
            }
            _ => {
                visitor.call(Method::DELETE, "/api/sessions").await;
            }
        }
        let [access, refresh] = ["access_token", "refresh_token"].map(|kind| text(&tokens, kind));
        assert_eq!(elsewhere.userinfo(&access).await.status, 401, "{end}");
        assert_error(&elsewhere.refresh(&refresh).await, 400, "invalid_grant");
        assert_error(&elsewhere.exchange(&unspent).await, 400, "invalid_grant");
    }
}
