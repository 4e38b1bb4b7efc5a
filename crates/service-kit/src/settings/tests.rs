//! What is read from where, and how errors are reported.

use std::{collections::BTreeMap, os::unix::ffi::OsStringExt as _};

use login_protocol::account::AccountName;
use secrecy::{ExposeSecret as _, SecretString};

use super::*;
use crate::settings_parse;

static NAME: Key<String> = Key {
    name: "wechat.app_id",
    default: Default::Required,
    example: "wx0123456789abcdef",
    meaning: "The account's AppID.",
    meaning_zh: "公众号的 AppID",
    secret: false,
    parse: settings_parse::text,
};
static SECRET: Key<SecretString> = Key {
    name: "wechat.app_secret",
    default: Default::Required,
    example: "0123456789abcdef0123456789abcdef",
    meaning: "The account's AppSecret.",
    meaning_zh: "公众号的 AppSecret",
    secret: true,
    parse: settings_parse::secret,
};
static TTL: Key<u32> = Key {
    name: "login.ttl_seconds",
    default: Default::Text("300"),
    example: "300",
    meaning: "How long an attempt lives, in seconds.",
    meaning_zh: "登录多少秒后失效",
    secret: false,
    parse: settings_parse::integer_from::<1>,
};
static URL: Key<String> = Key {
    name: "relay.url",
    default: Default::Unset,
    example: "https://backend.example.com",
    meaning: "Where pushes go.",
    meaning_zh: "推送转到哪里",
    secret: true,
    parse: settings_parse::text,
};
static ACCOUNT: NamedTable = NamedTable {
    kind: "account",
    own_section: "wechat",
    meaning: "Other accounts.",
    meaning_zh: "其他账号。",
};

#[derive(Debug)]
struct Account {
    app_id: String,
    secret: SecretString,
    ttl: u32,
    relay: Option<String>,
}

#[derive(Debug)]
struct Root {
    account: Account,
    others: BTreeMap<AccountName, Account>,
}

impl Section for Account {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (app_id, secret) = (reader.value(&NAME), reader.value(&SECRET));
        let ttl = reader.inherited_section::<Ttl>();
        let relay = reader.optional(&URL);
        Some(Self {
            app_id: app_id?,
            secret: secret?,
            ttl: ttl?.0,
            relay: relay?,
        })
    }
}

struct Ttl(u32);

impl Section for Ttl {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.value(&TTL).map(Self)
    }
}

impl Section for Root {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let account = reader.section();
        let others = reader.tables(&ACCOUNT, &["default"], Reader::section);
        Some(Self {
            account: account?,
            others: others?,
        })
    }
}

fn check(pairs: &[(&str, &str)]) -> Result<Root, InvalidSettings> {
    let variables = pairs.iter().map(|(name, value)| {
        let variable = format!("GATEWAY__{}", name.replace('.', "__"));
        (variable.into(), (*value).into())
    });
    parse("GATEWAY", "", variables)
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_examples() {
    let error = check(&[("login.ttl_seconds", "soon"), ("wechat.appid", "x")])
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "the settings can't be used:\n  \
         GATEWAY__WECHAT__APPID (wechat.appid) is not a setting of this service; --help lists all settings\n  \
         GATEWAY__WECHAT__APP_ID (wechat.app_id) is missing; example: wx0123456789abcdef\n  \
         GATEWAY__WECHAT__APP_SECRET (wechat.app_secret) is missing; example: 0123456789abcdef0123456789abcdef\n  \
         GATEWAY__LOGIN__TTL_SECONDS (login.ttl_seconds) is not a whole number: \"soon\"; example: 300"
    );
}

#[test]
fn defaults_apply_and_values_win() {
    let least = [("wechat.app_id", "wx1"), ("wechat.app_secret", "s")];
    assert_eq!(check(&least).unwrap().account.ttl, 300);
    let more = [
        ("wechat.app_id", "wx1"),
        ("wechat.app_secret", "s"),
        ("login.ttl_seconds", "60"),
    ];
    assert_eq!(check(&more).unwrap().account.ttl, 60);
}

