//! Settings: defaults in code, then an optional TOML file, then the environment; the last one wins.
//!
//! A service declares each setting once as a [`Key`]: its name, what it means, an example, and how it
//! is read. The same declaration checks the value at start, words the error and prints the help text.
//!
//! Whatever a value is, it is taken without the blanks and line ends around it. Quotation marks around
//! it and characters inside that can't be seen are refused, except in the section `reply`, whose values
//! are words for people.

use std::{collections::BTreeMap, ffi::OsString, fmt::Write as _, path::Path};

use config::{File, FileFormat};

mod sources;
mod text;

/// The section of what people read.
const WORDS: &str = "reply.";

/// What a setting is when nobody sets it.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// The service doesn't start without it.
    Required,
    /// It stays unset.
    Unset,
    /// This text.
    Text(&'static str),
}

/// One setting of type `T`.
#[derive(Debug)]
pub struct Key<T> {
    /// Section and key, as in the TOML file: `wechat.app_id`.
    pub name: &'static str,
    /// What it is when nobody sets it.
    pub default: Default,
    /// A value that would be accepted.
    pub example: &'static str,
    /// What it means, with its unit.
    pub meaning: &'static str,
    /// Whether the value must never be shown. A secret can also be read from a file, whose path is
    /// the value of the same key with `_file` at its end.
    pub secret: bool,
    /// Reads the value, or says what is wrong with it. For a secret the text must not repeat it.
    pub parse: fn(&str) -> Result<T, String>,
}

/// A [`Key`] of any type, for tables of them.
pub trait AnyKey: Sync {
    /// See [`Key::name`].
    fn name(&self) -> &'static str;
    /// See [`Key::default`].
    fn default(&self) -> Default;
    /// See [`Key::example`].
    fn example(&self) -> &'static str;
    /// See [`Key::meaning`].
    fn meaning(&self) -> &'static str;
    /// See [`Key::secret`].
    fn is_secret(&self) -> bool;
    /// What is wrong with this value, if anything.
    fn complaint(&self, value: &str) -> Option<String>;
    /// Whether the value is words for people, in which quotation marks and line ends have a meaning.
    fn holds_words(&self) -> bool {
        self.name().starts_with(WORDS)
    }
}

impl<T> AnyKey for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default(&self) -> Default {
        self.default
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn meaning(&self) -> &'static str {
        self.meaning
    }

    fn is_secret(&self) -> bool {
        self.secret
    }

    fn complaint(&self, value: &str) -> Option<String> {
        (self.parse)(value).err()
    }
}

/// The settings can't be used. The message is for the operator: every key that is wrong, what is
/// wrong with it, and an example.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSettings(String);

/// Checked values.
pub struct Settings {
    prefix: &'static str,
    values: BTreeMap<String, String>,
}

impl Settings {
    /// Reads and checks all settings. `prefix` is the environment's, such as `GATEWAY`.
    ///
    /// # Errors
    ///
    /// When a value is missing or malformed, or a key is unknown: all of them in one message.
    pub fn load(
        prefix: &'static str,
        keys: &[&dyn AnyKey],
        file: Option<&Path>,
    ) -> Result<Self, InvalidSettings> {
        let file = file.map(|path| File::from(path).format(FileFormat::Toml));
        let values = file.map_or_else(|| Ok(BTreeMap::new()), |file| sources::in_file(&file))?;
        Self::merge(prefix, keys, values, std::env::vars_os())
    }

