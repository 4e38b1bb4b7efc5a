//! Settings: defaults in code, then an optional TOML file, then the environment; the last one wins.
//!
//! A service declares each setting once as a [`Key`]: its name, what it means, an example, and how
//! it is parsed. A [`Section`] reads the keys that belong together into a struct. Reading happens
//! once, at start: it checks every value, reports all complaints together, and yields parsed
//! values, so nothing can fail later. The same declarations make `--help` and the Markdown
//! reference.
//!
//! Surrounding whitespace is removed from every value. Quotation marks around a value and invisible
//! characters inside it are refused, except in the section `reply`, whose values are texts for
//! people.

mod key;
mod reader;
mod reference;
mod source;
mod table;
mod text;

use std::{ffi::OsString, path::Path};

use config::{File, FileFormat};

pub use key::{AnyKey, Default, Key};
pub use reader::Reader;
pub use reference::{Declaration, Language, declarations, help, markdown};
pub use table::NamedTable;

use source::Values;

/// Settings that belong together, parsed.
pub trait Section: Sized {
    /// Reads all of them. `None` when one is missing or invalid; the reader holds the complaints
    /// then.
    ///
    /// Every key has to be read before the first `?`: reading is also what declares it.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// The settings can't be used. The message is for the operator: every key that is wrong, what is
/// wrong with it, and an example.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSettings(String);

impl InvalidSettings {
    fn of(complaints: &[String]) -> Self {
        Self(format!(
            "the settings can't be used:\n  {}",
            complaints.join("\n  ")
        ))
    }
}

/// Reads all settings from the file, if there is one, and this process' environment. `prefix` is
/// the environment's, such as `GATEWAY`.
///
/// # Errors
///
/// When a value is missing or malformed, or a key is unknown: all of them in one message.
pub fn load<S: Section>(prefix: &'static str, file: Option<&Path>) -> Result<S, InvalidSettings> {
    let mut values = match file {
        Some(path) => Values::of_file(&File::from(path).format(FileFormat::Toml))?,
        None => Values::default(),
    };
    values.add_environment(prefix, std::env::vars_os())?;
    read(prefix, &values)
}

/// Reads all settings from a TOML document and variables that are passed in.
///
/// # Errors
///
/// As [`load`].
pub fn parse<S: Section>(
    prefix: &'static str,
    document: &str,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<S, InvalidSettings> {
    let mut values = Values::of_file(&File::from_str(document, FileFormat::Toml))?;
    values.add_environment(prefix, environment)?;
    read(prefix, &values)
}

fn read<S: Section>(prefix: &'static str, values: &Values) -> Result<S, InvalidSettings> {
    let mut reader = Reader::new(prefix, values);
    let settings = S::read(&mut reader);
    let complaints = reader.into_complaints();
    match settings {
        Some(settings) if complaints.is_empty() => Ok(settings),
        _ => Err(InvalidSettings::of(&complaints)),
    }
}

#[cfg(test)]
mod tests;
