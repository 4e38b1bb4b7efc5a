//! Forward authentication with the configurations of `docs/forward-auth.md`, as they stand there:
//! identity reaches the software behind, and what a visitor makes up doesn't.

use reqwest::Method;
use system_tests::{
    nginx::without_comments,
    protected_host::{self, CHINESE, ENGLISH, PROXIES, ProtectedHost, Proxy, snippet},
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};
use url::Url;

const PAGE: &str = "/page?a=b&c=d";
const COOKIE: &str = "wechat-forward-auth";

#[test]
fn both_languages_show_the_same_configurations() {
    for language in ["nginx", "caddyfile", "yaml"] {
        let [english, chinese] =
            [ENGLISH, CHINESE].map(|markdown| without_comments(&snippet(markdown, language)));
        assert_eq!(english, chinese);
    }
}

/// No Traefik runs here: the snippet has to hold all that keeps forgeries from the software.
#[test]
fn the_configuration_of_traefik_removes_every_header_in_both_spellings() {
    let yaml = without_comments(&snippet(ENGLISH, "yaml"));
    let (clean, ask) = yaml
        .split_once("forwardAuth:")
        .expect("one middleware cleans, and one asks");
    for name in [
        "Remote-User",
        "Remote-Name",
        "Remote-Email",
        "Wechat-Openid",
        "Wechat-Unionid",
        "Wechat-Subscribed",
    ] {
        let underscores = format!("{}: \"\"", name.replace('-', "_"));
        assert!(clean.contains(&underscores), "{underscores}");
        let taken_over = format!("- {name}");
        assert!(
            ask.lines().any(|line| line.trim() == taken_over),
            "{name} isn't in authResponseHeaders"
        );
    }
    let middlewares = "middlewares: [wechat-login-clean, wechat-login]";
    assert!(ask.contains(middlewares), "the cleaner comes first");
}

/// A site, and a host behind this proxy that asks it.
struct World {
    stack: Stack,
    _host: ProtectedHost,
    wiki: String,
}

impl World {
    async fn start(proxy: Proxy) -> Self {
        let port = protected_host::free_port();
        let wiki = format!("http://wiki.localhost:{port}");
        let plan = Plan::default()
            .sites(1)
            .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1")
            .site("SITE__FORWARD_AUTH__ORIGINS", &wiki)
            .site("SITE__FORWARD_AUTH__EMAIL_DOMAIN", "wechat.example.com")
            .site("SITE__FORWARD_AUTH__REQUIRE_FOLLOWING", "true");
        let stack = plan.start().await;
        let site = stack.sites[0].public.trim_start_matches("http://");
        let host = ProtectedHost::start(proxy, port, site, &stack.log).await;
        Self {
            _host: host,
            wiki,
            stack,
        }
    }

    /// A browser on the protected host that opens pages.
    fn at_wiki(&self) -> Visitor {
        let port = Url::parse(&self.wiki).expect("a URL").port();
        let mut visitor = Visitor::new(&format!("http://127.0.0.1:{}", port.expect("a port")));
        visitor.set_header("host", self.wiki.trim_start_matches("http://"));
        visitor.set_header("sec-fetch-mode", "navigate");
        visitor
    }
}

fn location(answer: &Answer) -> Url {
    let url = answer.headers.get("location").expect("it leads on");
    let url = url.to_str().expect("headers are plain");
    Url::parse(url).unwrap_or_else(|_| panic!("no URL: {url}"))
}

