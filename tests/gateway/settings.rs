//! Settings: what is missing or malformed stops the gateway with a message that helps and tells no
//! secret.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;
use system_tests::{
    attempts::new_scene,
    binaries, log_folder,
    process::{self, Process},
    stack::{API_KEY, APP_ID, APP_SECRET, Plan, Stack, TOKEN},
};

use crate::http;

/// Every setting of the gateway, with the environment's name.
const KEYS: [&str; 57] = [
    "GATEWAY__WECHAT__APP_ID",
    "GATEWAY__WECHAT__APP_SECRET",
    "GATEWAY__WECHAT__TOKEN",
    "GATEWAY__WECHAT__ENCODING_AES_KEY",
    "GATEWAY__WECHAT__ACCEPT_PLAINTEXT",
    "GATEWAY__WECHAT__CHECK_CALLBACK_IP",
    "GATEWAY__WECHAT__API_URL",
    "GATEWAY__WECHAT__MP_URL",
    "GATEWAY__WECHAT__OPEN_URL",
    "GATEWAY__WECHAT__PROXY_URL",
    "GATEWAY__WECHAT__TOKEN_MODE",
    "GATEWAY__WECHAT__NAME",
    "GATEWAY__WECHAT__QR_URL",
    "GATEWAY__WECHAT__WEB_AUTHORIZATION",
    "GATEWAY__INTERNAL__API_KEY",
    "GATEWAY__INTERNAL__BIND",
    "GATEWAY__PUBLIC__BIND",
    "GATEWAY__PUBLIC__URL",
    "GATEWAY__PUBLIC__TRUSTED_PROXIES",
    "GATEWAY__REDIS__URL",
    "GATEWAY__LOG__FORMAT",
    "GATEWAY__LOG__LEVEL",
    "GATEWAY__TRACES__ENDPOINT",
    "GATEWAY__TRACES__HEADERS",
    "GATEWAY__TRACES__SAMPLE_RATIO",
    "GATEWAY__TRACES__CONTINUE_INCOMING",
    "GATEWAY__LOGIN__APPROVAL",
    "GATEWAY__LIMITS__QR_CODES_PER_DAY",
    "GATEWAY__PROFILE__ASK",
    "GATEWAY__PROFILE__MAX_AGE_SECONDS",
    "GATEWAY__PROFILE__ASK_AGAIN_SECONDS",
    "GATEWAY__RELAY__URL",
    "GATEWAY__RELAY__ON_FAILURE",
    "GATEWAY__RELAY__COPY_LOGINS",
    "GATEWAY__REPLY__SITE_NAME",
    "GATEWAY__REPLY__NEW_FOLLOWER",
    "GATEWAY__REPLY__RETURNING",
    "GATEWAY__REPLY__TAKEN",
    "GATEWAY__REPLY__EXPIRED",
    "GATEWAY__REPLY__ASK_PROFILE",
    "GATEWAY__REPLY__CONFIRM",
    "GATEWAY__REPLY__WELCOME",
    "GATEWAY__REPLY__KEYWORDS",
    "GATEWAY__PUBLIC__VERIFICATION_FILES",
    "GATEWAY__EVENTS__KEEP_DAYS",
    "GATEWAY__COMPAT__WECHAT_SERVER_TOKEN",
    "GATEWAY__COMPAT__KEYWORDS",
    "GATEWAY__COMPAT__ACCOUNT",
    "GATEWAY__COMPAT__REPLY",
    "GATEWAY__CONSOLE__OPENIDS",
    "GATEWAY__CONSOLE__ACCOUNT",
    "GATEWAY__INTERNAL__API_KEY_PREVIOUS",
    "GATEWAY__WECHAT__TOKEN_PREVIOUS",
    "GATEWAY__WECHAT__ENCODING_AES_KEY_PREVIOUS",
    "GATEWAY__WEBHOOK__<NAME>__URL",
    "GATEWAY__WEBHOOK__<NAME>__SECRET",
    "GATEWAY__WEBHOOK__<NAME>__EVENTS",
];

