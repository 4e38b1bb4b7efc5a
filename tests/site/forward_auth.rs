//! Forward authentication: what a proxy is told of a request, and how a browser is signed in on
//! other hosts.

use login_protocol::subject::Subject;
use reqwest::Method;
use system_tests::{
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    visitor::{Answer, Visitor},
};
use url::Url;

use crate::{
    answers::{assert_members, assert_problem, header, set_cookie},
    session::{signed_in, subject},
    web_authorization::{come_back, returning},
};

const ASK: &str = "/api/forward-auth";
const IDENTITY: [&str; 6] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "wechat-openid",
    "wechat-unionid",
    "wechat-subscribed",
];
const SESSION: &str = "wechat-session";
const MARK: &str = "wechat-forward-auth-browser";
const COOKIE: &str = "wechat-forward-auth";

fn plan() -> Plan {
    Plan::default()
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1")
        .site(
            "SITE__FORWARD_AUTH__ORIGINS",
            "http://wiki.example.com,http://forum.example.com:8080,https://git.example.com",
        )
}

/// What the proxy of a host says beside the visitor's own headers.
struct Asked<'a> {
    proto: &'a str,
    host: &'a str,
    uri: &'a str,
    method: &'a str,
    query: &'a str,
    headers: &'a [(&'static str, &'a str)],
}

const WIKI: Asked<'static> = Asked {
    proto: "http",
    host: "wiki.example.com",
    uri: "/page?a=b&c=d",
    method: "GET",
    query: "",
    headers: &[],
};

const OWN: Asked<'static> = Asked {
    host: "localhost",
    ..WIKI
};

async fn ask(visitor: &Visitor, asked: &Asked<'_>) -> Answer {
    let mut proxy = visitor.clone();
    proxy.set_header("x-forwarded-proto", asked.proto);
    proxy.set_header("x-forwarded-host", asked.host);
    proxy.set_header("x-forwarded-uri", asked.uri);
    proxy.set_header("x-forwarded-method", asked.method);
    for (name, value) in asked.headers {
        proxy.set_header(name, value);
    }
    proxy
        .call(Method::GET, &format!("{ASK}{}", asked.query))
        .await
}

async fn status(visitor: &Visitor, asked: &Asked<'_>) -> u16 {
    ask(visitor, asked).await.status.as_u16()
}

#[track_caller]
fn assert_sent_away(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert_members(&answer.json, &["code", "detail", "status", "title"]);
    assert_eq!(answer.json["code"], "not_signed_in");
    for name in IDENTITY {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
}

#[track_caller]
fn login_url(answer: &Answer) -> Url {
    let url = header(&answer.headers, "login-url");
    Url::parse(url).unwrap_or_else(|_| panic!("no URL: {url:?}"))
}

fn parameter(url: &Url, name: &str) -> String {
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Opens a URL of the site's own.
async fn open(visitor: &mut Visitor, url: &Url) -> Answer {
    assert_eq!(url.origin().ascii_serialization(), "http://localhost");
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    visitor.call(Method::GET, &path).await
}

#[track_caller]
fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let url = header(&answer.headers, "location");
    Url::parse(url).unwrap_or_else(|_| panic!("no URL: {url:?}"))
}

/// The cookies of a browser on another host, which the site's own don't reach.
fn on_other_host(stack: &Stack, answer: &Answer) -> Visitor {
    let mut visitor = stack.visitor();
    let mark = set_cookie(answer, MARK).expect("a mark");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
        assert!(mark.contains(part), "{mark}");
    }
    let (value, _) = mark[MARK.len() + 1..].split_once(';').expect("attributes");
    visitor.cookies().insert(MARK.to_owned(), value.to_owned());
    visitor
}

/// Follows an address of another host, through its proxy.
async fn return_to(visitor: &mut Visitor, url: &Url) -> Answer {
    let origin = url.origin().ascii_serialization();
    let (proto, host) = origin.split_once("://").expect("an origin");
    let mut proxy = visitor.clone();
    proxy.set_header("x-forwarded-proto", proto);
    proxy.set_header("x-forwarded-host", host);
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let answer = proxy.call(Method::GET, &path).await;
    visitor.cookies().clone_from(proxy.cookies());
    answer
}

