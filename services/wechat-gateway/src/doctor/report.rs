//! What the checks found, for people and for scripts.

use std::io;

use serde::Serialize;

use super::own_settings::in_account;
use login_protocol::account::{AccountName, DEFAULT};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Nothing to do.
    Ok,
    /// It works, but not as well or as safely as it could.
    Warn,
    /// Logins fail, or soon will.
    Fail,
    /// It couldn't be checked, or has nothing to check.
    Skip,
}

/// One check. Its texts contain no secret, token, openid or scene.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// A name that scripts can rely on.
    pub(crate) name: &'static str,
    /// The account that it is about; `None` where it is about the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// How it ended.
    pub(crate) status: Status,
    /// What was found.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) action: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, detail, None)
    }

    pub(super) fn skip(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Skip, detail, None)
    }

    pub(super) fn warn(
        name: &'static str,
        detail: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self::new(name, Status::Warn, detail, Some(action.into()))
    }

    pub(super) fn fail(
        name: &'static str,
        detail: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self::new(name, Status::Fail, detail, Some(action.into()))
    }

    /// The same for this account, with its setting names in the texts.
    pub(super) fn of(mut self, account: &AccountName) -> Self {
        if !account.is_default() {
            self.detail = in_account(account.as_str(), &self.detail);
            self.action = self
                .action
                .map(|action| in_account(account.as_str(), &action));
        }
        self.account = Some(account.as_str().to_owned());
        self
    }

    /// What it is called in a line.
    pub(crate) fn title(&self) -> String {
        let name = self.name.replace('_', " ");
        match self.account.as_deref() {
            None | Some(DEFAULT) => name,
            Some(account) => format!("{account}: {name}"),
        }
    }

    /// What to do, also about something that couldn't be checked.
    pub(super) fn advising(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    fn new(
        name: &'static str,
        status: Status,
        detail: impl Into<String>,
        action: Option<String>,
    ) -> Self {
        Self {
            name,
            account: None,
            status,
            detail: detail.into(),
            action,
        }
    }
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// On a terminal.
    Always,
    /// In a file or a pipe.
    Never,
}

/// Whether nothing failed.
pub(super) fn is_ok(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.status != Status::Fail)
}

/// Writes one line a check, and a line that counts them.
pub(super) fn write_lines(
    output: &mut impl io::Write,
    checks: &[Check],
    colour: Colour,
) -> io::Result<()> {
    let width = checks.iter().map(|check| check.title().len()).max();
    for check in checks {
        let name = check.title();
        let action = check.action.as_deref().map(|action| format!(" → {action}"));
        writeln!(
            output,
            "{}  {name:width$}  {}{}",
            word(check.status, colour),
            one_line(&check.detail),
            one_line(&action.unwrap_or_default()),
            width = width.unwrap_or_default(),
        )?;
    }
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    writeln!(
        output,
        "{} ok, {} warn, {} fail, {} skip",
        count(Status::Ok),
        count(Status::Warn),
        count(Status::Fail),
        count(Status::Skip)
    )
}

/// Writes all checks as one JSON object.
pub(super) fn write_json(output: &mut impl io::Write, checks: &[Check]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        checks: &'a [Check],
        ok: bool,
    }
    let report = Report {
        checks,
        ok: is_ok(checks),
    };
    serde_json::to_writer_pretty(&mut *output, &report)?;
    writeln!(output)
}

fn word(status: Status, colour: Colour) -> String {
    let (word, code) = match status {
        Status::Ok => ("ok", 32),
        Status::Warn => ("warn", 33),
        Status::Fail => ("fail", 31),
        Status::Skip => ("skip", 90),
    };
    match colour {
        Colour::Always => format!("\x1b[{code}m{word:4}\x1b[0m"),
        Colour::Never => format!("{word:4}"),
    }
}

/// Messages of WeChat, Redis or a proxy may contain line breaks and worse.
fn one_line(text: &str) -> String {
    let printable = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<Check> {
        vec![
            Check::ok("redis", "answers"),
            Check::fail("access_token", "WeChat\nrefuses\x1b[2J", "Ask WeChat"),
            Check::skip("relay", "no relay.url is set"),
        ]
    }

    #[test]
    fn every_check_is_one_line() {
        let mut output = Vec::new();
        write_lines(&mut output, &checks(), Colour::Never).unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "ok    redis         answers\n\
             fail  access token  WeChat refuses [2J → Ask WeChat\n\
             skip  relay         no relay.url is set\n\
             1 ok, 0 warn, 1 fail, 1 skip\n"
        );
    }

    #[test]
    fn a_terminal_gets_colours() {
        let mut output = Vec::new();
        write_lines(&mut output, &checks()[..1], Colour::Always).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(text.starts_with("\x1b[32mok  \x1b[0m  redis"), "{text:?}");
    }

    #[test]
    fn scripts_get_one_object() {
        let mut output = Vec::new();
        write_json(&mut output, &checks()[1..]).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output).unwrap();
        assert_eq!(report["ok"], false);
        assert_eq!(
            report["checks"][1],
            serde_json::json!({
                "name": "relay",
                "status": "skip",
                "detail": "no relay.url is set",
                "action": null,
            })
        );
    }
}
