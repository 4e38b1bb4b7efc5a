//! Reading declared settings from what is set, and collecting complaints and declarations on the
//! way.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AnyKey, Declaration, Default, Key, NamedTable, Section,
    source::{Values, variable},
    text,
};

/// Reads a service's settings. Each read declares a key, parses its value and collects what is
/// wrong.
pub struct Reader<'a> {
    prefix: &'static str,
    values: &'a Values,
    scope: Scope,
    /// Only the declarations are wanted; nothing is set and nothing is wrong.
    describing: bool,
    complaints: Vec<String>,
    declarations: Vec<Declaration>,
    known: BTreeSet<String>,
}

/// There is nothing to read: a complaint says why, unless this is a description.
struct Unreadable;

/// Which table is being read.
#[derive(Clone, Default)]
struct Scope {
    table: Option<(&'static NamedTable, String)>,
    /// Whether the unnamed section's value applies where the table has none.
    inherits: bool,
}

impl Scope {
    fn name(&self, key: &dyn AnyKey) -> String {
        match &self.table {
            Some((table, name)) => format!("{}.{name}.{}", table.kind, table.key(key.name())),
            None => key.name().to_owned(),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(prefix: &'static str, values: &'a Values) -> Self {
        Self {
            prefix,
            values,
            scope: Scope::default(),
            describing: false,
            complaints: Vec::new(),
            declarations: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    pub(super) fn describing(prefix: &'static str, values: &'a Values) -> Self {
        Self {
            describing: true,
            ..Self::new(prefix, values)
        }
    }

    /// The value of a setting that is required or has a default.
    pub fn value<T>(&mut self, key: &'static Key<T>) -> Option<T> {
        let text = self.text(key).ok()?;
        if text.is_none() {
            self.complain(key, "is missing");
        }
        self.parse(key, &text?)
    }

    /// The value of a setting that may stay unset.
    pub fn optional<T>(&mut self, key: &'static Key<T>) -> Option<Option<T>> {
        match self.text(key).ok()? {
            Some(text) => self.parse(key, &text).map(Some),
            None => Some(None),
        }
    }

    /// Reads a section.
    pub fn section<S: Section>(&mut self) -> Option<S> {
        S::read(self)
    }

    /// Reads a section inside a named table; where the table has no value, the unnamed section's
    /// applies. Outside of tables, the same as [`Reader::section`].
    pub fn inherited_section<S: Section>(&mut self) -> Option<S> {
        let outer = self.scope.inherits;
        self.scope.inherits = true;
        let section = S::read(self);
        self.scope.inherits = outer;
        section
    }

    /// Whether a value, or a file for it, is set. In a description everything is.
    pub fn is_set(&self, key: &dyn AnyKey) -> bool {
        let name = self.scope.name(key);
        let file = file_of(&name);
        self.describing
            || self.values.get(&name).is_some()
            || (key.is_secret() && self.values.get(&file).is_some())
    }

    /// Whether there is a table of this kind. In a description there are all kinds.
    pub fn has_tables(&self, table: &NamedTable) -> bool {
        !self.table_names(table).is_empty()
    }

    /// Reads all tables of a kind, by their names. What can't be a name, and those in `reserved`,
    /// are refused.
    pub fn tables<Name: TryFrom<String> + Ord, T>(
        &mut self,
        table: &'static NamedTable,
        reserved: &[&str],
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<BTreeMap<Name, T>> {
        let mut found = Some(BTreeMap::new());
        for name in self.table_names(table) {
            let parsed = Name::try_from(name.clone()).ok();
            let parsed = parsed.filter(|_| !reserved.contains(&name.as_str()));
            if parsed.is_none() && !self.describing {
                self.refuse_table(table, &name);
                found = None;
                continue;
            }
            let outer = self.scope.clone();
            self.scope.table = Some((table, name));
            let section = read(self);
            self.scope = outer;
            found = found
                .zip(parsed.zip(section))
                .map(|(mut found, (name, section))| {
                    found.insert(name, section);
                    found
                });
        }
        found
    }

    /// Adds a complaint about a setting, for what only several of them together can show.
    pub fn complain(&mut self, key: &dyn AnyKey, wrong: &str) {
        if self.describing {
            return;
        }
        let name = self.scope.name(key);
        let complaint = format!(
            "{} ({name}) {wrong}; example: {}",
            variable(self.prefix, &name),
            key.example()
        );
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }

    /// As [`Reader::complain`], about a setting in one of the named tables.
    pub fn complain_in_table(
        &mut self,
        table: &'static NamedTable,
        name: &str,
        key: &dyn AnyKey,
        wrong: &str,
    ) {
        let outer = self.scope.clone();
        self.scope.table = Some((table, name.to_owned()));
        self.complain(key, wrong);
        self.scope = outer;
    }

    /// All complaints: unknown settings first, then invalid ones.
    pub(super) fn into_complaints(self) -> Vec<String> {
        let unknown = self
            .values
            .names()
            .filter(|name| !self.known.contains(*name));
        let unknown = unknown.map(|name| self.unknown(name));
        unknown.chain(self.complaints.iter().cloned()).collect()
    }

    pub(super) fn into_declarations(self) -> Vec<Declaration> {
        self.declarations
    }

    /// The text of a setting, from wherever it applies.
    fn text(&mut self, key: &'static dyn AnyKey) -> Result<Option<String>, Unreadable> {
        let name = self.scope.name(key);
        self.declare(key, &name);
        if self.describing {
            return Err(Unreadable);
        }
        if let Some(text) = self.set(key, &name)? {
            return Ok(Some(text));
        }
        if self.scope.inherits && self.scope.table.is_some() {
            // The unnamed section is read, and complained about, by itself.
            let inherited = self.values.get(key.name());
            if let Some(inherited) = inherited {
                return Ok(Some(inherited.to_owned()));
            }
        }
        Ok(match key.default() {
            Default::Text(text) => Some(text.to_owned()),
            Default::Required | Default::Unset => None,
        })
    }

    /// What is set under this very name, by value or by file.
    fn set(&mut self, key: &dyn AnyKey, name: &str) -> Result<Option<String>, Unreadable> {
        let value = self.values.get(name).map(str::to_owned);
        let path = key
            .is_secret()
            .then(|| self.values.get(&file_of(name)))
            .flatten();
        match (value, path) {
            (value, None) => Ok(value),
            (Some(_), Some(_)) => {
                self.complain(key, "is set twice: as a value and as a file");
                Err(Unreadable)
            }
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Some(text::trimmed(&text).to_owned())),
                Err(error) => {
                    self.complain(key, &format!("can't be read from {path}: {error}"));
                    Err(Unreadable)
                }
            },
        }
    }

    fn parse<T>(&mut self, key: &Key<T>, text: &str) -> Option<T> {
        let of_the_text = || text::complaint(text, key.secret);
        let wrong = (!key.holds_text()).then(of_the_text).flatten();
        match wrong.map_or_else(|| (key.parse)(text), Err) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.complain(key, &wrong);
                None
            }
        }
    }

    fn declare(&mut self, key: &'static dyn AnyKey, name: &str) {
        if key.is_secret() {
            self.known.insert(file_of(name));
        }
        if !self.known.insert(name.to_owned()) {
            return;
        }
        self.declarations.push(Declaration {
            key,
            name: name.to_owned(),
            table: self.scope.table.as_ref().map(|(table, _)| *table),
            inherited: self.scope.inherits && self.scope.table.is_some(),
        });
    }

    /// The names of all tables of a kind, valid or not; a placeholder in a description.
    fn table_names(&self, table: &NamedTable) -> BTreeSet<String> {
        if self.describing {
            return BTreeSet::from(["<name>".to_owned()]);
        }
        let names = self.values.names();
        names
            .filter_map(|name| {
                let rest = name.strip_prefix(table.kind)?.strip_prefix('.')?;
                rest.split_once('.').map(|(name, _)| name.to_owned())
            })
            .collect()
    }

    fn refuse_table(&mut self, table: &NamedTable, name: &str) {
        let path = format!("{}.{name}", table.kind);
        // One complaint is enough, whatever the table holds.
        let inside = format!("{path}.");
        let keys: Vec<String> = self
            .values
            .names()
            .filter(|name| name.starts_with(&inside))
            .map(str::to_owned)
            .collect();
        self.known.extend(keys);
        self.complaints.push(format!(
            "{} ({path}) can't be called that: a name is a lower-case letter and up to 31 lower-case letters and \
             digits, and is not taken; example: {}.shop",
            variable(self.prefix, &path),
            table.kind
        ));
    }

    fn unknown(&self, name: &str) -> String {
        let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
        let similar = self
            .declarations
            .iter()
            .find(|declared| last(&declared.name) == last(name));
        let hint = match similar {
            Some(declared) => {
                format!("; did you mean {}?", variable(self.prefix, &declared.name))
            }
            None => "; --help lists all settings".to_owned(),
        };
        format!(
            "{} ({name}) is not a setting of this service{hint}",
            variable(self.prefix, name)
        )
    }
}

/// The key of a secret's file.
fn file_of(name: &str) -> String {
    format!("{name}_file")
}