/// A visitor of the wiki who is signed in at the site: their browser there, and the URL that brings
/// them back with a code.
async fn about_to_return(stack: &Stack, at_site: &mut Visitor) -> (Visitor, Url) {
    let refused = ask(&stack.visitor(), &WIKI).await;
    assert_sent_away(&refused);
    let at_wiki = on_other_host(stack, &refused);
    let answer = open(at_site, &login_url(&refused)).await;
    (at_wiki, location(&answer))
}

/// The same, signed in.
async fn at_wiki(stack: &Stack, at_site: &mut Visitor) -> Visitor {
    let (mut at_wiki, back) = about_to_return(stack, at_site).await;
    let answer = return_to(&mut at_wiki, &back).await;
    assert_eq!(
        location(&answer).as_str(),
        "http://wiki.example.com/page?a=b&c=d"
    );
    assert_eq!(status(&at_wiki, &WIKI).await, 200);
    at_wiki
}

#[tokio::test]
async fn who_is_signed_in_passes_with_their_identity() {
    let stack = plan()
        .site("SITE__FORWARD_AUTH__EMAIL_DOMAIN", "wechat.example.com")
        .start()
        .await;
    let person = stack.wechat.person_of_union("oUnion-1").await;
    let mut visitor = signed_in(&stack, &person).await;
    let sub = subject(&visitor.session().await.expect("a session"));
    let answer = ask(&visitor, &OWN).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    let told = IDENTITY.map(|name| header(&answer.headers, name));
    let email = format!("{sub}@wechat.example.com");
    let expected = [
        sub.as_str(),
        "%E5%B0%8F%E6%9E%97",
        &email,
        &person.openid,
        "oUnion-1",
        "true",
    ];
    assert_eq!(told, expected);
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
    assert!(!answer.headers.contains_key("set-cookie"));
    assert!(!answer.headers.contains_key("login-url"));
}

