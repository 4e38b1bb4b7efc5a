//! Every setting that is missing, malformed or unknown stops the site with a message that helps.

use std::fs;

use reqwest::Method;
use system_tests::{
    binaries, log_folder, process,
    redis_server::RedisServer,
    stack::{API_KEY, Plan, Service, Stack},
    visitor::Visitor,
};

use crate::configuration::{Configuration, Ended, run};

/// The environment's form, the file's form and the example of every setting.
const SETTINGS: [(&str, &str, &str); 39] = [
    ("SITE__PUBLIC__URL", "public.url", "https://www.example.com"),
    ("SITE__PUBLIC__BIND", "public.bind", "0.0.0.0:8080"),
    (
        "SITE__PUBLIC__TRUSTED_PROXIES",
        "public.trusted_proxies",
        "127.0.0.1, 10.0.0.0/8",
    ),
    (
        "SITE__PUBLIC__ALLOWED_ORIGINS",
        "public.allowed_origins",
        "https://www.example.com",
    ),
    ("SITE__INTERNAL__BIND", "internal.bind", "127.0.0.1:9080"),
    (
        "SITE__INTERNAL__API_KEY",
        "internal.api_key",
        "the-output-of-openssl-rand-hex-32",
    ),
    (
        "SITE__INTERNAL__API_KEY_PREVIOUS",
        "internal.api_key_previous",
        "the-output-of-openssl-rand-hex-32",
    ),
    (
        "SITE__REDIS__URL",
        "redis.url",
        "redis://:password@127.0.0.1:6379/0",
    ),
    ("SITE__GATEWAY__URL", "gateway.url", "http://127.0.0.1:9081"),
    (
        "SITE__GATEWAY__API_KEY",
        "gateway.api_key",
        "the-output-of-openssl-rand-hex-32",
    ),
    ("SITE__LOGIN__TTL_SECONDS", "login.ttl_seconds", "300"),
    ("SITE__LOGIN__ACCOUNT", "login.account", "shop"),
    ("SITE__LOGIN__SITE_NAME", "login.site_name", "小林花店"),
    ("SITE__LOGIN__APPROVAL", "login.approval", "tap"),
    ("SITE__LOGIN__METHOD", "login.method", "auto"),
    (
        "SITE__LOGIN__REQUIRE_FOLLOWING",
        "login.require_following",
        "true",
    ),
    (
        "SITE__SESSION__TTL_SECONDS",
        "session.ttl_seconds",
        "604800",
    ),
    (
        "SITE__SESSION__IDLE_SECONDS",
        "session.idle_seconds",
        "259200",
    ),
    (
        "SITE__SESSION__END_ON_UNFOLLOW",
        "session.end_on_unfollow",
        "true",
    ),
    (
        "SITE__FORWARD_AUTH__ORIGINS",
        "forward_auth.origins",
        "https://wiki.example.com",
    ),
    (
        "SITE__FORWARD_AUTH__EMAIL_DOMAIN",
        "forward_auth.email_domain",
        "wechat.example.com",
    ),
    (
        "SITE__FORWARD_AUTH__REQUIRE_FOLLOWING",
        "forward_auth.require_following",
        "true",
    ),
    (
        "SITE__LIMITS__LOGINS_PER_MINUTE",
        "limits.logins_per_minute",
        "30",
    ),
    (
        "SITE__LIMITS__LOGINS_WITHOUT_PROOF",
        "limits.logins_without_proof",
        "600",
    ),
    (
        "SITE__LIMITS__WAITING_PER_CLIENT",
        "limits.waiting_per_client",
        "20",
    ),
    ("SITE__LIMITS__WAITING", "limits.waiting", "100000"),
    (
        "SITE__LIMITS__WEB_AUTHORIZATIONS",
        "limits.web_authorizations",
        "100000",
    ),
    ("SITE__PAGE__NAME", "page.name", "小林花店"),
    (
        "SITE__PAGE__LOGO",
        "page.logo",
        "https://www.example.com/logo.svg",
    ),
    ("SITE__PAGE__DEMO", "page.demo", "true"),
    (
        "SITE__OIDC__SECRET",
        "oidc.secret",
        "the-output-of-openssl-rand-hex-32",
    ),
    (
        "SITE__OIDC__ACCESS_TOKEN_SECONDS",
        "oidc.access_token_seconds",
        "3600",
    ),
    (
        "SITE__OIDC__REFRESH_TOKEN_SECONDS",
        "oidc.refresh_token_seconds",
        "2592000",
    ),
    ("SITE__LOG__FORMAT", "log.format", "json"),
    ("SITE__LOG__LEVEL", "log.level", "info"),
    (
        "SITE__TRACES__ENDPOINT",
        "traces.endpoint",
        "http://otel-collector:4318",
    ),
    (
        "SITE__TRACES__HEADERS",
        "traces.headers",
        "authorization=Bearer%202f1c",
    ),
    ("SITE__TRACES__SAMPLE_RATIO", "traces.sample_ratio", "0.1"),
    (
        "SITE__TRACES__CONTINUE_INCOMING",
        "traces.continue_incoming",
        "true",
    ),
];

