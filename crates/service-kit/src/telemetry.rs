//! Logs on standard error, so that standard output holds nothing but the line that says ready.

use std::{io::IsTerminal as _, str::FromStr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::{Default, Key};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.format`.
pub static LOG_FORMAT: Key<LogFormat> = Key {
    name: "log.format",
    default: Default::Text("text"),
    example: "json",
    meaning: "How log lines are written: text, or json with one object a line.",
    secret: false,
    parse: |value| match value {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("must be text or json, not {other:?}")),
    },
};

/// `log.level`.
pub static LOG_LEVEL: Key<String> = Key {
    name: "log.level",
    default: Default::Text("info"),
    example: "info",
    meaning: "What is logged: error, warn, info, debug or trace, or a filter such as info,site=debug.",
    secret: false,
    parse: |value| match EnvFilter::from_str(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(error) => Err(format!("is no log filter: {error}")),
    },
};

/// Starts logging for this process. A second call changes nothing.
pub fn start(format: LogFormat, level: &str) {
    // actix-server tells of every worker; its errors are enough.
    let filter = EnvFilter::new(format!("actix_server=warn,{level}"));
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // Failing means that a subscriber is already there, as in a test that starts two services.
    let _ = match format {
        LogFormat::Text => subscriber
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
        LogFormat::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init(),
    };
}
