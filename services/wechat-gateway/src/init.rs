//! `wechat-gateway init`: the settings of a new installation, with fresh secrets, and what to enter
//! in WeChat's console.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    process::ExitCode,
};

use login_protocol::identity::AppId;
use service_kit::command_line::{Invocation, RunningSubcommand, Subcommand};
use url::{Host, Url};

use crate::settings::GatewaySettings;

mod answers;
mod secrets;
mod texts;

use answers::Answers;
use secrets::Secrets;
use texts::{Language, Texts};

const FORCE: &str = "force";
const APP_ID: &str = "app-id";
const APP_SECRET_FILE: &str = "app-secret-file";
const DOMAIN: &str = "domain";
const OUTPUT: &str = "output";
const LANGUAGE: &str = "language";

/// The file that is written if no other is named.
const DEFAULT_OUTPUT: &str = "production.env";

/// How often somebody may answer a question with something that can't be used.
const ATTEMPTS: usize = 5;

/// The subcommand.
pub(crate) const SUBCOMMAND: Subcommand<GatewaySettings> = Subcommand {
    name: "init",
    about: "Write the settings of a new installation with fresh secrets, and print what to enter in \
            WeChat's console; asks for what isn't given",
    arguments: &[],
    flags: &[(FORCE, "Overwrite the file")],
    options: &[
        (APP_ID, "APPID", "The Official Account's AppID"),
        (
            APP_SECRET_FILE,
            "FILE",
            "A file with the account's AppSecret; without it and without a terminal, the setting stays empty",
        ),
        (
            DOMAIN,
            "DOMAIN",
            "The domain of the login, such as login.example.com",
        ),
        (
            OUTPUT,
            "FILE",
            "The file to write, for its owner alone; production.env by default",
        ),
        (
            LANGUAGE,
            "LANGUAGE",
            "en or zh-CN; by default as LC_ALL, LC_MESSAGES or LANG say",
        ),
    ],
    run: |invocation| -> RunningSubcommand { Box::pin(async move { run(&invocation) }) },
};

/// The exit code is 0, 1 when the file couldn't be written, or 2 when something isn't usable.
#[expect(clippy::print_stdout, reason = "it is what the command is for")]
fn run(invocation: &Invocation<GatewaySettings>) -> ExitCode {
    let given = |name: &str| invocation.options.get(name).map(String::as_str);
    let texts = match language(given(LANGUAGE)) {
        Ok(language) => language.texts(),
        Err(wrong) => return fail(&wrong, 2),
    };
    let output = Path::new(given(OUTPUT).unwrap_or(DEFAULT_OUTPUT));
    let overwrite = invocation.flags.contains(&FORCE);
    if output.exists() && !overwrite {
        return fail(&texts.exists(output), 1);
    }
    let answers = match answers(given, texts) {
        Ok(answers) => answers,
        Err(wrong) => return fail(&wrong, 2),
    };
    let secrets = match Secrets::new() {
        Ok(secrets) => secrets,
        Err(error) => return fail(&error.to_string(), 1),
    };
    if let Err(error) = write(output, overwrite, |owner| {
        texts.settings(&answers, &secrets, owner)
    }) {
        return fail(&texts.not_written(output, &error), 1);
    }
    print!("{}", texts.steps(&answers, &secrets, output));
    ExitCode::SUCCESS
}

fn fail(wrong: &str, code: u8) -> ExitCode {
    eprintln!("wechat-gateway: {wrong}");
    ExitCode::from(code)
}

fn language(given: Option<&str>) -> Result<Language, String> {
    match given {
        Some("en") => Ok(Language::English),
        Some("zh-CN") => Ok(Language::Chinese),
        Some(other) => Err(format!("--language must be en or zh-CN, not {other:?}")),
        None => {
            let variables = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
            let locale = variables
                .filter_map(|name| env::var(name).ok())
                .find(|value| !value.is_empty());
            Ok(Language::of_locale(&locale.unwrap_or_default()))
        }
    }
}