#[tokio::test]
async fn what_is_unknown_is_empty_and_there_all_the_same() {
    let mut stack = plan().start().await;
    stack.publish_site().await;
    let nobody = Person {
        nickname: String::new(),
        ..stack.wechat.person("小林", false).await
    };
    let host = Url::parse(&stack.sites[0].public).expect("a URL");
    let host = format!("127.0.0.1:{}", host.port().expect("a port"));
    let (mut visitor, back) = returning(&stack, &nobody).await;
    come_back(&mut visitor, &back).await;
    // WeChat has told nothing.
    let members: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:member:*"])
        .await;
    let _: i64 = stack.redis.command(&["DEL", &members[0]]).await;
    let sub = subject(&visitor.session().await.expect("a session"));
    let own = Asked { host: &host, ..OWN };
    let answer = ask(&visitor, &own).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for name in IDENTITY {
        assert!(answer.headers.contains_key(name), "{name}");
    }
    let name = header(&answer.headers, "remote-name");
    let name = format!("={name}");
    let name = url::form_urlencoded::parse(name.as_bytes()).next();
    let (_, name) = name.expect("a name");
    Subject::parse(&sub).expect("a subject");
    assert_eq!(name, format!("微信用户{}", &sub[sub.len() - 4..]));
    for name in ["remote-email", "wechat-unionid"] {
        assert_eq!(header(&answer.headers, name), "", "{name}");
    }
    assert_eq!(header(&answer.headers, "wechat-subscribed"), "false");
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_where_to_log_in() {
    let stack = plan().start().await;
    let visitor = stack.visitor();
    let answer = ask(&visitor, &OWN).await;
    assert_sent_away(&answer);
    assert_eq!(
        header(&answer.headers, "login-url"),
        "http://localhost/login?return_to=http%3A%2F%2Flocalhost%2Fpage%3Fa%3Db%26c%3Dd"
    );
    assert!(!answer.headers.contains_key("location"));
    assert!(!answer.headers.contains_key("set-cookie"));

    let answer = ask(&visitor, &WIKI).await;
    assert_sent_away(&answer);
    let url = login_url(&answer);
    assert_eq!(url.origin().ascii_serialization(), "http://localhost");
    assert_eq!(
        parameter(&url, "return_to"),
        "http://wiki.example.com/page?a=b&c=d"
    );
    // Nobody else's mark is found out from it.
    let browser = on_other_host(&stack, &answer).cookies()[MARK].clone();
    assert!(!url.as_str().contains(&browser), "{url}");
}

#[tokio::test]
async fn a_browser_that_opens_a_page_is_led_to_the_login_if_the_proxy_wishes() {
    let stack = plan().start().await;
    let visitor = stack.visitor();
    let navigates: &[(&str, &str)] = &[("sec-fetch-mode", "navigate")];
    let html: &[(&str, &str)] = &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let fetches: &[(&str, &str)] = &[("sec-fetch-mode", "cors"), ("accept", "text/html")];
    let json: &[(&str, &str)] = &[("accept", "application/json")];
    for (query, method, headers, expected) in [
        ("?redirect=1", "GET", navigates, 302),
        ("?redirect=1", "HEAD", html, 302),
        ("?redirect=1", "POST", navigates, 401),
        ("?redirect=1", "GET", fetches, 401),
        ("?redirect=1", "GET", json, 401),
        ("?redirect=1", "GET", &[], 401),
        ("?redirect=0", "GET", navigates, 401),
        ("", "GET", navigates, 401),
    ] {
        for host in [&OWN, &WIKI] {
            let asked = Asked {
                method,
                query,
                headers,
                ..*host
            };
            let answer = ask(&visitor, &asked).await;
            let what = format!("{query} {method} {headers:?}");
            assert_eq!(answer.status.as_u16(), expected, "{what}");
            let url = login_url(&answer);
            let location = header(&answer.headers, "location");
            let led = if expected == 302 { url.as_str() } else { "" };
            assert_eq!(location, led, "{what}");
            let is_marked = set_cookie(&answer, MARK).is_some();
            assert_eq!(is_marked, host.host == WIKI.host, "{what}");
        }
    }
}

#[tokio::test]
async fn a_stranger_who_plays_the_proxy_asks_for_the_sites_own_origin() {
    let plan = plan().site("SITE__PUBLIC__TRUSTED_PROXIES", "192.0.2.0/24");
    let stack = plan.start().await;
    let answer = ask(&stack.visitor(), &WIKI).await;
    assert_sent_away(&answer);
    assert_eq!(
        header(&answer.headers, "login-url"),
        "http://localhost/login?return_to=http%3A%2F%2Flocalhost%2F"
    );
    let evil = Asked {
        host: "evil.example",
        ..WIKI
    };
    assert_eq!(status(&stack.visitor(), &evil).await, 401);
    let person = stack.wechat.person("小林", true).await;
    let visitor = signed_in(&stack, &person).await;
    assert_eq!(status(&visitor, &evil).await, 200);
}

#[tokio::test]
async fn a_host_that_nobody_named_is_refused_and_nobody_is_led_there() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    for (proto, host) in [
        ("http", "evil.example"),
        ("https", "wiki.example.com"),
        ("http", "wiki.example.com:81"),
        ("http", "wiki.example.com.evil.example"),
        ("http", "evil.example/@wiki.example.com"),
        ("http", "localhost:81"),
        ("https", "localhost"),
    ] {
        let asked = Asked {
            proto,
            host,
            query: "?redirect=1",
            headers: &[("sec-fetch-mode", "navigate")],
            ..WIKI
        };
        for browser in [stack.visitor(), visitor.clone()] {
            let answer = ask(&browser, &asked).await;
            assert_problem(&answer, 403, "unknown_host");
            assert!(!answer.headers.contains_key("location"), "{host}");
            assert!(!answer.headers.contains_key("login-url"), "{host}");
        }
    }
    let browser = "A".repeat(43);
    for target in [
        "http://evil.example/",
        "http://wiki.example.com@evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "",
    ] {
        let target: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let path = format!("/login/forward-auth?return_to={target}&browser={browser}");
        for mut browser in [stack.visitor(), visitor.clone()] {
            let answer = browser.call(Method::GET, &path).await;
            assert_eq!(answer.status, 403, "{target}");
            assert!(!answer.headers.contains_key("location"), "{target}");
        }
    }
    let back = Url::parse("http://evil.example/.wechat-login/return?code=a&return_to=/").unwrap();
    let answer = return_to(&mut visitor, &back).await;
    assert_eq!(answer.status, 403);
    assert!(!answer.headers.contains_key("location"));
}

