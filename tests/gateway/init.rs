//! `wechat-gateway init`: a file of settings for its owner alone, and what to do next.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use system_tests::binaries;

/// A file that doesn't exist, outside of what is searched for secrets.
fn new_file() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("init-{}-{count}.env", std::process::id());
    std::env::temp_dir().join(name)
}

fn init(output: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(binaries::path("wechat-gateway"));
    command
        .env_clear()
        .env("LANG", "zh_CN.UTF-8")
        .args(["init", "--app-id", "wx0123456789abcdef"])
        .args(["--domain", "login.example.com", "--output"])
        .arg(output)
        .args(more)
        .stdin(std::process::Stdio::null());
    command.output().expect("it starts")
}

fn setting<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn its_file_is_its_owners_alone_and_is_overwritten_only_on_demand() {
    let file = new_file();
    let first = init(&file, &[]);
    assert!(first.status.success(), "{first:?}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(
        setting(&text, "SITE__PUBLIC__URL"),
        "https://login.example.com"
    );
    assert_eq!(setting(&text, "GATEWAY__INTERNAL__API_KEY").len(), 64);

    let again = init(&file, &[]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    // Another one's permissions don't stay.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(init(&file, &["--force"]).status.success());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let other = fs::read_to_string(&file).unwrap();
    for name in [
        "GATEWAY__INTERNAL__API_KEY",
        "GATEWAY__WECHAT__TOKEN",
        "GATEWAY__WECHAT__ENCODING_AES_KEY",
        "SITE__OIDC__SECRET",
        "REDIS_GATEWAY_PASSWORD",
        "REDIS_SITE_PASSWORD",
    ] {
        assert_ne!(setting(&text, name), setting(&other, name), "{name}");
    }
    fs::remove_file(&file).unwrap();
}

#[test]
fn it_says_what_to_enter_in_the_console_in_the_persons_language() {
    let file = new_file();
    for (more, words) in [
        (&["--force"][..], "服务器地址"),
        (&["--force", "--language", "en"][..], "IP whitelist"),
    ] {
        let output = init(&file, more);
        let said = String::from_utf8(output.stdout).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(said.contains(words), "{said}");
        for part in [
            "https://login.example.com/wechat/callback",
            setting(&text, "GATEWAY__WECHAT__TOKEN"),
            setting(&text, "GATEWAY__WECHAT__ENCODING_AES_KEY"),
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let secret = setting(&text, "GATEWAY__INTERNAL__API_KEY");
        assert!(!said.contains(secret), "only what the console needs");
    }
    fs::remove_file(&file).unwrap();
}

#[test]
fn what_cannot_be_used_is_said_and_nothing_is_written() {
    let file = new_file();
    for more in [
        &["--app-id", "nonsense"][..],
        &["--domain", "https://login.example.com/"],
        &["--language", "fr"],
        &["--app-secret-file", "/no/such/file"],
    ] {
        let mut command = Command::new(binaries::path("wechat-gateway"));
        command
            .env_clear()
            .arg("init")
            .args(["--output"])
            .arg(&file);
        for (option, value) in [
            ("--app-id", "wx0123456789abcdef"),
            ("--domain", "login.example.com"),
        ] {
            if more[0] != option {
                command.args([option, value]);
            }
        }
        command.args(more).stdin(std::process::Stdio::null());
        let output = command.output().expect("it starts");
        assert_eq!(output.status.code(), Some(2), "{more:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(more[0]));
        assert!(!file.exists());
    }
}
