//! The settings: a TOML file and the environment, read with the key tables of both services.

use std::{ffi::OsString, sync::LazyLock};

use service_kit::settings::{Declaration, InvalidSettings, Section, declarations, parse};
use site::settings::SiteSettings;
use wechat_gateway::settings::GatewaySettings;

/// What parts the file from the environment, one variable a line.
const ENVIRONMENT: &str = "=== environment ===\n";

/// Put into every secret; nothing else of a message can look like it.
const CANARY: &str = "hunter2-canary-7Qx9";

/// How long a message may be beside what it repeats: each complaint names a key, whose sections
/// others share, and repeats one value at most.
const MESSAGE: usize = 64 * 1024;

struct Service {
    prefix: &'static str,
    declarations: Vec<Declaration>,
    parse: fn(&'static str, &str, Variables) -> Result<(), InvalidSettings>,
}

type Variables = Vec<(OsString, OsString)>;

static SERVICES: LazyLock<[Service; 2]> = LazyLock::new(|| {
    [
        Service::of::<GatewaySettings>(wechat_gateway::settings::PREFIX),
        Service::of::<SiteSettings>(site::settings::PREFIX),
    ]
});

impl Service {
    fn of<S: Section>(prefix: &'static str) -> Self {
        Self {
            prefix,
            declarations: declarations::<S>(prefix),
            parse: |prefix, document, variables| parse::<S>(prefix, document, variables).map(drop),
        }
    }
}

/// The settings are taken or refused in words that hold no secret; and those that are taken stay
/// so.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // Names of files would make the outcome depend on the machine.
    if text.to_ascii_lowercase().contains("_file") {
        return;
    }
    let text = text.replace(CANARY, "");
    let (file, environment) = text.split_once(ENVIRONMENT).unwrap_or((&text, ""));
    for service in SERVICES.iter() {
        let file = with_canaries(service, file);
        let read = || {
            let lines = environment.lines();
            let variables = lines.filter_map(|line| variable(service, line));
            (service.parse)(service.prefix, &file, variables.collect())
        };
        match read() {
            Ok(()) => {
                let again = read();
                assert!(again.is_ok(), "taken once and refused the second time");
            }
            Err(error) => {
                let message = error.to_string();
                assert!(!message.contains(CANARY), "a secret is in: {message}");
                assert!(message.len() <= MESSAGE + text.len().pow(2));
                check_form(&message);
            }
        }
    }
}

fn check_form(message: &str) {
    if let Some(place) = message.strip_prefix("can't read the settings: ") {
        assert_eq!(place.lines().count(), 1, "{message}");
        assert!(place.len() < 200, "{message}");
    } else {
        let said = message.starts_with("the settings can't be used:\n  ");
        assert!(said, "{message}");
    }
}

/// A variable with a canary in the middle of its value, if it is a secret.
fn variable(service: &Service, line: &str) -> Option<(OsString, OsString)> {
    let (name, value) = line.split_once('=')?;
    // The operating system has no such variables.
    if name.is_empty() || line.contains('\0') {
        return None;
    }
    let is_secret = secrets(service).any(|key| {
        let secret = format!("{}__{}", service.prefix, key.replace('.', "__"));
        // A named table can have any name.
        match secret.split_once("<name>") {
            Some((before, after)) => {
                let name = name.to_ascii_lowercase();
                name.starts_with(&before.to_ascii_lowercase()) && name.ends_with(after)
            }
            None => secret.eq_ignore_ascii_case(name),
        }
    });
    let value = if is_secret {
        with_canary(value)
    } else {
        value.to_owned()
    };
    Some((name.into(), value.into()))
}

/// The file with a canary in every line that looks like a secret's.
fn with_canaries(service: &Service, file: &str) -> String {
    // Inside such a text, a line isn't what it looks like.
    if file.contains("\"\"\"") || file.contains("'''") {
        return file.to_owned();
    }
    let mut changed = String::with_capacity(file.len());
    for line in file.split_inclusive('\n') {
        let value = line.split_once(" = \"").filter(|(name, _)| {
            // `url` is a secret in some sections only.
            secrets(service).any(|key| key.ends_with(&format!(".{name}")) && *name != "url")
        });
        match value {
            Some((name, value)) => {
                changed.extend([name, " = \"", &with_canary(value)]);
            }
            None => changed.push_str(line),
        }
    }
    changed
}

fn secrets(service: &Service) -> impl Iterator<Item = &str> {
    let declared = service.declarations.iter();
    let secrets = declared.filter(|declared| declared.key.is_secret());
    secrets.map(|declared| declared.name.as_str())
}

/// In front of the first byte that could end the value or belong to an escape.
fn with_canary(value: &str) -> String {
    let place = value
        .find(|character: char| !character.is_ascii_alphanumeric())
        .unwrap_or(value.len());
    let (before, after) = value.split_at(place);
    format!("{before}{CANARY}{after}")
}
