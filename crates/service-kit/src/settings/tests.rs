//! What is read from where, and what is said of what is wrong.

use std::os::unix::ffi::OsStringExt as _;

use secrecy::ExposeSecret as _;

use super::*;
use crate::settings_parse;

static NAME: Key<String> = Key {
    name: "wechat.app_id",
    default: Default::Required,
    example: "wx0123456789abcdef",
    meaning: "The account's AppID.",
    secret: false,
    parse: settings_parse::text,
};
static SECRET: Key<secrecy::SecretString> = Key {
    name: "wechat.app_secret",
    default: Default::Required,
    example: "0123456789abcdef0123456789abcdef",
    meaning: "The account's AppSecret.",
    secret: true,
    parse: settings_parse::secret,
};
static TTL: Key<u32> = Key {
    name: "login.ttl_seconds",
    default: Default::Text("300"),
    example: "300",
    meaning: "How long an attempt lives, in seconds.",
    secret: false,
    parse: settings_parse::integer_from::<1>,
};
static KEYS: [&dyn AnyKey; 3] = [&NAME, &SECRET, &TTL];

fn check(pairs: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    let values = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Settings::check("GATEWAY", &KEYS, values.collect())
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
         GATEWAY__LOGIN__TTL_SECONDS (login.ttl_seconds) is no whole number: \"soon\"; example: 300"
    );
}

#[test]
fn defaults_apply_and_values_win() {
    let least = [("wechat.app_id", "wx1"), ("wechat.app_secret", "s")];
    assert_eq!(check(&least).unwrap().get(&TTL).unwrap(), 300);
    let more = [
        ("wechat.app_id", "wx1"),
        ("wechat.app_secret", "s"),
        ("login.ttl_seconds", "60"),
    ];
    assert_eq!(check(&more).unwrap().get(&TTL).unwrap(), 60);
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
    let in_file = Settings::read("GATEWAY", &KEYS, &format!("\"{endless}\" = 1"), []);
    let variable = (format!("GATEWAY__{endless}").into(), "1".into());
    let in_environment = Settings::read("GATEWAY", &KEYS, "", [variable]);
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
    let outcome = Settings::read("GATEWAY", &KEYS, &nested, []);
    let message = outcome.err().unwrap().to_string();
    assert!(message.contains("(x.0) is not a setting"), "{message}");
    assert!(message.len() < 1024, "{} bytes", message.len());
}

#[test]
fn a_secret_that_is_not_utf8_is_not_shown() {
    let secret = OsString::from_vec(b"hunter2\xff".to_vec());
    let variable = ("GATEWAY__WECHAT__APP_SECRET".into(), secret);
    let outcome = Settings::read("GATEWAY", &KEYS, "", [variable]);
    assert_eq!(
        outcome.err().unwrap().to_string(),
        "the settings can't be used:\n  \
         GATEWAY__WECHAT__APP_SECRET (wechat.app_secret) is not UTF-8"
    );
}

fn read(document: &str, environment: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    let variables = environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Settings::read("GATEWAY", &KEYS, document, variables)
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
            assert_eq!(settings.get(&NAME).unwrap(), "wx1");
            assert_eq!(settings.get(&SECRET).unwrap().expose_secret(), "s3cret");
        }
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_blank_variable_is_unset_and_leaves_the_file_its_say() {
    let document = "wechat = { app_id = 'wx1', app_secret = 's3cret' }";
    let blank = [("GATEWAY__WECHAT__APP_ID", " \u{3000}\n")];
    assert_eq!(read(document, &blank).unwrap().get(&NAME).unwrap(), "wx1");
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
fn words_for_people_keep_what_is_inside_them() {
    static WELCOME: Key<String> = Key {
        name: "reply.welcome",
        default: Default::Unset,
        example: "Welcome",
        meaning: "A greeting.",
        secret: false,
        parse: settings_parse::text,
    };
    let words = "\"Hello\",\n\u{200b}they said: 'Hi'";
    let values = [("reply.welcome".to_owned(), format!(" {words}\n"))];
    let settings = Settings::check("GATEWAY", &[&WELCOME], values.into());
    assert_eq!(settings.unwrap().get(&WELCOME).unwrap(), words);
}

#[test]
fn help_names_every_setting() {
    let text = help("GATEWAY", &KEYS);
    assert!(
        text.contains("GATEWAY__WECHAT__APP_SECRET, or its file's path in …_FILE"),
        "{text}"
    );
    assert!(text.contains("default: 300"), "{text}");
}
