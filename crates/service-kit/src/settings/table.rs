//! Settings that come in any number, each table with a name of its own: `[account.shop]` in TOML,
//! `GATEWAY__ACCOUNT__SHOP__APP_ID` in the environment.

/// A kind of named tables.
#[derive(Debug)]
pub struct NamedTable {
    /// The section that holds them: `account`.
    pub kind: &'static str,
    /// The section whose keys appear in such a table by their last part alone: with `wechat`, the
    /// key `wechat.app_id` is `app_id` there. Any other keeps its section: `relay.url` is
    /// `relay_url`.
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
