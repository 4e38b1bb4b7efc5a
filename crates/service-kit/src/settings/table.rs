//! Settings that come in any number, each table with a name of its own: `[account.shop]` in TOML,
//! `GATEWAY__ACCOUNT__SHOP__APP_ID` in the environment.

use std::fmt;

/// A kind of named tables.
#[derive(Debug)]
pub struct NamedTable {
    /// The section that holds them: `account`.
    pub kind: &'static str,
    /// The section whose keys stand in such a table by their last part alone: with `wechat`, the key
    /// `wechat.app_id` is `app_id` there. Any other keeps its section: `relay.url` is `relay_url`.
    pub own_section: &'static str,
    /// What such a table is, in Markdown, for the reference.
    pub meaning: &'static str,
    /// The same in Chinese.
    pub meaning_zh: &'static str,
}

impl NamedTable {
    /// How a key is called inside the table.
    pub(super) fn key(&self, name: &str) -> String {
        match name.split_once('.') {
            Some((section, key)) if section == self.own_section => key.to_owned(),
            _ => name.replace('.', "_"),
        }
    }
}

/// The name of a table: `[a-z][a-z0-9]{0,31}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(String);

impl TableName {
    /// How long a name can be.
    const LONGEST: usize = 32;

    /// Reads a name; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.as_bytes().first()?;
        let is_name = first.is_ascii_lowercase()
            && text.len() <= Self::LONGEST
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        is_name.then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