    /// Reads and checks all settings, from a TOML document and variables that are handed over.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`].
    pub fn read(
        prefix: &'static str,
        keys: &[&dyn AnyKey],
        document: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, InvalidSettings> {
        let values = sources::in_file(&File::from_str(document, FileFormat::Toml))?;
        Self::merge(prefix, keys, values, environment)
    }

    fn merge(
        prefix: &'static str,
        keys: &[&dyn AnyKey],
        mut values: BTreeMap<String, String>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, InvalidSettings> {
        for (variable, value) in environment {
            let Some(name) = sources::setting_named(prefix, &variable) else {
                continue;
            };
            // The value itself isn't shown, as it may be secret.
            let value = value.into_string().map_err(|_| {
                let variable = self::variable(prefix, &name);
                InvalidSettings(format!(
                    "the settings can't be used:\n  {variable} ({name}) is not UTF-8"
                ))
            })?;
            let value = text::trimmed(&value);
            if !value.is_empty() {
                values.insert(name, value.to_owned());
            }
        }
        Self::check(prefix, keys, values)
    }

    /// Checks values that are already flat: `section.key` to text.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`].
    pub fn check(
        prefix: &'static str,
        keys: &[&dyn AnyKey],
        mut values: BTreeMap<String, String>,
    ) -> Result<Self, InvalidSettings> {
        let mut complaints = Vec::new();
        trim(&mut values);
        for key in keys.iter().filter(|key| key.is_secret()) {
            read_secret_file(prefix, *key, &mut values, &mut complaints);
        }
        for name in values.keys() {
            if !keys.iter().any(|key| key.name() == name) {
                complaints.push(unknown(prefix, name, keys));
            }
        }
        for key in keys {
            match (values.get(key.name()), key.default()) {
                (Some(value), _) => {
                    let of_the_text = || text::complaint(value, key.is_secret());
                    let wrong = (!key.holds_words()).then(of_the_text).flatten();
                    if let Some(wrong) = wrong.or_else(|| key.complaint(value)) {
                        complaints.push(complaint(prefix, *key, &wrong));
                    }
                }
                (None, Default::Required) => complaints.push(complaint(prefix, *key, "is missing")),
                (None, Default::Text(text)) => {
                    values.insert(key.name().to_owned(), text.to_owned());
                }
                (None, Default::Unset) => {}
            }
        }
        if complaints.is_empty() {
            Ok(Self { prefix, values })
        } else {
            Err(InvalidSettings(format!(
                "the settings can't be used:\n  {}",
                complaints.join("\n  ")
            )))
        }
    }

    /// The value of a setting that is required or has a default.
    ///
    /// # Errors
    ///
    /// When it is unset or malformed, which [`Settings::load`] has ruled out for declared keys.
    pub fn get<T>(&self, key: &Key<T>) -> Result<T, InvalidSettings> {
        self.optional(key)?
            .ok_or_else(|| self.invalid(key, "is missing"))
    }

    /// The value of a setting that may be unset.
    ///
    /// # Errors
    ///
    /// When it is malformed, which [`Settings::load`] has ruled out for declared keys.
    pub fn optional<T>(&self, key: &Key<T>) -> Result<Option<T>, InvalidSettings> {
        let value = self.values.get(key.name);
        value
            .map(|text| (key.parse)(text).map_err(|wrong| self.invalid(key, &wrong)))
            .transpose()
    }

    /// An error about a key, for what only the settings together can show.
    pub fn invalid<T>(&self, key: &Key<T>, wrong: &str) -> InvalidSettings {
        InvalidSettings(format!(
            "the settings can't be used:\n  {}",
            complaint(self.prefix, key, wrong)
        ))
    }
}

fn trim(values: &mut BTreeMap<String, String>) {
    for value in values.values_mut() {
        let trimmed = text::trimmed(value);
        if trimmed.len() < value.len() {
            *value = trimmed.to_owned();
        }
    }
}

/// The environment's form of a key: `GATEWAY__WECHAT__APP_ID`.
fn variable(prefix: &str, name: &str) -> String {
    format!("{prefix}__{}", name.replace('.', "__")).to_uppercase()
}

fn complaint(prefix: &str, key: &dyn AnyKey, wrong: &str) -> String {
    format!(
        "{} ({}) {wrong}; example: {}",
        variable(prefix, key.name()),
        key.name(),
        key.example()
    )
}

fn unknown(prefix: &str, name: &str, keys: &[&dyn AnyKey]) -> String {
    let last = name.rsplit('.').next();
    let similar = keys
        .iter()
        .find(|key| key.name().rsplit('.').next() == last);
    let hint = match similar {
        Some(key) => format!("; did you mean {}?", variable(prefix, key.name())),
        None => "; --help lists all settings".to_owned(),
    };
    format!(
        "{} ({name}) is not a setting of this service{hint}",
        variable(prefix, name)
    )
}

fn read_secret_file(
    prefix: &str,
    key: &dyn AnyKey,
    values: &mut BTreeMap<String, String>,
    complaints: &mut Vec<String>,
) {
    let Some(path) = values.remove(&format!("{}_file", key.name())) else {
        return;
    };
    if values.contains_key(key.name()) {
        complaints.push(complaint(
            prefix,
            key,
            "is set twice: as a value and as a file",
        ));
        return;
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            values.insert(key.name().to_owned(), text::trimmed(&text).to_owned());
        }
        Err(error) => {
            complaints.push(complaint(
                prefix,
                key,
                &format!("can't be read from {path}: {error}"),
            ));
            // A complaint is enough; the key isn't missing as well.
            values.insert(key.name().to_owned(), key.example().to_owned());
        }
    }
}

/// The help text: every setting with its environment form, meaning and default.
pub fn help(prefix: &str, keys: &[&dyn AnyKey]) -> String {
    let mut text =
        String::from("Settings (a TOML file or the environment; the environment wins):\n");
    for key in keys {
        let default = match key.default() {
            Default::Required => format!("required, such as {}", key.example()),
            Default::Unset => format!("unset; example: {}", key.example()),
            Default::Text(text) => format!("default: {text}"),
        };
        let file = if key.is_secret() {
            ", or its file's path in …_FILE"
        } else {
            ""
        };
        let _ = write!(
            text,
            "\n  {}{file}\n      {}\n      {default}\n",
            variable(prefix, key.name()),
            key.meaning()
        );
    }
    text
}

#[cfg(test)]
mod tests;
