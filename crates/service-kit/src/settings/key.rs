//! The declaration of one setting.

/// The section of the texts that people read.
const TEXTS: &str = "reply.";

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
    /// What it means, with its unit, in Markdown.
    pub meaning: &'static str,
    /// The same in Chinese, for the Chinese documentation.
    pub meaning_zh: &'static str,
    /// Whether the value must never be shown. A secret can also be read from a file, whose path is
    /// the value of the same key with `_file` at its end.
    pub secret: bool,
    /// Parses the value, or says what is wrong with it. For a secret the text must not repeat it.
    pub parse: fn(&str) -> Result<T, String>,
}

/// A [`Key`] of any type: what can be said of a setting without its value.
pub trait AnyKey: Sync {
    /// See [`Key::name`].
    fn name(&self) -> &'static str;
    /// See [`Key::default`].
    fn default(&self) -> Default;
    /// See [`Key::example`].
    fn example(&self) -> &'static str;
    /// See [`Key::meaning`].
    fn meaning(&self) -> &'static str;
    /// See [`Key::meaning_zh`].
    fn meaning_zh(&self) -> &'static str;
    /// See [`Key::secret`].
    fn is_secret(&self) -> bool;
    /// Whether the value is a text for people, in which quotation marks and line ends have a
    /// meaning.
    fn holds_text(&self) -> bool {
        self.name().starts_with(TEXTS)
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

    fn meaning_zh(&self) -> &'static str {
        self.meaning_zh
    }

    fn is_secret(&self) -> bool {
        self.secret
    }
}
