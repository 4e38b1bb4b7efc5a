//! Where values come from: a TOML file's structure and variables' names, as `section.key` to text.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use config::{ConfigError, Source, Value, ValueKind};

use super::{InvalidSettings, text};

/// What is set, flat: `section.key`, or `section.table.key`, to text.
#[derive(Default)]
pub(super) struct Values(BTreeMap<String, String>);

impl Values {
    /// The values of a TOML file.
    ///
    /// Only the file's own structure is followed: `config`'s merging would take the name of a key
    /// for a path, and one such as `a[4000000000]` for the index of a list to be filled up to
    /// there.
    pub(super) fn of_file(file: &impl Source) -> Result<Self, InvalidSettings> {
        let table = file.collect().map_err(|error| {
            InvalidSettings(format!("can't read the settings: {}", unreadable(&error)))
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            flatten(name, value, &mut values);
        }
        for value in values.values_mut() {
            let trimmed = text::trimmed(value);
            if trimmed.len() < value.len() {
                *value = trimmed.to_owned();
            }
        }
        Ok(Self(values))
    }

    /// Adds the service's variables, which win. A blank one is unset.
    pub(super) fn add_environment(
        &mut self,
        prefix: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), InvalidSettings> {
        for (variable, value) in environment {
            let Some(name) = setting_named(prefix, &variable) else {
                continue;
            };
            // The value itself isn't shown, as it may be secret.
            let value = value.into_string().map_err(|_| {
                let variable = self::variable(prefix, &name);
                InvalidSettings::of(&[format!("{variable} ({name}) is not UTF-8")])
            })?;
            let value = text::trimmed(&value);
            if !value.is_empty() {
                self.0.insert(name, value.to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The environment's form of a name: `GATEWAY__WECHAT__APP_ID`.
pub(super) fn variable(prefix: &str, name: &str) -> String {
    format!("{prefix}__{}", name.replace('.', "__")).to_uppercase()
}

/// Why a file can't be read. A TOML parser's message quotes the line, which may contain a secret;
/// its first line only says where.
fn unreadable(error: &ConfigError) -> String {
    match error {
        ConfigError::FileParse { uri, cause } => {
            let cause = cause.to_string();
            let place = cause.lines().next().unwrap_or_default();
            let file = uri.as_deref().unwrap_or("the file");
            format!("{place} in {file}")
        }
        other => other.to_string(),
    }
}

/// The setting that a variable is for: `wechat.app_id` for `GATEWAY__WECHAT__APP_ID`. Other
/// programs' variables are for none.
fn setting_named(prefix: &str, variable: &OsStr) -> Option<String> {
    let variable = variable.to_str()?.to_ascii_lowercase();
    let name = variable.strip_prefix(&prefix.to_ascii_lowercase())?;
    Some(name.strip_prefix("__")?.replace("__", "."))
}

/// Adds what a value holds. A list of plain values becomes one text; no setting is a list of
/// anything else, so nested values are unknown keys. (`config` would convert them to text that
/// doubles with every level.)
fn flatten(name: String, value: Value, into: &mut BTreeMap<String, String>) {
    match value.kind {
        ValueKind::Table(table) => {
            for (key, value) in table {
                flatten(format!("{name}.{key}"), value, into);
            }
        }
        ValueKind::Array(items) => {
            let mut texts = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                match item.kind {
                    ValueKind::Table(_) | ValueKind::Array(_) => {
                        into.insert(format!("{name}.{index}"), String::new());
                    }
                    _ => texts.push(item.to_string()),
                }
            }
            into.insert(name, texts.join(","));
        }
        ValueKind::Nil => {}
        _ => {
            into.insert(name, value.to_string());
        }
    }
}