/// How many settings a client of the OpenID Connect provider has.
const OF_A_CLIENT: usize = 13;

/// The one line about this setting, which names both forms and the example.
#[track_caller]
fn complaint<'a>(ended: &'a Ended, variable: &str) -> &'a str {
    let Ended {
        code,
        output,
        errors,
    } = ended;
    assert_eq!(*code, Some(2), "{errors}");
    assert_eq!(output, "");
    assert!(!errors.contains("panicked"), "{errors}");
    let (_, key, example) = SETTINGS
        .iter()
        .find(|(name, _, _)| *name == variable)
        .expect("it is a setting");
    let beginning = format!("{variable} ({key}) ");
    let mut lines = errors.lines().map(str::trim);
    let line = lines
        .find(|line| line.starts_with(&beginning))
        .unwrap_or_else(|| panic!("no line about {variable}: {errors}"));
    assert!(line.ends_with(&format!("; example: {example}")), "{line}");
    line
}

#[test]
fn a_missing_setting_is_named() {
    for variable in ["SITE__PUBLIC__URL", "SITE__GATEWAY__API_KEY"] {
        for empty in [false, true] {
            let mut configuration = Configuration::default();
            if empty {
                configuration.set(variable, "");
            } else {
                configuration.remove(variable);
            }
            let ended = run(&[], &configuration);
            assert!(complaint(&ended, variable).contains("is missing"));
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a row for each way to be wrong")]
fn a_malformed_setting_is_named_with_what_is_wrong() {
    let whole_number = "is not a whole number";
    let malformed = [
        ("SITE__PUBLIC__URL", "www.example.com", "is not a URL"),
        (
            "SITE__PUBLIC__URL",
            "ftp://example.com",
            "must begin with http:// or https://",
        ),
        (
            "SITE__PUBLIC__URL",
            "https://example.com/?a=b",
            "must not have a query",
        ),
        ("SITE__PUBLIC__URL", "https://", "is not a URL"),
        ("SITE__PUBLIC__BIND", "nonsense", "is not an address:port"),
        ("SITE__PUBLIC__BIND", "127.0.0.1", "is not an address:port"),
        (
            "SITE__PUBLIC__BIND",
            "127.0.0.1:65536",
            "is not an address:port",
        ),
        (
            "SITE__PUBLIC__TRUSTED_PROXIES",
            "10.0.0.0/33",
            "is not a network",
        ),
        (
            "SITE__PUBLIC__TRUSTED_PROXIES",
            "127.0.0.1, nginx",
            "is not a network",
        ),
        (
            "SITE__PUBLIC__ALLOWED_ORIGINS",
            "*",
            "must be scheme, host and optionally a port",
        ),
        ("SITE__INTERNAL__BIND", ":9080", "is not an address:port"),
        (
            "SITE__INTERNAL__API_KEY",
            "31-characters-are-too-few-for-it",
            "",
        ),
        (
            "SITE__INTERNAL__API_KEY_PREVIOUS",
            "31-characters-are-too-few-for-it",
            "",
        ),
        (
            "SITE__REDIS__URL",
            "http://127.0.0.1",
            "must begin with redis://",
        ),
        (
            "SITE__REDIS__URL",
            "redis://127.0.0.1:x",
            "is not a Redis URL",
        ),
        ("SITE__GATEWAY__URL", "127.0.0.1:9081", "is not a URL"),
        (
            "SITE__GATEWAY__API_KEY",
            "31-characters-are-too-few-for-it",
            "",
        ),
        (
            "SITE__LOGIN__ACCOUNT",
            "Shop",
            "expected a lower-case letter",
        ),
        ("SITE__LOGIN__SITE_NAME", "花\n店", "control character"),
        ("SITE__LOGIN__APPROVAL", "press", "must be scan or tap"),
        (
            "SITE__LOGIN__METHOD",
            "telepathy",
            "scan, code, page or auto",
        ),
        ("SITE__LOGIN__METHOD", "code,code", "names code twice"),
        ("SITE__LOGIN__REQUIRE_FOLLOWING", "yes", "true or false"),
        ("SITE__LOGIN__TTL_SECONDS", "0", "must be at least 1"),
        ("SITE__LOGIN__TTL_SECONDS", "86401", "must be at most 86400"),
        ("SITE__LOGIN__TTL_SECONDS", "5m", whole_number),
        ("SITE__SESSION__TTL_SECONDS", "59", "must be at least 60"),
        ("SITE__SESSION__IDLE_SECONDS", "0", "must be at least 60"),
        ("SITE__SESSION__TTL_SECONDS", "-1", whole_number),
        ("SITE__SESSION__END_ON_UNFOLLOW", "1", "true or false"),
        (
            "SITE__FORWARD_AUTH__ORIGINS",
            "https://wiki.example.com/",
            "must be scheme, host and optionally a port",
        ),
        (
            "SITE__FORWARD_AUTH__EMAIL_DOMAIN",
            "a@example.com",
            "is not a domain",
        ),
        (
            "SITE__FORWARD_AUTH__REQUIRE_FOLLOWING",
            "yes",
            "true or false",
        ),
        ("SITE__LIMITS__LOGINS_PER_MINUTE", "many", whole_number),
        ("SITE__LIMITS__LOGINS_PER_MINUTE", "-1", whole_number),
        ("SITE__LIMITS__LOGINS_WITHOUT_PROOF", "many", whole_number),
        ("SITE__LIMITS__WAITING_PER_CLIENT", "1.5", whole_number),
        ("SITE__LIMITS__WAITING", "4294967296", whole_number),
        ("SITE__LIMITS__WEB_AUTHORIZATIONS", "-1", whole_number),
        ("SITE__PAGE__NAME", "花\n店", "control character"),
        ("SITE__PAGE__LOGO", "javascript:alert(1)", "must be a path"),
        ("SITE__PAGE__LOGO", "//evil.example/a.svg", "must be a path"),
        ("SITE__PAGE__DEMO", "yes", "true or false"),
        ("SITE__OIDC__SECRET", "hunter2", "at least 32"),
        ("SITE__OIDC__ACCESS_TOKEN_SECONDS", "0", "at least 1"),
        ("SITE__OIDC__REFRESH_TOKEN_SECONDS", "1h", whole_number),
        ("SITE__TRACES__ENDPOINT", "otel:4318", "http://"),
        ("SITE__TRACES__HEADERS", "authorization", "name=value"),
        ("SITE__TRACES__SAMPLE_RATIO", "1.5", "from 0 to 1"),
        ("SITE__TRACES__CONTINUE_INCOMING", "yes", "true or false"),
        ("SITE__LOG__FORMAT", "xml", "must be text or json"),
        ("SITE__LOG__LEVEL", "site=loud", "is not a log filter"),
    ];
    for (variable, value, wrong) in malformed {
        // The last character makes it too short.
        let value = if wrong.is_empty() { &value[1..] } else { value };
        let mut configuration = Configuration::default();
        configuration.set(variable, value);
        let ended = run(&[], &configuration);
        let line = complaint(&ended, variable);
        assert!(line.contains(wrong), "{line}");
    }
    let tested: Vec<&str> = malformed.iter().map(|(variable, ..)| *variable).collect();
    for (variable, ..) in SETTINGS {
        assert!(tested.contains(&variable), "{variable}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut configuration = Configuration::default();
    configuration.remove("SITE__PUBLIC__URL");
    configuration.set("SITE__LOGIN__TTL_SECONDS", "0");
    configuration.set("SITE__LIMITS__WAITNG", "1");
    let ended = run(&[], &configuration);
    complaint(&ended, "SITE__PUBLIC__URL");
    complaint(&ended, "SITE__LOGIN__TTL_SECONDS");
    assert!(ended.errors.contains("SITE__LIMITS__WAITNG"));
    assert!(
        ended
            .errors
            .starts_with("site: the settings can't be used:")
    );
}

#[test]
fn an_unknown_setting_is_refused() {
    for (variable, hint) in [
        ("SITE__PUBLIC__URI", "--help lists all settings"),
        ("SITE__URL", "did you mean SITE__PUBLIC__URL?"),
        ("SITE__WECHAT__APP_ID", "--help lists all settings"),
    ] {
        let mut configuration = Configuration::default();
        configuration.set(variable, "http://example.com");
        let ended = run(&[], &configuration);
        assert_eq!(ended.code, Some(2), "{variable}: {}", ended.errors);
        let told = format!("{variable} (");
        assert!(ended.errors.contains(&told), "{}", ended.errors);
        assert!(ended.errors.contains(hint), "{}", ended.errors);
    }
}

#[test]
fn other_programs_variables_are_none_of_ours() {
    let mut configuration = Configuration::default();
    configuration.remove("SITE__PUBLIC__URL");
    // What Kubernetes gives every container of a namespace with a service called `site`.
    configuration.set("SITE_PORT", "tcp://10.0.0.1:8080");
    configuration.set("SITE_SERVICE_HOST", "10.0.0.1");
    configuration.set("GATEWAY__WECHAT__APP_ID", "wx0");
    let ended = run(&[], &configuration);
    complaint(&ended, "SITE__PUBLIC__URL");
    assert_eq!(ended.errors.lines().count(), 2, "{}", ended.errors);
}

#[test]
fn no_message_shows_a_secret() {
    let secrets = [
        ("SITE__GATEWAY__API_KEY", "hunter2-hunter2"),
        (
            "SITE__GATEWAY__API_KEY",
            "hunter2 hunter2 hunter2 hunter2 hunter2",
        ),
        ("SITE__INTERNAL__API_KEY", "hunter2-hunter2"),
        ("SITE__REDIS__URL", "http://:hunter2@127.0.0.1"),
        ("SITE__REDIS__URL", "redis://:hunter2@127.0.0.1:port"),
        ("SITE__REDIS__URL", "redis://:hunter2@127.0.0.1:6379/db"),
    ];
    for (variable, value) in secrets {
        let mut configuration = Configuration::default();
        configuration.set(variable, value);
        let ended = run(&[], &configuration);
        complaint(&ended, variable);
        assert!(!ended.errors.contains("hunter2"), "{}", ended.errors);
    }
}

#[test]
fn quotation_marks_and_what_cannot_be_seen_inside_are_refused() {
    let api_key = "hunter2-hunter2-hunter2-hunter2-hunter2";
    for (variable, value) in [
        ("SITE__PUBLIC__URL", "https://www.example.com"),
        ("SITE__PUBLIC__ALLOWED_ORIGINS", "https://shop.example.com"),
        ("SITE__REDIS__URL", "redis://:hunter2@127.0.0.1:1"),
        ("SITE__GATEWAY__URL", "http://127.0.0.1:9081"),
        ("SITE__GATEWAY__API_KEY", api_key),
        ("SITE__LOGIN__TTL_SECONDS", "300"),
        ("SITE__LOG__FORMAT", "json"),
    ] {
        let (first, last) = value.split_at(value.len() / 2);
        for (given, wrong) in [
            (format!("\"{value}\""), "quotation mark"),
            (format!("'{value}'\r\n"), "quotation mark"),
            (format!("{first}\u{feff}{last}"), "U+FEFF"),
        ] {
            let mut configuration = Configuration::default();
            configuration.set(variable, &given);
            let ended = run(&[], &configuration);
            let line = complaint(&ended, variable);
            assert!(line.contains(wrong), "{line}");
            assert!(!ended.errors.contains("hunter2"), "{}", ended.errors);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_seen_around_a_value_is_no_part_of_it() {
    let stack = Plan::default().sites(0).start().await;
    let settings = stack.site_environment();
    let mut plan = stack.plan.clone();
    for (variable, value) in settings {
        plan = plan.site(&variable, &format!("\u{feff}{value}\u{3000}\r\n"));
    }
    let mut stack = Stack { plan, ..stack };
    stack.add_site().await;
    // The gateway takes the key.
    stack.visitor().start_login().await;
}

#[test]
fn help_lists_every_setting() {
    let help = run(&["--help"], &Configuration::default());
    assert_eq!(help.code, Some(0));
    for (variable, _, _) in SETTINGS {
        let begins = |line: &str| line.trim().split(", ").next() == Some(variable);
        assert!(
            help.output.lines().any(begins),
            "{variable}: {}",
            help.output
        );
    }
    let listed = help.output.lines().map(str::trim);
    let listed: Vec<&str> = listed.filter(|line| line.starts_with("SITE__")).collect();
    let of_clients = listed
        .iter()
        .filter(|line| line.starts_with("SITE__CLIENT__<NAME>__"))
        .count();
    assert_eq!(of_clients, OF_A_CLIENT, "the number of a client's");
    assert_eq!(
        listed.len() - of_clients,
        SETTINGS.len(),
        "this test's table is whole"
    );
    for word in ["--config", "healthcheck", "--version", "_FILE"] {
        assert!(help.output.contains(word), "{word}");
    }
}

#[test]
fn an_unknown_option_is_refused() {
    let ended = run(&["--port", "80"], &Configuration::default());
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("--port"), "{}", ended.errors);
}

#[test]
fn a_file_that_can_not_be_used_is_named() {
    let folder = log_folder::create();
    let path = folder.join("site.toml");
    let file = path.to_str().unwrap();
    let ended = run(&["--config", file], &Configuration::default());
    assert_eq!(ended.code, Some(2), "{}", ended.errors);
    assert!(ended.errors.contains("site.toml"), "{}", ended.errors);

    fs::write(&path, "[login\nttl_seconds = 300").unwrap();
    let ended = run(&["--config", file], &Configuration::default());
    assert_eq!(ended.code, Some(2), "{}", ended.errors);
    assert!(ended.errors.contains("site.toml"), "{}", ended.errors);

    fs::write(&path, "[login]\nttl_seconds = 0\nttl = 5").unwrap();
    let ended = run(&["--config", file], &Configuration::default());
    complaint(&ended, "SITE__LOGIN__TTL_SECONDS");
    assert!(ended.errors.contains("(login.ttl)"), "{}", ended.errors);
}

#[tokio::test]
async fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let log = log_folder::create();
    let redis = RedisServer::start(&log).await;
    let path = log.join("site.toml");
    let toml = format!(
        "[public]\nurl = 'https://www.example.com'\nbind = '127.0.0.1:0'\n\
         trusted_proxies = ['127.0.0.1', '10.0.0.0/8']\n\
         allowed_origins = ['https://shop.example.com', 'https://blog.example.com']\n\
         [internal]\nbind = '127.0.0.1:0'\n[redis]\nurl = '{}'\n\
         [gateway]\nurl = 'nonsense'\napi_key = '{API_KEY}'\n\
         [limits]\nlogins_per_minute = 1\n",
        redis.url()
    );
    fs::write(&path, toml).unwrap();
    let environment = [(
        "SITE__GATEWAY__URL".to_owned(),
        "http://127.0.0.1:1".to_owned(),
    )];
    let arguments = ["--config", path.to_str().unwrap()];
    let site = process::start(
        "site",
        binaries::path("site"),
        arguments,
        &environment,
        &log,
    );
    let site = Service::ready(site, "site ready ").await;
    let mut visitor = Visitor::new(&site.public);
    for (origin, client, status) in [
        ("https://www.example.com", "203.0.113.1", 503),
        ("https://shop.example.com", "203.0.113.1", 429),
        ("https://blog.example.com", "203.0.113.2", 503),
    ] {
        visitor.set_header("origin", origin);
        visitor.set_header("x-forwarded-for", client);
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test]
async fn secrets_can_come_from_files() {
    let log = log_folder::create();
    let redis = RedisServer::start(&log).await;
    let [key, address] = ["api-key", "redis-url"].map(|name| log.join(name));
    fs::write(&key, format!("{API_KEY}\n")).unwrap();
    fs::write(&address, format!("{}\n", redis.url())).unwrap();
    let mut configuration = Configuration::default();
    configuration.remove("SITE__GATEWAY__API_KEY");
    configuration.remove("SITE__REDIS__URL");
    configuration.set("SITE__GATEWAY__API_KEY_FILE", key.to_str().unwrap());
    configuration.set("SITE__REDIS__URL_FILE", address.to_str().unwrap());
    let no_arguments: [&str; 0] = [];
    let environment = configuration.environment();
    let site = process::start(
        "site",
        binaries::path("site"),
        no_arguments,
        &environment,
        &log,
    );
    Service::ready(site, "site ready ").await;
}

#[test]
fn a_secrets_file_that_can_not_be_used_is_named() {
    let folder = log_folder::create();
    let mut configuration = Configuration::default();
    let missing = folder.join("missing");
    let missing = missing.to_str().unwrap();
    configuration.set("SITE__GATEWAY__API_KEY_FILE", missing);
    let twice = run(&[], &configuration);
    assert!(complaint(&twice, "SITE__GATEWAY__API_KEY").contains("is set twice"));

    configuration.remove("SITE__GATEWAY__API_KEY");
    let ended = run(&[], &configuration);
    let line = complaint(&ended, "SITE__GATEWAY__API_KEY");
    assert!(line.contains(missing), "{line}");

    let short = folder.join("short");
    fs::write(&short, "hunter2").unwrap();
    configuration.set("SITE__GATEWAY__API_KEY_FILE", short.to_str().unwrap());
    let ended = run(&[], &configuration);
    complaint(&ended, "SITE__GATEWAY__API_KEY");
    assert!(!ended.errors.contains("hunter2"), "{}", ended.errors);
}

#[test]
fn only_secrets_can_come_from_files() {
    let mut configuration = Configuration::default();
    configuration.set("SITE__PUBLIC__BIND_FILE", "/etc/hostname");
    let ended = run(&[], &configuration);
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("SITE__PUBLIC__BIND_FILE"));
}
