//! Where values come from: a TOML file's structure and variables' names, as `section.key` to text.

use std::{collections::BTreeMap, ffi::OsStr};

use config::{ConfigError, Source, Value, ValueKind};

use super::InvalidSettings;

/// The values of a TOML file, flat.
///
/// Only the file's own structure is followed: `config`'s merging would take the name of a key for a
/// path, and one such as `a[4000000000]` for the index of a list to be filled up to there.
pub(super) fn in_file(file: &impl Source) -> Result<BTreeMap<String, String>, InvalidSettings> {
    let table = file.collect().map_err(|error| {
        InvalidSettings(format!("can't read the settings: {}", unreadable(&error)))
    })?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        flatten(name, value, &mut values);
    }
    Ok(values)
}

/// Why a file can't be read. What a TOML parser says of a file quotes the line, which may hold a
/// secret; its first line says where, and no more.
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

/// The setting that a variable is for: `wechat.app_id` for `GATEWAY__WECHAT__APP_ID`. Other programs'
/// variables are for none.
pub(super) fn setting_named(prefix: &str, variable: &OsStr) -> Option<String> {
    let variable = variable.to_str()?.to_ascii_lowercase();
    let name = variable.strip_prefix(&prefix.to_ascii_lowercase())?;
    Some(name.strip_prefix("__")?.replace("__", "."))
}

/// Adds what a value holds. A list of plain values is one text; no setting is a list of anything else,
/// so what is nested in one is a key that doesn't exist. (`config` writes it in a text that doubles with
/// every level.)
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