fn answers<'given>(
    given: impl Fn(&str) -> Option<&'given str>,
    texts: &Texts,
) -> Result<Answers, String> {
    Ok(Answers {
        app_id: answer(given(APP_ID), "--app-id", texts.ask_app_id, app_id)?,
        app_secret: match given(APP_SECRET_FILE) {
            Some(file) => {
                let text = fs::read_to_string(file);
                let text = text.map_err(|error| format!("--app-secret-file {file}: {error}"))?;
                app_secret(&text)?
            }
            None if io::stdin().is_terminal() => {
                answer(None, "--app-secret-file", texts.ask_app_secret, app_secret)?
            }
            None => String::new(),
        },
        domain: answer(given(DOMAIN), "--domain", texts.ask_domain, domain)?,
    })
}

/// What an option says, or the person at the terminal.
fn answer<T>(
    given: Option<&str>,
    option: &str,
    question: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    if let Some(text) = given {
        return parse(text).map_err(|wrong| format!("{option} {wrong}"));
    }
    let mut wrong = "is missing".to_owned();
    for _ in 0..ATTEMPTS {
        eprint!("{question} ");
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if read.map_err(|error| error.to_string())? == 0 {
            break;
        }
        match parse(&line) {
            Ok(value) => return Ok(value),
            Err(why) => {
                eprintln!("  {option}: {why}");
                wrong = why;
            }
        }
    }
    Err(format!("{option} {wrong}"))
}

/// Stricter than the settings: all `AppID`s of today are `wx` and 16 digits of hexadecimal.
fn app_id(text: &str) -> Result<AppId, String> {
    let text = text.trim();
    let wrong = || format!("is not an AppID such as wx0123456789abcdef: {text:?}");
    let rest = text.strip_prefix("wx").ok_or_else(wrong)?;
    if rest.len() != 16 || !rest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    AppId::parse(text).map_err(|_| wrong())
}

/// Empty: it is filled in later. Nothing that would mean something to Compose.
fn app_secret(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err("holds something else than letters and digits".to_owned())
    }
}

/// A domain name without anything around it, in lower case and in ASCII.
fn domain(text: &str) -> Result<String, String> {
    let text = text.trim();
    let url = Url::parse(&format!("https://{text}/"));
    let wrong = || format!("is not a domain such as login.example.com: {text:?}");
    let url = url.map_err(|_| wrong())?;
    let is_bare = url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    match url.host() {
        Some(Host::Domain(host)) if is_bare && is_name(host) => Ok(host.to_owned()),
        _ => Err(wrong()),
    }
}

fn is_name(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    (host.contains('.') || host == "localhost") && host.bytes().all(is_part)
}

/// Writes what is made for the owner of the file, `uid:gid`. Nobody else may read it, from its
/// first moment on.
fn write(path: &Path, overwrite: bool, text: impl FnOnce(&str) -> String) -> io::Result<()> {
    // Beside it first: a failure leaves no half a file, and another one's permissions don't stay.
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = Path::new(&name);
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)?;
    let owner = file.metadata()?;
    let owner = format!("{}:{}", owner.uid(), owner.gid());
    let written = file
        .write_all(text(&owner).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| {
            if overwrite {
                fs::rename(beside, path)
            } else {
                // Unlike a rename, this fails where somebody made the file in the meantime.
                fs::hard_link(beside, path).and_then(|()| fs::remove_file(beside))
            }
        });
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_bare_name() {
        for (text, name) in [
            ("login.example.com", "login.example.com"),
            (" Login.Example.com\n", "login.example.com"),
            ("登录.example.com", "xn--w2t382c.example.com"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(domain(text).as_deref(), Ok(name), "{text}");
        }
        for text in [
            "",
            "example",
            "https://login.example.com",
            "login.example.com/path",
            "login.example.com:8443",
            "me@login.example.com",
            "192.0.2.1",
            "[2001:db8::1]",
            "login.example.com?x",
            "login example.com",
            "$HOME.example.com",
        ] {
            assert!(domain(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_language_is_the_locales() {
        for (locale, language) in [
            ("zh_CN.UTF-8", Language::Chinese),
            ("zh", Language::Chinese),
            ("en_GB.UTF-8", Language::English),
            ("C", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }
}
