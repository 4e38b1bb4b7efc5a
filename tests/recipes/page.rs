//! A page of `docs/integrations`: its blocks of code are the files that a reader makes.

use std::{fs, path::Path};

/// What a page says.
pub(crate) struct Page {
    /// The files, by their names.
    files: Vec<(String, String)>,
}

impl Page {
    /// Reads the page of this name, whose two languages have the same files.
    pub(crate) fn read(name: &str) -> Self {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/integrations"));
        let [english, chinese] = [format!("{name}.md"), format!("{name}.zh-CN.md")].map(|name| {
            let text = fs::read_to_string(folder.join(name)).expect("the page can be read");
            files(&text)
        });
        assert!(!english.is_empty(), "{name} has files");
        assert_eq!(english, chinese, "{name}");
        Self { files: english }
    }

    /// One of its files.
    pub(crate) fn file(&self, name: &str) -> &str {
        let found = self.files.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("the page has {name}")).1
    }

    /// All that aren't settings of the site.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.files.iter().filter(|(name, _)| name != "site.env");
        files.map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// Lines `NAME=value`.
pub(crate) fn variables(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What stands between fences of three backticks whose first line names a language and a file.
fn files(page: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            continue;
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, name)) = fence.split_once(' ') {
            files.push((name.to_owned(), text.join("\n") + "\n"));
        }
    }
    files
}