#[tokio::test]
async fn another_host_gets_a_cookie_of_its_own_that_opens_nothing_else() {
    let stack = plan().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let (mut at_wiki, back) = about_to_return(&stack, &mut at_site).await;
    assert_eq!(back.path(), "/.wechat-login/return");
    let answer = return_to(&mut at_wiki, &back).await;
    assert_eq!(
        location(&answer).as_str(),
        "http://wiki.example.com/page?a=b&c=d"
    );
    let cookie = set_cookie(&answer, COOKIE).expect("a cookie");
    for part in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Max-Age=604800",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    at_wiki.move_to(&stack.sites[1].public);
    let answer = ask(&at_wiki, &WIKI).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(header(&answer.headers, "wechat-openid"), person.openid);

    // Elsewhere it is nobody's, under whatever name.
    let forum = Asked {
        host: "forum.example.com:8080",
        ..WIKI
    };
    for asked in [&forum, &OWN] {
        assert_eq!(status(&at_wiki, asked).await, 401, "{}", asked.host);
    }
    let value = at_wiki.cookies()[COOKIE].clone();
    let secret = value.split('.').next().unwrap_or_default().to_owned();
    for value in [&value, &secret] {
        let mut thief = stack.visitor();
        thief.cookies().insert(SESSION.to_owned(), value.clone());
        assert!(thief.session().await.is_none());
        assert_eq!(status(&thief, &OWN).await, 401);
    }
    // The login's own cookie opens no other host.
    let mut thief = stack.visitor();
    let session = at_site.cookies()[SESSION].clone();
    for name in [SESSION, COOKIE] {
        thief.cookies().insert(name.to_owned(), session.clone());
    }
    assert_eq!(status(&thief, &WIKI).await, 401);
    // Nor what is no cookie of ours.
    let other = signed_in(&stack, &stack.wechat.person("路人", true).await).await;
    let others = at_wiki_of(&stack, other).await;
    let (_, others_session) = others.split_once('.').expect("a session");
    for garbage in [
        format!("{secret}.{others_session}"),
        format!("{secret}.{}", "A".repeat(43)),
        format!("{}.{}", "A".repeat(43), &value[44..]),
        format!("{value}x"),
        "x".repeat(4096),
        String::new(),
    ] {
        thief.cookies().insert(COOKIE.to_owned(), garbage.clone());
        assert_eq!(status(&thief, &WIKI).await, 401, "{garbage}");
    }
}

async fn at_wiki_of(stack: &Stack, mut at_site: Visitor) -> String {
    at_wiki(stack, &mut at_site).await.cookies()[COOKIE].clone()
}

#[tokio::test]
async fn under_https_the_cookies_belong_to_the_host_alone() {
    let stack = plan().start().await;
    let git = Asked {
        proto: "https",
        host: "git.example.com",
        ..WIKI
    };
    let answer = ask(&stack.visitor(), &git).await;
    let mark = set_cookie(&answer, "__Host-wechat-forward-auth-browser").expect("a mark");
    assert!(mark.contains("; Secure"), "{mark}");
    let (value, _) = mark.split_once(';').expect("attributes");
    let (name, value) = value.split_once('=').expect("a value");
    let mut at_git = stack.visitor();
    at_git.cookies().insert(name.to_owned(), value.to_owned());
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let back = location(&open(&mut at_site, &login_url(&answer)).await);
    let answer = return_to(&mut at_git, &back).await;
    assert_eq!(
        location(&answer).as_str(),
        "https://git.example.com/page?a=b&c=d"
    );
    let cookie = set_cookie(&answer, "__Host-wechat-forward-auth").expect("a cookie");
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert_eq!(status(&at_git, &git).await, 200);
}

#[tokio::test]
async fn a_visitor_logs_in_first_and_goes_on_from_there() {
    let stack = plan().start().await;
    let refused = ask(&stack.visitor(), &WIKI).await;
    let mut at_wiki = on_other_host(&stack, &refused);
    let mut at_site = stack.visitor();
    let answer = open(&mut at_site, &login_url(&refused)).await;
    let hosted = location(&answer);
    assert_eq!(hosted.path(), "/login");
    let way_on = Url::parse(&parameter(&hosted, "return_to")).expect("a URL");
    assert_eq!(way_on, login_url(&refused));
    let person = stack.wechat.person("小林", true).await;
    let content = at_site.start_login().await;
    stack.wechat.scan(&person, &content).await;
    at_site.complete().await;
    let back = location(&open(&mut at_site, &way_on).await);
    return_to(&mut at_wiki, &back).await;
    assert_eq!(status(&at_wiki, &WIKI).await, 200);
    // The site's own pages are gone on to without a code.
    let own = login_url(&ask(&stack.visitor(), &OWN).await);
    let path = format!(
        "http://localhost/login/forward-auth?{}",
        own.query().unwrap_or_default()
    );
    let own = open(&mut at_site, &Url::parse(&path).expect("a URL")).await;
    assert_eq!(location(&own).as_str(), "http://localhost/page?a=b&c=d");
}

