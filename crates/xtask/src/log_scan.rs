//! Searches the logs of a test run for what may never stand in a log: secrets, access tokens,
//! openids and the scenes of login attempts.
//!
//! Some have a recognisable form. The others a test writes, one a line, into a file
//! `forbidden.txt`; they are then searched for in all files of that folder and below it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::console;
use crate::failure::{During, Failure};

/// Where a test writes the values of its own that no log may hold.
const FORBIDDEN_FILE: &str = "forbidden.txt";

/// Anything shorter would be found in every log by chance.
const SHORTEST_FORBIDDEN: usize = 8;

/// Something with a form of its own: a prefix, then this many URL-safe characters or more.
struct Pattern {
    what: &'static str,
    prefix: &'static str,
    length: usize,
}

const PATTERNS: [Pattern; 3] = [
    Pattern {
        what: "the scene of a login attempt",
        prefix: "login_",
        length: 43,
    },
    Pattern {
        what: "an openid",
        prefix: "oSim",
        length: 24,
    },
    Pattern {
        what: "an access token",
        prefix: "99_sim",
        length: 1,
    },
];

/// Findings shown; more of them say nothing new.
const SHOWN: usize = 20;

#[derive(Default)]
struct Search {
    files: usize,
    lines: usize,
    forbidden: usize,
    findings: Vec<String>,
}

/// Fails with file and line of everything found, never with the value itself.
pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    let mut search = Search::default();
    search.folder(folder, &BTreeSet::new())?;
    if search.files == 0 {
        return Err(Failure::new(format!(
            "no log in {}: nothing was searched",
            folder.display()
        )));
    }
    if search.findings.is_empty() {
        console::done(&format!(
            "nothing secret in {} lines of {} files ({} forbidden values)",
            search.lines, search.files, search.forbidden
        ));
        return Ok(());
    }
    let shown = search
        .findings
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n    ");
    Err(Failure::new(format!(
        "{} lines that no log may hold:\n    {shown}",
        search.findings.len()
    )))
}

impl Search {
    fn folder(&mut self, folder: &Path, inherited: &BTreeSet<String>) -> Result<(), Failure> {
        let mut forbidden = inherited.clone();
        if let Ok(text) = fs::read_to_string(folder.join(FORBIDDEN_FILE)) {
            for value in text
                .lines()
                .map(str::trim)
                .filter(|value| !value.is_empty())
            {
                if value.len() < SHORTEST_FORBIDDEN {
                    return Err(Failure::new(format!(
                        "{}: a value of fewer than {SHORTEST_FORBIDDEN} characters",
                        folder.join(FORBIDDEN_FILE).display()
                    )));
                }
                forbidden.insert(value.to_owned());
            }
            self.forbidden += forbidden.len() - inherited.len();
        }
        let entries = fs::read_dir(folder).during(&format!("list {}", folder.display()))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.folder(&path, &forbidden)?;
            } else if path.file_name().is_none_or(|name| name != FORBIDDEN_FILE) {
                self.file(&path, &forbidden)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, forbidden: &BTreeSet<String>) -> Result<(), Failure> {
        let bytes = fs::read(path).during(&format!("read {}", path.display()))?;
        self.files += 1;
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            self.lines += 1;
            let by_form = PATTERNS.iter().find(|pattern| pattern.occurs_in(line));
            let what = by_form.map(|pattern| pattern.what).or_else(|| {
                let named = forbidden.iter().any(|value| line.contains(value.as_str()));
                named.then_some("a value listed in forbidden.txt")
            });
            if let Some(what) = what {
                self.findings
                    .push(format!("{}:{}: {what}", path.display(), number + 1));
            }
        }
        Ok(())
    }
}

impl Pattern {
    fn occurs_in(&self, line: &str) -> bool {
        line.match_indices(self.prefix).any(|(start, _)| {
            let rest = &line[start + self.prefix.len()..];
            rest.bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
                .count()
                >= self.length
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(files: &[(&str, &str)]) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!(
            "log-scan-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut search = Search::default();
        search.folder(&folder, &BTreeSet::new()).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        search
            .findings
            .iter()
            .map(|finding| finding.replace(&format!("{}/", folder.display()), ""))
            .collect()
    }

    #[test]
    fn scenes_openids_and_tokens_are_found_by_their_form() {
        let text = format!(
            "a login_attempt began\nscene=login_{}\nopenid oSim{}\ntoken 99_simA\nlogin_{}\n",
            "s".repeat(43),
            "o".repeat(24),
            "short".repeat(8),
        );
        assert_eq!(
            searched(&[("gateway.log", &text)]),
            [
                "gateway.log:2: the scene of a login attempt",
                "gateway.log:3: an openid",
                "gateway.log:4: an access token",
            ]
        );
    }

    #[test]
    fn forbidden_values_count_in_their_folder_and_below_and_nowhere_else() {
        assert_eq!(
            searched(&[
                ("one/forbidden.txt", "the-app-secret\n\n"),
                ("one/site.log", "all is well\n"),
                ("one/deep/gateway.log", "first\nsecret: the-app-secret\n"),
                ("two/gateway.log", "the-app-secret\n"),
            ]),
            ["one/deep/gateway.log:2: a value listed in forbidden.txt"]
        );
    }
}