/// What can be set for one account, behind its name.
const ACCOUNT_KEYS: [&str; 27] = [
    "TOKEN_PREVIOUS",
    "ENCODING_AES_KEY_PREVIOUS",
    "APP_ID",
    "APP_SECRET",
    "TOKEN",
    "ENCODING_AES_KEY",
    "ACCEPT_PLAINTEXT",
    "TOKEN_MODE",
    "NAME",
    "QR_URL",
    "WEB_AUTHORIZATION",
    "RELAY_URL",
    "RELAY_ON_FAILURE",
    "RELAY_COPY_LOGINS",
    "REPLY_SITE_NAME",
    "REPLY_NEW_FOLLOWER",
    "REPLY_RETURNING",
    "REPLY_TAKEN",
    "REPLY_EXPIRED",
    "REPLY_ASK_PROFILE",
    "REPLY_CONFIRM",
    "REPLY_WELCOME",
    "REPLY_KEYWORDS",
    "PROFILE_ASK",
    "PROFILE_MAX_AGE_SECONDS",
    "PROFILE_ASK_AGAIN_SECONDS",
    "LIMITS_QR_CODES_PER_DAY",
];

/// In every bad secret of these tests, so that a message that repeats one is found.
pub(crate) const HIDDEN: &str = "hunter2";