#[tokio::test]
async fn a_code_is_good_once_in_the_browser_that_asked_on_its_host() {
    let stack = plan().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let (mut at_wiki, back) = about_to_return(&stack, &mut at_site).await;

    // A victim who was sent the address, with no mark and with one of their own.
    let mut victim = stack.visitor();
    let mut marked = on_other_host(&stack, &ask(&victim, &WIKI).await);
    for browser in [&mut victim, &mut marked] {
        let answer = return_to(browser, &back).await;
        assert_eq!(answer.status, 403);
        assert!(set_cookie(&answer, COOKIE).is_none());
        assert!(answer.text.contains("http://wiki.example.com/page"));
        assert_eq!(status(browser, &WIKI).await, 401);
    }
    // The browser itself, on another host.
    let mut elsewhere = back.clone();
    elsewhere
        .set_host(Some("forum.example.com"))
        .expect("a host");
    elsewhere.set_port(Some(8080)).expect("a port");
    let answer = return_to(&mut at_wiki, &elsewhere).await;
    assert_eq!(answer.status, 403);
    assert!(set_cookie(&answer, COOKIE).is_none());

    at_wiki.move_to(&stack.sites[1].public);
    assert_eq!(return_to(&mut at_wiki, &back).await.status, 303);
    let cookie = at_wiki.cookies()[COOKIE].clone();
    for site in [0, 1] {
        at_wiki.move_to(&stack.sites[site].public);
        let answer = return_to(&mut at_wiki, &back).await;
        assert_eq!(answer.status, 410);
        assert!(set_cookie(&answer, COOKIE).is_none());
    }
    assert_eq!(at_wiki.cookies()[COOKIE], cookie);
    assert_eq!(status(&at_wiki, &WIKI).await, 200);

    // After its time, and what never was one.
    let (mut at_wiki, back) = about_to_return(&stack, &mut at_site).await;
    let codes: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:return-code:*"])
        .await;
    for code in codes {
        let left: i64 = stack.redis.command(&["PTTL", &code]).await;
        assert!((1..=60_000).contains(&left), "{left} ms");
        let _: i64 = stack.redis.command(&["DEL", &code]).await;
    }
    assert_eq!(return_to(&mut at_wiki, &back).await.status, 410);
    for code in ["", "x", &"A".repeat(43), &"A".repeat(4000)] {
        let mut back = back.clone();
        back.query_pairs_mut()
            .clear()
            .append_pair("code", code)
            .append_pair("return_to", "//evil.example/");
        let answer = return_to(&mut at_wiki, &back).await;
        assert_eq!(answer.status, 410, "{code}");
        assert!(
            answer
                .text
                .contains("http://wiki.example.com//evil.example/")
        );
    }
}

#[tokio::test]
async fn one_mark_serves_all_tabs_of_a_browser() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let (mut at_wiki, first) = about_to_return(&stack, &mut at_site).await;
    let again = ask(&at_wiki, &WIKI).await;
    let mark = set_cookie(&again, MARK).expect("it lives on");
    assert!(mark.contains(&at_wiki.cookies()[MARK]), "{mark}");
    let second = location(&open(&mut at_site, &login_url(&again)).await);
    for back in [&first, &second] {
        assert_eq!(return_to(&mut at_wiki, back).await.status, 303);
    }
}

