//! A run of `wechat-gateway doctor`, and what it printed.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    process::{Command, Output},
};

use reqwest::Method;
use serde_json::Value;
use system_tests::{
    binaries,
    stack::{Plan, Stack},
};

/// A gateway that works, and the settings that doctor gets.
pub(crate) struct Patient {
    pub(crate) stack: Stack,
    pub(crate) environment: BTreeMap<String, String>,
}

/// What one run told, as lines and as JSON.
pub(crate) struct Examination {
    pub(crate) lines: String,
    pub(crate) report: Value,
    pub(crate) code: Option<i32>,
}

impl Patient {
    /// A healthy one, as far as loopback addresses allow.
    pub(crate) async fn healthy() -> Self {
        Self::of(Plan::default()).await
    }

    /// One of this plan.
    pub(crate) async fn of(plan: Plan) -> Self {
        let stack = plan.sites(0).start().await;
        let mut environment: BTreeMap<_, _> = stack.gateway_environment().into_iter().collect();
        let public = stack.gateways[0].public.clone();
        environment.insert("GATEWAY__PUBLIC__URL".to_owned(), public);
        Self { stack, environment }
    }

    /// Another value for a setting.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.environment.insert(key.to_owned(), value.to_owned());
    }

    /// Examines twice, once for people and once for scripts. Both must agree.
    pub(crate) async fn examine(&self) -> Examination {
        let lines = run(&self.environment, &[]).await;
        let json = run(&self.environment, &["--json"]).await;
        assert_eq!(lines.status.code(), json.status.code(), "{json:?}");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints text");
        let examination = Examination {
            lines: text(&lines.stdout),
            report: serde_json::from_slice(&json.stdout).expect("--json prints JSON"),
            code: lines.status.code(),
        };
        assert_eq!(text(&lines.stderr), "", "nothing goes to standard error");
        assert_eq!(
            examination.report["ok"],
            examination.code == Some(0),
            "{}",
            examination.lines
        );
        assert!(
            !examination.lines.contains('\x1b'),
            "colours are for terminals"
        );
        self.keep(&examination);
        self.holds_no_secret(&examination).await;
        examination
    }

    fn keep(&self, examination: &Examination) {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.stack.log.join("doctor.log"));
        let mut log = log.expect("the log folder can be written");
        writeln!(log, "{}", examination.lines).expect("the log can be written");
    }

    async fn holds_no_secret(&self, examination: &Examination) {
        let secrets = self
            .stack
            .wechat
            .control(Method::GET, "/simulator/secrets", Value::Null);
        let mut secrets = texts(&secrets.await);
        let keys = ["APP_SECRET", "TOKEN", "ENCODING_AES_KEY"]
            .map(|key| format!("GATEWAY__WECHAT__{key}"));
        let keys = keys
            .iter()
            .map(String::as_str)
            .chain(["GATEWAY__INTERNAL__API_KEY"]);
        secrets.extend(keys.filter_map(|key| self.environment.get(key).cloned()));
        let report = examination.report.to_string();
        for secret in secrets {
            assert!(!examination.lines.contains(&secret), "{secret} is printed");
            assert!(!report.contains(&secret), "{secret} is in the JSON");
        }
    }
}

impl Examination {
    /// The one check of this name: its status, detail and action.
    pub(crate) fn check(&self, name: &str) -> (&str, &str, &str) {
        let checks = self.report["checks"].as_array().expect("a list of checks");
        let named: Vec<&Value> = checks
            .iter()
            .filter(|check| check["name"] == name)
            .collect();
        assert_eq!(named.len(), 1, "{name}: {}", self.lines);
        let text = |member: &str| named[0][member].as_str().unwrap_or_default();
        (text("status"), text("detail"), text("action"))
    }

    /// Asserts that this check, and no other, failed, and that its line holds these words.
    pub(crate) fn fails_only(&self, name: &str, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{}", self.lines);
        let failed: Vec<&str> = self
            .lines
            .lines()
            .filter(|line| line.starts_with("fail "))
            .collect();
        assert_eq!(failed.len(), 1, "{}", self.lines);
        let start = format!("fail  {} ", name.replace('_', " "));
        assert!(failed[0].starts_with(&start), "{}", self.lines);
        let (status, detail, action) = self.check(name);
        assert_eq!(status, "fail");
        for word in words {
            assert!(failed[0].contains(word), "{word}: {}", failed[0]);
            assert!(format!("{detail} {action}").contains(word), "{word}");
        }
    }

    /// Asserts how these checks ended.
    pub(crate) fn all_are(&self, names: &[&str], status: &str) {
        for name in names {
            assert_eq!(self.check(name).0, status, "{name}: {}", self.lines);
        }
    }
}

/// Runs doctor to its end with this environment and no other.
pub(crate) async fn run(environment: &BTreeMap<String, String>, flags: &[&str]) -> Output {
    let mut command = Command::new(binaries::path("wechat-gateway"));
    command
        .arg("doctor")
        .args(flags)
        .env_clear()
        .envs(environment);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("waiting doesn't panic")
        .expect("doctor can be started")
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