#[test]
fn a_secret_given_twice_or_in_a_missing_file_is_refused() {
    let twice = [
        ("wechat.app_id", "wx1"),
        ("wechat.app_secret", "s"),
        ("wechat.app_secret_file", "/x"),
    ];
    assert!(
        check(&twice)
            .err()
            .unwrap()
            .to_string()
            .contains("is set twice")
    );
    let missing = [
        ("wechat.app_id", "wx1"),
        ("wechat.app_secret_file", "/no/such/file"),
    ];
    let message = check(&missing).err().unwrap().to_string();
    assert!(
        message.contains("can't be read from /no/such/file"),
        "{message}"
    );
}

#[test]
fn a_key_in_the_wrong_section_is_recognised() {
    let misplaced = [
        ("wechat.app_id", "wx1"),
        ("wechat.app_secret", "s"),
        ("limits.ttl_seconds", "1"),
    ];
    let message = check(&misplaced).err().unwrap().to_string();
    assert!(
        message.contains("did you mean GATEWAY__LOGIN__TTL_SECONDS?"),
        "{message}"
    );
}

#[test]
fn the_name_of_a_key_is_no_path_into_a_list() {
    let endless = "x[300000000000]";
    let in_file = parse::<Root>("GATEWAY", &format!("\"{endless}\" = 1"), []);
    let variable = (format!("GATEWAY__{endless}").into(), "1".into());
    let in_environment = parse::<Root>("GATEWAY", "", [variable]);
    for outcome in [in_file, in_environment] {
        let message = outcome.err().unwrap().to_string();
        assert!(
            message.contains("(x[300000000000]) is not a setting"),
            "{message}"
        );
    }
}

#[test]
fn lists_in_lists_are_no_settings_and_take_no_time() {
    let nested = format!("x = {}{}", "[".repeat(50), "]".repeat(50));
    let outcome = parse::<Root>("GATEWAY", &nested, []);
    let message = outcome.err().unwrap().to_string();
    assert!(message.contains("(x.0) is not a setting"), "{message}");
    assert!(message.len() < 1024, "{} bytes", message.len());
}

#[test]
fn a_secret_that_is_not_utf8_is_not_shown() {
    let secret = OsString::from_vec(b"hunter2\xff".to_vec());
    let variable = ("GATEWAY__WECHAT__APP_SECRET".into(), secret);
    let outcome = parse::<Root>("GATEWAY", "", [variable]);
    assert_eq!(
        outcome.err().unwrap().to_string(),
        "the settings can't be used:\n  \
         GATEWAY__WECHAT__APP_SECRET (wechat.app_secret) is not UTF-8"
    );
}

fn read(document: &str, environment: &[(&str, &str)]) -> Result<Root, InvalidSettings> {
    let variables = environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    parse("GATEWAY", document, variables)
}