#[tokio::test]
async fn whatever_ends_the_session_ends_the_other_hosts_cookies() {
    let stack = plan().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    for end in ["session", "everywhere", "owner", "next login"] {
        let mut at_site = signed_in(&stack, &person).await;
        let mut at_wiki = at_wiki(&stack, &mut at_site).await;
        at_wiki.move_to(&stack.sites[1].public);
        assert_eq!(status(&at_wiki, &WIKI).await, 200, "{end}");
        match end {
            "session" => {
                at_site.call(Method::DELETE, "/api/session").await;
            }
            "everywhere" => {
                signed_in(&stack, &person)
                    .await
                    .call(Method::DELETE, "/api/sessions")
                    .await;
            }
            "owner" => {
                let mut owner = Visitor::new(&stack.gateways[0].internal);
                owner.set_header("authorization", &format!("Bearer {API_KEY}"));
                let path = format!("/v1/members/{}/sessions", person.openid);
                assert_eq!(owner.call(Method::DELETE, &path).await.status, 204);
            }
            _ => {
                let content = at_site.start_login().await;
                stack.wechat.scan(&person, &content).await;
                at_site.complete().await;
            }
        }
        assert_eq!(status(&at_wiki, &WIKI).await, 401, "{end}");
    }
}

#[tokio::test]
async fn an_unfollow_is_felt_by_the_next_request_and_the_page_says_to_follow() {
    let stack = plan()
        .site("SITE__FORWARD_AUTH__REQUIRE_FOLLOWING", "true")
        .start()
        .await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let at_wiki = at_wiki(&stack, &mut at_site).await;
    assert_eq!(status(&at_site, &OWN).await, 200);
    stack.wechat.unfollow(&person).await;
    for (browser, asked) in [(&at_site, &OWN), (&at_wiki, &WIKI)] {
        let refused = ask(browser, asked).await;
        assert_sent_away(&refused);
        let page = open(&mut at_site.clone(), &login_url(&refused)).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("请先关注公众号"), "{}", page.text);
        let led = Asked {
            query: "?redirect=1",
            headers: &[("sec-fetch-mode", "navigate")],
            ..*asked
        };
        assert_eq!(status(browser, &led).await, 302);
    }
    assert!(at_site.session().await.is_some(), "at the site itself");
    stack.wechat.follow(&person).await;
    assert_eq!(status(&at_site, &OWN).await, 200);
    assert_eq!(status(&at_wiki, &WIKI).await, 200);
}

#[tokio::test]
async fn without_redis_nobody_passes_and_nobody_is_sent_to_log_in() {
    let mut stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let (mut wiki, back) = about_to_return(&stack, &mut at_site).await;
    let at_wiki = at_wiki(&stack, &mut at_site).await;
    stack.redis.kill();
    for (browser, asked) in [(&at_site, &OWN), (&at_wiki, &WIKI)] {
        let answer = ask(browser, asked).await;
        assert_problem(&answer, 503, "store_unavailable");
        assert!(answer.retry_after().is_some());
    }
    let answer = return_to(&mut wiki, &back).await;
    assert_problem(&answer, 503, "store_unavailable");
    // No store is asked about who has no cookie.
    assert_eq!(status(&stack.visitor(), &WIKI).await, 401);
    stack.redis.restart().await;
    assert_eq!(return_to(&mut wiki, &back).await.status, 303);
}

#[tokio::test]
async fn no_value_of_another_hosts_cookies_is_in_redis_or_in_the_logs() {
    let mut stack = plan()
        .site("SITE__LOG__LEVEL", "debug")
        .gateway("GATEWAY__LOG__LEVEL", "debug")
        .start()
        .await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_site = signed_in(&stack, &person).await;
    let (mut at_wiki, back) = about_to_return(&stack, &mut at_site).await;
    return_to(&mut at_wiki, &back).await;
    assert_eq!(status(&at_wiki, &WIKI).await, 200);
    let cookie = at_wiki.cookies()[COOKIE].clone();
    let secrets = [
        cookie.split('.').next().unwrap_or_default().to_owned(),
        at_wiki.cookies()[MARK].clone(),
        parameter(&back, "code"),
    ];
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*"]).await;
    let mut redis = keys.join(" ");
    for key in keys
        .iter()
        .filter(|key| key.contains("-auth:") || key.contains("-code:"))
    {
        let value: String = stack.redis.command(&["GET", key]).await;
        redis = format!("{redis} {value}");
    }
    assert!(redis.contains("http://wiki.example.com"), "{redis}");
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("/api/forward-auth"), "debug lines are there");
    for secret in secrets {
        assert_eq!(secret.len(), 43);
        assert!(!redis.contains(&secret), "in Redis");
        assert!(!logs.contains(&secret), "in a log");
    }
}
