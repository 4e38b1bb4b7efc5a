//! No circle of imports inside any crate: whoever reads a file can read what it needs first.
//!
//! What counts, from file to file, as text:
//!
//! - A path that begins with `crate::`, `super::` or `self::`, in a `use` or anywhere else, leads
//!   to the file of the deepest module that it names.
//! - A file leads to the files of the modules that it declares: it is made of them.
//! - What a file takes from a module that it lies in doesn't count. It is a part of that one, as
//!   `sessions/store.rs` is of `sessions`, and what a module holds for its parts isn't another
//!   file's.
//! - Unit tests, which come last in a file, don't count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Module = Vec<String>;

/// A crate's files by their modules.
struct Crate(BTreeMap<Module, File>);

struct File {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![(source.to_owned(), Module::new())];
        while let Some((folder, module)) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("it is a folder") {
                let path = entry.expect("it can be read").path();
                let name = path.file_stem().and_then(|stem| stem.to_str());
                let name = name.expect("a plain name").to_owned();
                let mut inner = module.clone();
                if path.is_dir() {
                    inner.push(name);
                    folders.push((path, inner));
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    if !matches!(name.as_str(), "lib" | "main" | "mod") {
                        inner.push(name);
                    }
                    // A library's root, where a binary lies beside it, has the modules.
                    let is_lesser = path.ends_with("main.rs") && files.contains_key(&inner);
                    if !is_lesser {
                        files.insert(inner, File::read(&path));
                    }
                }
            }
        }
        Self(files)
    }

    /// The files that each file leads to.
    fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut edges = BTreeMap::new();
        for (module, file) in &self.0 {
            let mut others = BTreeSet::new();
            for path in paths(&file.text) {
                let target = self.deepest(&absolute(module, &path));
                if !module.starts_with(&target) {
                    others.insert(self.0[&target].path.as_str());
                }
            }
            let parts = self.0.iter().filter(|(part, _)| {
                part.split_last()
                    .is_some_and(|(_, parent)| parent == module.as_slice())
            });
            others.extend(parts.map(|(_, part)| part.path.as_str()));
            edges.insert(file.path.as_str(), others);
        }
        edges
    }

    fn deepest(&self, path: &[String]) -> Module {
        let lengths = (0..=path.len()).rev();
        let found = lengths.map(|length| path[..length].to_vec());
        let mut modules = found.filter(|module| self.0.contains_key(module));
        modules.next().expect("a crate has a root")
    }
}

impl File {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("it is text");
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let path = path
            .strip_prefix(root())
            .expect("it lies in the repository");
        Self {
            path: path.to_str().expect("a plain name").to_owned(),
            text: code.collect::<Vec<_>>().join("\n"),
        }
    }
}

/// Everything that begins with `crate::`, `super::` or `self::`, a path for each name in braces.
fn paths(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if !before.is_some_and(|before| is_of_a_name(before) || before == ':') {
                tree(&text[at..], &mut Module::new(), &mut found);
            }
        }
    }
    found
}

/// Reads a path with all that is in its braces, and returns what follows.
fn tree<'a>(text: &'a str, prefix: &mut Module, found: &mut Vec<Module>) -> &'a str {
    let depth = prefix.len();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                inside = tree(inside, prefix, found).trim_start();
                match inside.strip_prefix(',') {
                    Some(more) => inside = more,
                    None => break,
                }
                if inside.trim_start().starts_with('}') {
                    break;
                }
            }
            rest = inside.trim_start().strip_prefix('}').unwrap_or(inside);
            break;
        }
        let end = rest
            .find(|other| !is_of_a_name(other))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        prefix.push(name.to_owned());
        let Some(more) = after.strip_prefix("::") else {
            found.push(prefix.clone());
            let end = after.find([',', '}', ';']).unwrap_or(after.len());
            rest = &after[end..];
            break;
        };
        rest = more;
    }
    prefix.truncate(depth);
    rest
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// A path of a module's text, from the crate's root.
fn absolute(module: &[String], path: &[String]) -> Module {
    let mut from = module.to_vec();
    let mut names = path.iter().peekable();
    if names.peek().is_some_and(|name| *name == "crate") {
        from.clear();
        names.next();
    }
    while let Some(name) = names.next_if(|name| matches!(name.as_str(), "self" | "super")) {
        if name == "super" {
            from.pop();
        }
    }
    from.extend(names.cloned());
    from
}

/// The files of each circle.
fn circles<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            open.extend(edges[file].iter().filter(|other| seen.insert(**other)));
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|file| (*file, reached(file))).collect();
    let on_a_circle = reached
        .iter()
        .filter(|(file, others)| others.contains(*file));
    on_a_circle
        .map(|(file, others)| {
            let back = others
                .iter()
                .filter(|other| reached[**other].contains(file));
            back.copied().collect()
        })
        .collect()
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    let mut sources = vec![root().join("tests/support")];
    for folder in ["crates", "services"] {
        for entry in fs::read_dir(root().join(folder)).expect("it is a folder") {
            sources.push(entry.expect("it can be read").path().join("src"));
        }
    }
    let mut found = Vec::new();
    for source in sources {
        let files = Crate::read(&source);
        let edges = files.edges();
        for circle in circles(&edges) {
            let within = circle.iter().map(|file| {
                let others = edges[file].intersection(&circle).copied();
                format!("  {file} -> {}", others.collect::<Vec<_>>().join(", "))
            });
            found.push(within.collect::<Vec<_>>().join("\n"));
        }
    }
    assert!(
        found.is_empty(),
        "circles of imports:\n{}",
        found.join("\n\n")
    );
}

#[test]
fn paths_are_read_wherever_they_stand() {
    let text = "use crate::{\n    a::{B, c::*},\n    d as e,\n};\npub(crate) fn f(x: super::g::H) -> i { crate::j::<K>() }";
    let mut read: Vec<String> = paths(text).iter().map(|path| path.join("::")).collect();
    read.sort();
    let expected = [
        "crate::a::B",
        "crate::a::c::",
        "crate::d",
        "crate::j::",
        "super::g::H",
    ];
    assert_eq!(read, expected);
}