fn path(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// Logs in at the site, comes back to the protected host, and opens the page.
async fn log_in(world: &World, at_wiki: &mut Visitor, at_site: &mut Visitor) -> Answer {
    let answer = at_wiki.call(Method::GET, PAGE).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    let way_on = location(&answer);
    let answer = at_site.call(Method::GET, &path(&way_on)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let mut back = location(&answer);
    if back.path() == "/login" {
        let page = at_site.call(Method::GET, &path(&back)).await;
        assert!(page.text.contains("<wechat-login"), "{}", page.text);
        let person = world.stack.wechat.person("小林", true).await;
        let content = at_site.start_login().await;
        world.stack.wechat.scan(&person, &content).await;
        at_site.complete().await;
        // The page goes on to where it was told to come back to.
        let page = at_site.call(Method::GET, &path(&back)).await;
        assert_eq!(page.status, 303);
        let on = page.headers["location"].to_str().expect("plain").to_owned();
        assert_eq!(on, path(&way_on));
        back = location(&at_site.call(Method::GET, &on).await);
    }
    assert_eq!(back.origin().ascii_serialization(), world.wiki);
    let answer = at_wiki.call(Method::GET, &path(&back)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(location(&answer).as_str(), format!("{}{PAGE}", world.wiki));
    let answer = at_wiki.call(Method::GET, PAGE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// The values that the software behind got under this name, with dashes or underscores.
fn got(answer: &Answer, name: &str) -> Vec<String> {
    let lines = answer.text.lines().filter_map(|line| line.split_once(':'));
    let named = lines.filter(|(key, _)| key.to_lowercase().replace('_', "-") == name);
    named.map(|(_, value)| value.trim().to_owned()).collect()
}

async fn identity_reaches_the_software(proxy: Proxy) {
    let world = World::start(proxy).await;
    let (mut at_wiki, mut at_site) = (world.at_wiki(), world.stack.visitor());
    let answer = log_in(&world, &mut at_wiki, &mut at_site).await;
    assert!(
        answer.text.starts_with("GET /page?a=b&c=d "),
        "{}",
        answer.text
    );
    let user = at_site.session().await.expect("a session");
    let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    let email = format!("{}@wechat.example.com", text("sub"));
    for (name, value) in [
        ("remote-user", text("sub")),
        ("remote-name", "%E5%B0%8F%E6%9E%97".to_owned()),
        ("remote-email", email),
        ("wechat-openid", text("openid")),
        ("wechat-subscribed", "true".to_owned()),
    ] {
        assert_eq!(got(&answer, name), [value], "{name}");
    }
    let unionid = got(&answer, "wechat-unionid").concat();
    assert_eq!(unionid, "", "nobody knows it");

    // What a visitor makes up, in every spelling.
    let mut forger = at_wiki.clone();
    for (dashes, underscores) in [
        ("remote-user", "remote_user"),
        ("remote-name", "remote_name"),
        ("remote-email", "remote_email"),
        ("wechat-openid", "wechat_openid"),
        ("wechat-unionid", "wechat_unionid"),
        ("wechat-subscribed", "wechat_subscribed"),
    ] {
        forger.set_header(dashes, "forged");
        forger.set_header(underscores, "forged");
    }
    forger.set_header("x-forwarded-host", "evil.example");
    forger.set_header("x-forwarded-uri", "/elsewhere");
    let answer = forger.call(Method::GET, PAGE).await;
    assert_eq!(answer.status, 200);
    for forged in ["forged", "evil"] {
        assert!(!answer.text.contains(forged), "{}", answer.text);
    }
    assert_eq!(got(&answer, "remote-user"), [text("sub")]);
    forger.cookies().clear();
    let answer = forger.call(Method::GET, PAGE).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    let led = location(&answer);
    for forged in ["evil", "elsewhere"] {
        assert!(!led.as_str().contains(forged), "{led}");
    }
}

#[tokio::test]
async fn identity_reaches_the_software_behind_nginx_and_forgeries_do_not() {
    identity_reaches_the_software(Proxy::Nginx).await;
}

#[tokio::test]
async fn identity_reaches_the_software_behind_caddy_and_forgeries_do_not() {
    identity_reaches_the_software(Proxy::Caddy).await;
}

#[tokio::test]
async fn who_leaves_is_out_and_a_body_is_no_obstacle() {
    for proxy in PROXIES {
        let world = World::start(proxy).await;
        let (mut at_wiki, mut at_site) = (world.at_wiki(), world.stack.visitor());
        log_in(&world, &mut at_wiki, &mut at_site).await;
        // Another host's cookie is gone; the login isn't, and leads back at once.
        at_wiki.cookies().remove(COOKIE);
        log_in(&world, &mut at_wiki, &mut at_site).await;

        // A form of more than the site takes is none of its business.
        let answer = at_wiki.post_form(PAGE, "x".repeat(100_000)).await;
        assert_eq!(answer.status, 200, "{proxy:?}: {}", answer.text);
        assert!(answer.text.starts_with("POST /page?a=b&c=d "));
        let mut script = at_wiki.clone();
        script.set_header("sec-fetch-mode", "cors");
        assert_eq!(script.call(Method::GET, PAGE).await.status, 200);
        let openid = at_site.session().await.expect("a session")["openid"].clone();
        let person = system_tests::simulator::Person {
            id: person_id(&world, openid.as_str().expect("an openid")).await,
            openid: String::new(),
            nickname: String::new(),
        };
        world.stack.wechat.unfollow(&person).await;
        let answer = at_wiki.call(Method::GET, PAGE).await;
        assert_eq!(answer.status, 302, "{proxy:?}: {}", answer.text);
        let page = at_site.call(Method::GET, &path(&location(&answer))).await;
        assert!(page.text.contains("请先关注公众号"), "{}", page.text);
        let answer = script.call(Method::GET, PAGE).await;
        assert_eq!(answer.status, 401, "{proxy:?}: {}", answer.text);
        assert!(answer.headers.contains_key("login-url"), "{proxy:?}");
        world.stack.wechat.follow(&person).await;
        assert_eq!(at_wiki.call(Method::GET, PAGE).await.status, 200);

        at_site.call(Method::DELETE, "/api/session").await;
        assert_eq!(at_wiki.call(Method::GET, PAGE).await.status, 302);
    }
}

/// What leads to the login holds the page's address in an address in an address.
#[tokio::test]
async fn a_long_address_leads_to_the_login_as_well() {
    for proxy in PROXIES {
        let world = World::start(proxy).await;
        let mut at_wiki = world.at_wiki();
        let page = format!("/page?q={}", "%E8%8A%B1".repeat(400));
        let answer = at_wiki.call(Method::GET, &page).await;
        assert_eq!(answer.status, 302, "{proxy:?}: {}", answer.text);
        let way_on = location(&answer);
        let mut parameters = way_on.query_pairs();
        let wanted = parameters.find(|(name, _)| name == "return_to");
        let (_, wanted) = wanted.expect("where to come back to");
        assert_eq!(wanted, format!("{}{page}", world.wiki), "{proxy:?}");
    }
}

async fn person_id(world: &World, openid: &str) -> String {
    let people = world
        .stack
        .wechat
        .control(Method::GET, "/simulator/people", serde_json::Value::Null)
        .await;
    let people = people.as_array().expect("a list").iter();
    let mut found = people.filter(|person| person["openid"] == openid);
    let person = found.next().expect("they are known");
    person["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn without_redis_nobody_passes_and_it_is_said() {
    for proxy in PROXIES {
        let mut world = World::start(proxy).await;
        let (mut at_wiki, mut at_site) = (world.at_wiki(), world.stack.visitor());
        log_in(&world, &mut at_wiki, &mut at_site).await;
        world.stack.redis.kill();
        let answer = at_wiki.call(Method::GET, PAGE).await;
        assert_eq!(answer.status, 503, "{proxy:?}: {}", answer.text);
        assert_eq!(answer.retry_after(), Some(2), "{proxy:?}");
        world.stack.redis.restart().await;
        assert_eq!(at_wiki.call(Method::GET, PAGE).await.status, 200);
        world.stack.sites[0].process.kill();
        let answer = at_wiki.call(Method::GET, PAGE).await;
        assert!(
            answer.status.is_server_error(),
            "{proxy:?}: {}",
            answer.text
        );
    }
}

/// Traefik sends a request of its own with the visitor's headers and these, and takes over the
/// headers that it is told to, empty or not; a visitor's own under these names it removes.
#[tokio::test]
async fn what_traefik_sends_is_understood() {
    let world = World::start(Proxy::Nginx).await;
    let (mut at_wiki, mut at_site) = (world.at_wiki(), world.stack.visitor());
    let host = world.wiki.trim_start_matches("http://").to_owned();
    let port = host.rsplit(':').next().unwrap_or_default().to_owned();
    let traefik = |cookies: &Visitor| {
        let mut traefik = world.stack.visitor();
        traefik.cookies().clone_from(cookies.clone().cookies());
        for (name, value) in [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", &port),
            ("x-forwarded-host", &host),
            ("x-forwarded-uri", PAGE),
            ("x-forwarded-server", "traefik"),
            ("x-real-ip", "203.0.113.9"),
            ("accept", "text/html,*/*"),
        ] {
            traefik.set_header(name, value);
        }
        traefik
    };
    let ask = "/api/forward-auth?redirect=1";
    let answer = traefik(&at_wiki).call(Method::GET, ask).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    assert!(location(&answer).as_str().contains("wiki.localhost"));
    log_in(&world, &mut at_wiki, &mut at_site).await;
    let answer = traefik(&at_wiki).call(Method::GET, ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for name in [
        "remote-user",
        "remote-name",
        "remote-email",
        "wechat-openid",
        "wechat-unionid",
        "wechat-subscribed",
    ] {
        assert!(answer.headers.contains_key(name), "{name}");
    }
}
