//! What there is to set: `--help`, and the reference as Markdown.

use std::fmt::Write as _;

use super::{
    AnyKey, Default, NamedTable, Reader, Section,
    source::{Values, variable},
};

/// One setting as it is declared.
pub struct Declaration {
    /// Its key.
    pub key: &'static dyn AnyKey,
    /// Its whole name: `wechat.app_id`, or `account.<name>.app_id`.
    pub name: String,
    /// The kind of named table that contains it.
    pub table: Option<&'static NamedTable>,
    /// Whether the unnamed section's value applies where the table has none.
    pub inherited: bool,
}

/// The language of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// 简体中文.
    Chinese,
}

/// All settings of a service, in the order in which they are read.
pub fn declarations<S: Section>(prefix: &'static str) -> Vec<Declaration> {
    let nothing = Values::default();
    let mut reader = Reader::describing(prefix, &nothing);
    // Nothing is set, so nothing comes of it.
    drop(S::read(&mut reader));
    reader.into_declarations()
}

/// The help text: every setting with its environment form, meaning and default.
pub fn help<S: Section>(prefix: &'static str) -> String {
    let mut text =
        String::from("Settings (a TOML file or the environment; the environment wins):\n");
    for declared in declarations::<S>(prefix) {
        let key = declared.key;
        let default = match key.default() {
            _ if declared.inherited => format!("default: that of {}", variable(prefix, key.name())),
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
            variable(prefix, &declared.name),
            key.meaning().replace('`', "")
        );
    }
    text
}

/// The reference: a table of all settings, and one for each kind of named tables.
pub fn markdown<S: Section>(prefix: &'static str, language: Language) -> String {
    let declared = declarations::<S>(prefix);
    let mut text = String::new();
    let unnamed = declared.iter().filter(|declared| declared.table.is_none());
    table(&mut text, prefix, language, unnamed);
    let mut kinds: Vec<&'static NamedTable> = Vec::new();
    for kind in declared.iter().filter_map(|declared| declared.table) {
        if kinds.iter().all(|seen| seen.kind != kind.kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let about = match language {
            Language::English => kind.meaning,
            Language::Chinese => kind.meaning_zh,
        };
        let _ = write!(text, "\n{about}\n\n");
        let inside = declared
            .iter()
            .filter(|declared| declared.table.is_some_and(|table| table.kind == kind.kind));
        table(&mut text, prefix, language, inside);
    }
    text
}

fn table<'a>(
    text: &mut String,
    prefix: &str,
    language: Language,
    declared: impl Iterator<Item = &'a Declaration>,
) {
    text.push_str(match language {
        Language::English => "| setting | default | meaning |\n|---|---|---|\n",
        Language::Chinese => "| 设置 | 默认值 | 含义 |\n|---|---|---|\n",
    });
    for declared in declared {
        let key = declared.key;
        let (secret, meaning) = match language {
            Language::English => (" S", key.meaning()),
            Language::Chinese => (" 密", key.meaning_zh()),
        };
        let secret = if key.is_secret() { secret } else { "" };
        let _ = writeln!(
            text,
            "| `{}`{secret} | {} | {} |",
            variable(prefix, &declared.name),
            default(prefix, language, declared),
            in_cell(meaning)
        );
    }
}

fn default(prefix: &str, language: Language, declared: &Declaration) -> String {
    let key = declared.key;
    let word = |english: &str, chinese: &str| match language {
        Language::English => english.to_owned(),
        Language::Chinese => chinese.to_owned(),
    };
    match key.default() {
        _ if declared.inherited => format!("`{}`", variable(prefix, key.name())),
        Default::Required => word("required", "必填"),
        Default::Unset | Default::Text("") => word("unset", "无"),
        Default::Text(text) => format!("`{}`", in_cell(&text.replace('\n', "\\n"))),
    }
}

/// A table's cells end at a bar.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}