#[test]
fn blanks_and_line_ends_around_a_value_are_no_part_of_it() {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("settings-{}", std::process::id()));
    for around in [" ", "\r\n", "\u{a0}", "\u{3000}", "\u{feff}", "\u{200b}\t"] {
        let wrapped = |text: &str| format!("{around}{text}{around}");
        std::fs::write(&file, wrapped("s3cret")).unwrap();
        let path = file.to_str().unwrap();
        let document = format!("wechat.app_id = '''{}'''", wrapped("wx1"));
        let secret = wrapped("s3cret");
        for settings in [
            read(&document, &[("GATEWAY__WECHAT__APP_SECRET", &secret)]),
            read(
                &document,
                &[("GATEWAY__WECHAT__APP_SECRET_FILE", &wrapped(path))],
            ),
        ] {
            let settings = settings.unwrap();
            assert_eq!(settings.account.app_id, "wx1");
            assert_eq!(settings.account.secret.expose_secret(), "s3cret");
        }
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_blank_variable_is_unset_and_leaves_the_file_its_say() {
    let document = "wechat = { app_id = 'wx1', app_secret = 's3cret' }";
    let blank = [("GATEWAY__WECHAT__APP_ID", " \u{3000}\n")];
    assert_eq!(read(document, &blank).unwrap().account.app_id, "wx1");
}

#[test]
fn quotation_marks_and_what_cannot_be_seen_are_refused_without_showing_a_secret() {
    for (value, wrong) in [
        ("\"hunter2\"", "quotation mark"),
        (" 'hunter2' ", "quotation mark"),
        ("hunt\u{200b}er2", "U+200B"),
        ("hunt\r\ner2", "U+000D"),
    ] {
        let outcome = check(&[("wechat.app_id", "wx1"), ("wechat.app_secret", value)]);
        let said = outcome.err().unwrap().to_string();
        assert!(said.contains("(wechat.app_secret) "), "{said}");
        assert!(said.contains(wrong), "{said}");
        assert!(!said.contains("hunt"), "{said}");
    }
    let quoted = check(&[("wechat.app_id", "'wx1'"), ("wechat.app_secret", "s")]);
    let said = quoted.err().unwrap().to_string();
    assert!(
        said.contains("(wechat.app_id) begins or ends with"),
        "{said}"
    );
}

#[test]
fn texts_for_people_keep_what_is_inside_them() {
    static WELCOME: Key<String> = Key {
        name: "reply.welcome",
        default: Default::Unset,
        example: "Welcome",
        meaning: "A greeting.",
        meaning_zh: "欢迎语",
        secret: false,
        parse: settings_parse::text,
    };
    struct Welcome(String);
    impl Section for Welcome {
        fn read(reader: &mut Reader<'_>) -> Option<Self> {
            reader.value(&WELCOME).map(Self)
        }
    }
    let text = "\"Hello\",\n\u{200b}they said: 'Hi'";
    let variable = (
        "GATEWAY__REPLY__WELCOME".into(),
        format!(" {text}\n").into(),
    );
    let settings = parse::<Welcome>("GATEWAY", "", [variable]);
    assert_eq!(settings.ok().unwrap().0, text);
}

#[test]
fn help_names_every_setting() {
    let text = help::<Root>("GATEWAY");
    assert!(
        text.contains("GATEWAY__WECHAT__APP_SECRET, or its file's path in …_FILE"),
        "{text}"
    );
    assert!(text.contains("default: 300"), "{text}");
    assert!(text.contains("GATEWAY__ACCOUNT__<NAME>__APP_ID"), "{text}");
}

#[test]
fn a_reference_has_a_row_for_every_setting_and_a_table_for_each_kind() {
    let expected = "\
| 设置 | 默认值 | 含义 |
|---|---|---|
| `GATEWAY__WECHAT__APP_ID` | 必填 | 公众号的 AppID |
| `GATEWAY__WECHAT__APP_SECRET` 密 | 必填 | 公众号的 AppSecret |
| `GATEWAY__LOGIN__TTL_SECONDS` | `300` | 登录多少秒后失效 |
| `GATEWAY__RELAY__URL` 密 | 无 | 推送转到哪里 |

其他账号。

| 设置 | 默认值 | 含义 |
|---|---|---|
| `GATEWAY__ACCOUNT__<NAME>__APP_ID` | 必填 | 公众号的 AppID |
| `GATEWAY__ACCOUNT__<NAME>__APP_SECRET` 密 | 必填 | 公众号的 AppSecret |
| `GATEWAY__ACCOUNT__<NAME>__LOGIN_TTL_SECONDS` | `GATEWAY__LOGIN__TTL_SECONDS` | 登录多少秒后失效 |
| `GATEWAY__ACCOUNT__<NAME>__RELAY_URL` 密 | 无 | 推送转到哪里 |
";
    assert_eq!(markdown::<Root>("GATEWAY", Language::Chinese), expected);
}

const LEAST: [(&str, &str); 2] = [("wechat.app_id", "wx1"), ("wechat.app_secret", "s")];

fn with(more: &[(&'static str, &'static str)]) -> Result<Root, InvalidSettings> {
    check(&[&LEAST, more].concat())
}

#[test]
fn tables_are_read_by_their_names() {
    let settings = with(&[
        ("account.shop.app_id", "wx2"),
        ("account.shop.app_secret", "s2"),
        ("account.b2.app_id", "wx3"),
        ("account.b2.app_secret", "s3"),
    ]);
    let settings = settings.unwrap();
    let found = settings.others.iter();
    let found: Vec<_> = found
        .map(|(name, account)| (name.as_str(), account.app_id.as_str()))
        .collect();
    assert_eq!(found, [("b2", "wx3"), ("shop", "wx2")]);
}

#[test]
fn a_table_inherits_what_it_may_and_nothing_else() {
    let shop = [
        ("login.ttl_seconds", "60"),
        ("relay.url", "https://a.example.com"),
        ("account.shop.app_id", "wx2"),
        ("account.shop.app_secret", "s2"),
    ];
    let settings = with(&shop).unwrap();
    let account = settings.others.values().next().unwrap();
    assert_eq!((account.ttl, account.relay.as_deref()), (60, None));
    let own = [
        ("account.shop.login_ttl_seconds", "90"),
        ("account.shop.relay_url", "https://b.example.com"),
    ];
    let settings = with(&[&shop[..], &own].concat()).unwrap();
    let account = settings.others.values().next().unwrap();
    let relay = account.relay.as_deref();
    assert_eq!((account.ttl, relay), (90, Some("https://b.example.com")));
    assert_eq!(settings.account.ttl, 60);
}

#[test]
fn everything_wrong_with_tables_is_said_at_once_with_their_names() {
    let error = with(&[
        ("account.shop.app_id", "wx2"),
        ("account.shop.colour", "red"),
        ("account.shop.login_ttl_seconds", "soon"),
        ("account.default.app_id", "wx3"),
        ("account.a_b.app_id", "wx4"),
        ("account.lonely", "1"),
    ]);
    let said = error.err().unwrap().to_string();
    for wrong in [
        "GATEWAY__ACCOUNT__SHOP__COLOUR (account.shop.colour) is not a setting",
        "GATEWAY__ACCOUNT__SHOP__APP_SECRET (account.shop.app_secret) is missing",
        "GATEWAY__ACCOUNT__SHOP__LOGIN_TTL_SECONDS (account.shop.login_ttl_seconds) is not a whole number",
        "GATEWAY__ACCOUNT__DEFAULT (account.default) can't be called that",
        "GATEWAY__ACCOUNT__A_B (account.a_b) can't be called that",
        "GATEWAY__ACCOUNT__LONELY (account.lonely) is not a setting",
    ] {
        assert!(said.contains(wrong), "{wrong}: {said}");
    }
    assert_eq!(said.lines().count(), 7, "{said}");
}

#[test]
fn a_secret_of_a_table_may_come_from_a_file_and_is_in_no_message() {
    let path = std::env::temp_dir().join(format!("table-secret-{}", std::process::id()));
    std::fs::write(&path, "s2cret\n").unwrap();
    let document = format!(
        "wechat = {{ app_id = 'wx1', app_secret = 's' }}\n\
         account.shop = {{ app_id = 'wx2', app_secret_file = '{}' }}",
        path.display()
    );
    let settings = read(&document, &[]).unwrap();
    let account = settings.others.values().next().unwrap();
    assert_eq!(account.secret.expose_secret(), "s2cret");
    std::fs::remove_file(&path).unwrap();
    let said = with(&[
        ("account.shop.app_id", "wx2"),
        ("account.shop.app_secret", "'hunter2'"),
    ]);
    let said = said.err().unwrap().to_string();
    assert!(said.contains("(account.shop.app_secret) "), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_file_and_the_environment_meet_in_one_table() {
    let document = "wechat = { app_id = 'wx1', app_secret = 's' }\n\
                    account.shop = { app_id = 'wx2', app_secret = 's2' }";
    let settings = read(document, &[("GATEWAY__ACCOUNT__SHOP__APP_ID", "wx9")]);
    let account = settings.unwrap().others.into_values().next().unwrap();
    assert_eq!(account.app_id, "wx9");
}