/// The least that a gateway needs.
pub(crate) fn least() -> BTreeMap<String, String> {
    [
        ("GATEWAY__WECHAT__APP_ID", APP_ID),
        ("GATEWAY__WECHAT__APP_SECRET", APP_SECRET),
        ("GATEWAY__WECHAT__TOKEN", TOKEN),
        ("GATEWAY__INTERNAL__API_KEY", API_KEY),
        ("GATEWAY__PUBLIC__BIND", "127.0.0.1:0"),
        ("GATEWAY__INTERNAL__BIND", "127.0.0.1:0"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

pub(crate) fn run(settings: &BTreeMap<String, String>, arguments: &[&str], log: &Path) -> Process {
    let environment: Vec<_> = settings
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let program = binaries::path("wechat-gateway");
    process::start("gateway", program, arguments, &environment, log)
}

/// Runs a gateway to its end, which its settings must be, and returns what it said.
pub(crate) async fn complaint(settings: &BTreeMap<String, String>, arguments: &[&str]) -> String {
    let mut process = run(settings, arguments, &log_folder::create());
    let said = process.said().await;
    assert_eq!(process.ended().await.code(), Some(2), "{said}");
    assert!(said.starts_with("wechat-gateway: "), "{said}");
    said
}

#[tokio::test]
async fn a_missing_setting_is_named_with_an_example() {
    for (key, example) in [
        ("GATEWAY__WECHAT__APP_ID", "wx0123456789abcdef"),
        (
            "GATEWAY__WECHAT__APP_SECRET",
            "0123456789abcdef0123456789abcdef",
        ),
        ("GATEWAY__WECHAT__TOKEN", "a1B2c3D4e5F6g7H8"),
        (
            "GATEWAY__INTERNAL__API_KEY",
            "the-output-of-openssl-rand-hex-32",
        ),
    ] {
        let mut without = least();
        without.remove(key);
        let mut empty = least();
        empty.insert(key.to_owned(), String::new());
        for settings in [without, empty] {
            let said = complaint(&settings, &[]).await;
            let expected = format!("{key} (");
            assert!(said.contains(&expected), "{said}");
            assert!(
                said.contains(&format!("is missing; example: {example}")),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn everything_that_is_missing_is_said_at_once() {
    let said = complaint(&BTreeMap::new(), &[]).await;
    assert_eq!(said.matches("is missing").count(), 4, "{said}");
}

#[tokio::test]
async fn a_picture_that_is_none_is_refused_in_words() {
    let folder = log_folder::create();
    let png = b"\x89PNG\r\n\x1a\n";
    let largest = login_protocol::account_picture::LARGEST;
    let large = [&png[..], &vec![0; largest]].concat();
    for (name, content, wrong) in [
        (
            "account.svg",
            Some(&b"<svg/>"[..]),
            "is no picture: PNG, JPEG",
        ),
        ("account.png", Some(b""), "is no picture: PNG, JPEG"),
        ("header.png", Some(png), "is a broken picture"),
        (
            "empty.gif",
            Some(b"GIF89a\0\0\0\0"),
            "is 0 × 0 pixels: each side has to have 64 to 4096",
        ),
        (
            "line.gif",
            Some(b"GIF89a\xff\xff\x40\0"),
            "is 65535 × 64 pixels",
        ),
        ("large.png", Some(&large), "is larger than 512 KiB"),
        ("missing.png", None, "can't be read: No such file"),
        (".", None, "can't be read: Is a directory"),
    ] {
        let path = folder.join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file can be written");
        }
        let path = path.to_str().expect("a path in UTF-8");
        let mut settings = least();
        settings.insert("GATEWAY__WECHAT__QR_URL".to_owned(), path.to_owned());
        let said = complaint(&settings, &[]).await;
        assert!(said.contains("GATEWAY__WECHAT__QR_URL ("), "{said}");
        assert!(said.contains(wrong) && said.contains(name), "{said}");
        assert!(said.contains("example: https://"), "{said}");
    }
}

#[tokio::test]
async fn a_malformed_setting_is_named_with_what_is_wrong() {
    for (key, value, wrong) in [
        ("GATEWAY__WECHAT__APP_ID", "wx 1", "is not an AppID"),
        ("GATEWAY__WECHAT__APP_ID", "wx:{1}", "is not an AppID"),
        (
            "GATEWAY__WECHAT__ENCODING_AES_KEY",
            "hunter2hunter2",
            "43 characters, this one has 14",
        ),
        (
            "GATEWAY__WECHAT__ENCODING_AES_KEY",
            "hunter2hunter2hunter2hunter2hunter2hunter2-",
            "letters and digits",
        ),
        ("GATEWAY__WECHAT__ACCEPT_PLAINTEXT", "yes", "true or false"),
        (
            "GATEWAY__WECHAT__ACCEPT_PLAINTEXT",
            "false",
            "no push could be accepted",
        ),
        (
            "GATEWAY__WECHAT__API_URL",
            "api.weixin.qq.com",
            "is not a URL",
        ),
        (
            "GATEWAY__WECHAT__API_URL",
            "ftp://api.weixin.qq.com",
            "http://",
        ),
        ("GATEWAY__WECHAT__MP_URL", "https://x/?a=1", "a query"),
        ("GATEWAY__WECHAT__OPEN_URL", "https://x/#a", "a fragment"),
        (
            "GATEWAY__WECHAT__QR_URL",
            "ftp://x/qr.png",
            "must begin with http:// or https://",
        ),
        (
            "GATEWAY__WECHAT__PROXY_URL",
            "socks4://user:hunter2@proxy.example.com:1080",
            "must begin with http://, https:// or socks5://",
        ),
        (
            "GATEWAY__WECHAT__PROXY_URL",
            "http://user:hunter2@proxy.example.com:port",
            "is not a URL",
        ),
        (
            "GATEWAY__WECHAT__TOKEN_MODE",
            "Stable",
            "must be stable or legacy",
        ),
        (
            "GATEWAY__INTERNAL__API_KEY",
            "hunter2-hunter2",
            "15 characters; it needs at least 32",
        ),
        (
            "GATEWAY__INTERNAL__API_KEY",
            "hunter2 hunter2 hunter2 hunter2 hunter2",
            "contains a space",
        ),
        ("GATEWAY__PUBLIC__BIND", "8081", "is not an address:port"),
        (
            "GATEWAY__PUBLIC__BIND",
            "localhost:8081",
            "is not an address:port",
        ),
        (
            "GATEWAY__INTERNAL__BIND",
            "127.0.0.1:99999",
            "is not an address:port",
        ),
        ("GATEWAY__PUBLIC__URL", "wechat.example.com", "is not a URL"),
        (
            "GATEWAY__PUBLIC__TRUSTED_PROXIES",
            "10.0.0.0/33",
            "is not a network",
        ),
        (
            "GATEWAY__REDIS__URL",
            "http://:hunter2@localhost",
            "redis://",
        ),
        (
            "GATEWAY__REDIS__URL",
            "redis://:hunter2@host:port",
            "not a Redis URL",
        ),
        ("GATEWAY__LOG__FORMAT", "xml", "text or json"),
        ("GATEWAY__LOG__LEVEL", "info,=,", "log filter"),
    ] {
        let mut settings = least();
        settings.insert(key.to_owned(), value.to_owned());
        let said = complaint(&settings, &[]).await;
        assert!(said.contains(&format!("{key} (")), "{value}: {said}");
        assert!(said.contains(wrong), "{value}: {said}");
        assert!(said.contains("; example: "), "{value}: {said}");
        assert!(!said.contains(HIDDEN), "{value}: {said}");
    }
}

#[tokio::test]
async fn a_malformed_setting_of_traces_is_named_with_what_is_wrong() {
    for (key, value, wrong) in [
        ("GATEWAY__TRACES__ENDPOINT", "otel:4318", "http://"),
        ("GATEWAY__TRACES__SAMPLE_RATIO", "1.5", "from 0 to 1"),
        ("GATEWAY__TRACES__HEADERS", "hunter2", "name=value"),
    ] {
        let mut settings = least();
        settings.insert(key.to_owned(), value.to_owned());
        let said = complaint(&settings, &[]).await;
        assert!(said.contains(&format!("{key} (")), "{value}: {said}");
        assert!(said.contains(wrong), "{value}: {said}");
        assert!(!said.contains(HIDDEN), "{value}: {said}");
    }
}

/// What files, consoles and chat programs leave around a text that is copied.
const AROUND: [(&str, &str); 5] = [
    (" ", "  "),
    ("", "\r\n"),
    ("\u{feff}", "\n"),
    ("\u{3000}", "\u{a0}"),
    ("\u{200b}", "\t"),
];

#[tokio::test]
async fn what_cannot_be_seen_around_a_value_is_no_part_of_it() {
    for (before, after) in AROUND {
        let mut plan = Plan::default().sites(0).gateways(0);
        let stack = plan.clone().start().await;
        for (key, value) in stack.gateway_environment() {
            plan = plan.gateway(&key, &format!("{before}{value}{after}"));
        }
        let mut stack = Stack { plan, ..stack };
        // It is ready once WeChat has taken AppID and AppSecret.
        stack.add_gateway().await;
        let gateway = &stack.gateways[0];
        let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
        let created = http::post(gateway, "/v1/qrcodes", &body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        // Token and EncodingAESKey.
        stack.push_to(0).await;
        let person = stack.wechat.person("小林", true).await;
        let content = created.json["content"].as_str().expect("a code has it");
        let scanned = stack.wechat.scan(&person, content).await;
        let status = &scanned["delivery"]["attempts"][0]["status"];
        assert_eq!(*status, 200, "{scanned}");
    }
}

#[tokio::test]
async fn quotation_marks_and_what_cannot_be_seen_inside_are_refused() {
    let redis = "redis://:hunter2@127.0.0.1:1";
    let api_key = "hunter2-hunter2-hunter2-hunter2-hunter2";
    let aes_key = "hunter2hunter2hunter2hunter2hunter2hunter2h";
    for (key, value) in [
        ("GATEWAY__WECHAT__APP_ID", "wxhunter2"),
        ("GATEWAY__WECHAT__APP_SECRET", "hunter2hunter2"),
        ("GATEWAY__WECHAT__TOKEN", "hunter2hunter2"),
        ("GATEWAY__WECHAT__ENCODING_AES_KEY", aes_key),
        ("GATEWAY__WECHAT__PROXY_URL", "http://owner:hunter2@proxy"),
        ("GATEWAY__INTERNAL__API_KEY", api_key),
        ("GATEWAY__REDIS__URL", redis),
        ("GATEWAY__WECHAT__API_URL", "https://api.weixin.qq.com"),
        ("GATEWAY__RELAY__URL", "https://example.com/a"),
        ("GATEWAY__PUBLIC__BIND", "127.0.0.1:0"),
        ("GATEWAY__LIMITS__QR_CODES_PER_DAY", "10"),
    ] {
        let (first, last) = value.split_at(value.len() / 2);
        for (given, wrong) in [
            (format!("\"{value}\""), "quotation mark"),
            (format!(" '{value}'\n"), "quotation mark"),
            (format!("\u{201c}{value}\u{201d}"), "quotation mark"),
            (format!("{value}\""), "quotation mark"),
            (format!("{first}\u{200b}{last}"), "U+200B"),
            (format!("{first}\u{7}{last}"), "U+0007"),
        ] {
            let mut settings = least();
            settings.insert(key.to_owned(), given);
            let said = complaint(&settings, &[]).await;
            assert!(said.contains(&format!("{key} (")), "{said}");
            assert!(said.contains(wrong), "{said}");
            assert!(!said.contains(HIDDEN), "{said}");
        }
    }
    for key in ["APP_SECRET", "TOKEN"] {
        let mut settings = least();
        let key = format!("GATEWAY__WECHAT__{key}");
        settings.insert(key, "hunter2 hunter2".to_owned());
        let said = complaint(&settings, &[]).await;
        assert!(said.contains("contains a space"), "{said}");
        assert!(!said.contains(HIDDEN), "{said}");
    }
}

#[tokio::test]
async fn words_for_people_keep_their_quotation_marks_and_line_ends() {
    let plan = Plan::default().sites(0).gateway(
        "GATEWAY__REPLY__WELCOME",
        " \"你好\"，\n\u{201c}欢迎\u{201d}\n",
    );
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", false).await;
    stack.wechat.follow(&person).await;
    let chat = stack.wechat.chat(&person).await;
    let words = "\"你好\"，\n\u{201c}欢迎\u{201d}".to_owned();
    assert!(chat.contains(&words), "{chat:?}");
}

#[tokio::test]
async fn an_unknown_key_is_an_error() {
    for (key, hint) in [
        ("GATEWAY__WECHAT__APPID", "--help lists all settings"),
        (
            "GATEWAY__PUBLIC__TOKEN",
            "did you mean GATEWAY__WECHAT__TOKEN?",
        ),
        ("GATEWAY__TOKEN", "did you mean GATEWAY__WECHAT__TOKEN?"),
        ("GATEWAY__WECHAT__APP_ID_FILE", "--help lists all settings"),
    ] {
        let mut settings = least();
        settings.insert(key.to_owned(), HIDDEN.to_owned());
        let said = complaint(&settings, &[]).await;
        assert!(said.contains(key), "{said}");
        assert!(said.contains("is not a setting of this service"), "{said}");
        assert!(said.contains(hint), "{said}");
        assert!(!said.contains(HIDDEN), "{said}");
    }
}

#[tokio::test]
async fn what_wechat_servers_protocol_lacks_is_named() {
    for (key, value, wrong) in [
        ("WECHAT_SERVER_TOKEN", "hunter2 hunter2", "contains a space"),
        (
            "ACCOUNT",
            "shop",
            "is shop, which is no account of this gateway",
        ),
        ("KEYWORDS", " , ", "names no keyword"),
        ("REPLY", "your code", "must contain {code}"),
    ] {
        let mut settings = least();
        let token = "GATEWAY__COMPAT__WECHAT_SERVER_TOKEN".to_owned();
        settings.insert(token, "6f1c0e8a9d2b4753a1c9".to_owned());
        settings.insert(format!("GATEWAY__COMPAT__{key}"), value.to_owned());
        let said = complaint(&settings, &[]).await;
        assert!(said.contains(wrong), "{said}");
        assert!(!said.contains(HIDDEN), "{said}");
    }
}

#[tokio::test]
async fn what_others_put_into_the_environment_is_no_setting() {
    let mut settings = least();
    // Kubernetes does this for a service named "gateway".
    for (key, value) in [
        ("GATEWAY_PORT", "tcp://10.0.0.1:8081"),
        ("GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("SITE__GATEWAY__URL", "http://127.0.0.1:9081"),
    ] {
        settings.insert(key.to_owned(), value.to_owned());
    }
    let mut process = run(&settings, &[], &log_folder::create());
    process.line_with(" listening ").await;
    assert_eq!(process.stop().await.code(), Some(0));
}

#[tokio::test]
async fn help_lists_every_setting() {
    let mut process = run(&BTreeMap::new(), &["--help"], &log_folder::create());
    assert_eq!(process.ended().await.code(), Some(0));
    let said = process.said().await;
    for key in KEYS {
        assert!(said.contains(key), "{key}: {said}");
    }
    for key in ACCOUNT_KEYS {
        let key = format!("GATEWAY__ACCOUNT__<NAME>__{key}");
        assert!(said.contains(&key), "{key}: {said}");
    }
    assert_eq!(
        said.matches("  GATEWAY__").count(),
        KEYS.len() + ACCOUNT_KEYS.len(),
        "a setting that this test doesn't know: {said}"
    );
}
