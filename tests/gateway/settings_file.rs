//! The TOML file and the files that hold secrets.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use system_tests::{
    log_folder,
    stack::{API_KEY, APP_ID, APP_SECRET, TOKEN},
};

use crate::settings::{HIDDEN, complaint, least, run};

/// A folder outside the logs, since what these tests write is secret.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("login-settings-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file can be written");
        path.to_str().expect("a plain name").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is a temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn whole_file(internal_bind: &str) -> String {
    format!(
        "[wechat]\napp_id = \"{APP_ID}\"\napp_secret = \"{APP_SECRET}\"\ntoken = \"{TOKEN}\"\n\
         accept_plaintext = true\n\
         [internal]\napi_key = \"{API_KEY}\"\nbind = \"{internal_bind}\"\n\
         [public]\nbind = \"127.0.0.1:0\"\ntrusted_proxies = [\"10.0.0.0/8\", \"127.0.0.1\"]\n"
    )
}

#[tokio::test]
async fn a_file_alone_is_enough_and_the_environment_wins_over_it() {
    let folder = Folder::new();
    let file = folder.write("gateway.toml", &whole_file("127.0.0.1:0"));
    let mut process = run(
        &BTreeMap::new(),
        &["--config", &file],
        &log_folder::create(),
    );
    process.line_with(" listening ").await;
    assert_eq!(process.stop().await.code(), Some(0));

    let file = folder.write("gateway.toml", &whole_file("nonsense"));
    let said = complaint(&BTreeMap::new(), &["--config", &file]).await;
    assert!(
        said.contains("GATEWAY__INTERNAL__BIND (internal.bind)"),
        "{said}"
    );
    let environment = [(
        "GATEWAY__INTERNAL__BIND".to_owned(),
        "127.0.0.1:0".to_owned(),
    )];
    let mut process = run(
        &environment.into(),
        &["--config", &file],
        &log_folder::create(),
    );
    process.line_with(" listening ").await;
    assert_eq!(process.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_file_that_cant_be_used_is_an_error_that_tells_no_secret() {
    let folder = Folder::new();
    for (text, expected) in [
        (
            "[wechat]\nappsecret = \"hunter2\"\n",
            "GATEWAY__WECHAT__APPSECRET (wechat.appsecret) is not a setting",
        ),
        ("[wechat]\napp_secret = hunter2\n", "line 2, column 14"),
        ("[wechat\napp_secret = \"hunter2\"\n", "line 1"),
        (
            "[wechat]\napp_secret = \"hunter2\"\napp_secret = \"hunter2\"\n",
            "line 3",
        ),
        (
            "[wechat]\ntoken = \"\"\n",
            "GATEWAY__WECHAT__TOKEN (wechat.token) can't be used",
        ),
        (
            "[wechat]\napp_secret = \"\"\n",
            "GATEWAY__WECHAT__APP_SECRET (wechat.app_secret) is empty",
        ),
    ] {
        let mut settings = least();
        if text.contains("\"\"") {
            settings.retain(|key, _| !key.contains("SECRET") && !key.contains("TOKEN"));
        }
        let file = folder.write("gateway.toml", text);
        let said = complaint(&settings, &["--config", &file]).await;
        assert!(said.contains(expected), "{text}: {said}");
        assert!(!said.contains(HIDDEN), "{text}: {said}");
    }
    let said = complaint(&least(), &["--config", "/no/such/gateway.toml"]).await;
    assert!(said.contains("/no/such/gateway.toml"), "{said}");
}

#[tokio::test]
async fn secrets_can_be_read_from_files() {
    let folder = Folder::new();
    let mut settings = least();
    for (key, secret) in [
        ("GATEWAY__WECHAT__APP_SECRET", APP_SECRET),
        ("GATEWAY__WECHAT__TOKEN", TOKEN),
        ("GATEWAY__INTERNAL__API_KEY", API_KEY),
        ("GATEWAY__REDIS__URL", "redis://:hunter2@127.0.0.1:1"),
    ] {
        settings.remove(key);
        // Editors end files with a line feed.
        let file = folder.write(key, &format!("{secret}\n"));
        settings.insert(format!("{key}_FILE"), file);
    }
    let mut process = run(&settings, &[], &log_folder::create());
    process.line_with(" listening ").await;
    process.line_with("not ready yet").await;
    assert_eq!(process.stop().await.code(), Some(0));
    let said = process.said().await;
    for secret in [APP_SECRET, TOKEN, API_KEY, HIDDEN] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn a_secret_file_that_is_missing_empty_or_beside_a_value_is_an_error() {
    let folder = Folder::new();
    let mut settings = least();
    settings.remove("GATEWAY__WECHAT__APP_SECRET");
    let variable = "GATEWAY__WECHAT__APP_SECRET_FILE".to_owned();
    settings.insert(variable.clone(), "/no/such/secret".to_owned());
    let said = complaint(&settings, &[]).await;
    assert!(
        said.contains("can't be read from /no/such/secret"),
        "{said}"
    );

    settings.insert(variable.clone(), folder.write("empty", "\n"));
    let said = complaint(&settings, &[]).await;
    assert!(
        said.contains("GATEWAY__WECHAT__APP_SECRET (wechat.app_secret) is empty"),
        "{said}"
    );

    settings.insert(variable, folder.write("secret", HIDDEN));
    settings.insert(
        "GATEWAY__WECHAT__APP_SECRET".to_owned(),
        APP_SECRET.to_owned(),
    );
    let said = complaint(&settings, &[]).await;
    assert!(said.contains("is set twice"), "{said}");
    assert!(
        !said.contains(HIDDEN) && !said.contains(APP_SECRET),
        "{said}"
    );
}
