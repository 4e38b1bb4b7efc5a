//! The command line that every service has.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
    pin::Pin,
    process::ExitCode,
    time::Duration,
};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::{
    build_info, http_client,
    lifecycle::ServiceError,
    open_files, package_files, repeated_lines,
    settings::{self, InvalidSettings, Language, Section},
    telemetry::{self, LogSettings},
    traces::{self, TraceSettings},
};

/// The subcommand that prints the settings' reference.
const REFERENCE: &str = "settings";

const LANGUAGE: &str = "language";
const CHINESE: &str = "zh-CN";

/// What a service says of itself.
pub struct Service {
    /// Its name, as in its binary.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The prefix of its environment variables.
    pub prefix: &'static str,
    /// The path that says whether it is ready.
    pub health_path: &'static str,
}

/// All settings of a service.
pub trait ServiceSettings: Section {
    /// What is logged, and how.
    fn log(&self) -> &LogSettings;

    /// Where traces go; `None`: the service makes none.
    fn traces(&self) -> Option<&TraceSettings> {
        None
    }

    /// The listener that answers health checks.
    fn health_bind(&self) -> SocketAddr;
}

/// A task of one service's own: `<service> <name> [--flag …]`. It runs in place of the service.
pub struct Subcommand<S> {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What follows its name, in this order and required: the name, and what it is.
    pub arguments: &'static [(&'static str, &'static str)],
    /// Its flags: the name without dashes, and what it does.
    pub flags: &'static [(&'static str, &'static str)],
    /// Its options that take a value: the name without dashes, the value's name, and what it does.
    pub options: &'static [(&'static str, &'static str, &'static str)],
    /// Does it. Logging isn't started, so that standard error stays free.
    pub run: fn(Invocation<S>) -> RunningSubcommand,
}

/// Several tasks under one name: `<service> <group> <name> …`.
pub struct SubcommandGroup<S: 'static> {
    /// Its name on the command line.
    pub name: &'static str,
    /// What they are about, in a line.
    pub about: &'static str,
    /// The tasks.
    pub subcommands: &'static [Subcommand<S>],
}

/// A [`Subcommand`] at work; its outcome is the exit code.
pub type RunningSubcommand = Pin<Box<dyn Future<Output = ExitCode>>>;

/// How a [`Subcommand`] was called.
pub struct Invocation<S> {
    /// The settings. Reporting what is wrong with them is up to the subcommand.
    pub settings: Result<S, InvalidSettings>,
    /// The names of the flags that were given.
    pub flags: Vec<&'static str>,
    /// The values of the arguments and of the options that were given, by their names.
    pub options: BTreeMap<&'static str, String>,
}

/// Reads the command line and the settings, starts logging, and runs the service to its end. A
/// subcommand's exit code is its own.
///
/// The exit code is 0 after an orderly stop, 1 after a failure, 2 when the settings or the command
/// line are invalid.
pub fn main<S, Run, Running>(
    service: &Service,
    subcommands: &[Subcommand<S>],
    groups: &[SubcommandGroup<S>],
    run: Run,
) -> ExitCode
where
    S: ServiceSettings + 'static,
    Run: FnOnce(S) -> Running,
    Running: Future<Output = Result<(), ServiceError>>,
{
    let matches = command(service, subcommands, groups).get_matches();
    if let Some(given) = matches.subcommand_matches(REFERENCE) {
        return print_reference::<S>(service, given);
    }
    if let Some(given) = matches.subcommand_matches(package_files::SUBCOMMAND) {
        let command = command(service, subcommands, groups);
        return match package_files::write(command, given) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(service, &error, 1),
        };
    }
    let file = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let settings = settings::load::<S>(service.prefix, file);
    if let Some((subcommand, given)) = asked_for(&matches, subcommands, groups) {
        let invocation = subcommand.invocation(settings, given);
        http_client::install_tls();
        let running = (subcommand.run)(invocation);
        return actix_web::rt::System::new().block_on(running);
    }
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return fail(service, &error, 2),
    };
    if matches.subcommand_matches("healthcheck").is_some() {
        return match healthcheck(service, settings.health_bind()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(service, &error, 1),
        };
    }
    telemetry::start(settings.log());
    open_files::raise_limit();
    http_client::install_tls();
    let ended = actix_web::rt::System::new().block_on(async {
        if let Some(settings) = settings.traces() {
            traces::start(settings, service.name).map_err(ServiceError::Client)?;
        }
        let ended = run(settings).await;
        traces::finish().await;
        ended
    });
    repeated_lines::finish();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ ServiceError::Settings(_)) => fail(service, &error, 2),
        Err(error) => fail(service, &error, 1),
    }
}

/// The task that the command line names, and how.
fn asked_for<'a, S: 'static>(
    matches: &'a ArgMatches,
    subcommands: &'a [Subcommand<S>],
    groups: &'a [SubcommandGroup<S>],
) -> Option<(&'a Subcommand<S>, &'a ArgMatches)> {
    let named = |matches: &'a ArgMatches, subcommands: &'a [Subcommand<S>]| {
        let (name, given) = matches.subcommand()?;
        let found = subcommands.iter().find(|known| known.name == name)?;
        Some((found, given))
    };
    let in_group = || {
        let (name, given) = matches.subcommand()?;
        let group = groups.iter().find(|group| group.name == name)?;
        named(given, group.subcommands)
    };
    named(matches, subcommands).or_else(in_group)
}

impl<S: 'static> SubcommandGroup<S> {
    fn command(&self) -> Command {
        Command::new(self.name)
            .about(self.about)
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommands(self.subcommands.iter().map(Subcommand::command))
    }
}

impl<S> Subcommand<S> {
    fn invocation(
        &self,
        settings: Result<S, InvalidSettings>,
        given: &ArgMatches,
    ) -> Invocation<S> {
        let flags = self.flags.iter().map(|(name, _)| *name);
        let arguments = self.arguments.iter().map(|(name, _)| *name);
        let options = self.options.iter().map(|(name, _, _)| *name);
        let options = arguments.chain(options).filter_map(|name| {
            let value = given.get_one::<String>(name)?;
            Some((name, value.clone()))
        });
        Invocation {
            settings,
            flags: flags.filter(|name| given.get_flag(name)).collect(),
            options: options.collect(),
        }
    }

    fn command(&self) -> Command {
        let flags = self.flags.iter().map(|(name, help)| {
            let flag = Arg::new(*name).long(*name).help(*help);
            flag.action(ArgAction::SetTrue)
        });
        let options = self
            .options
            .iter()
            .map(|(name, value, help)| Arg::new(*name).long(*name).value_name(*value).help(*help));
        let arguments = self
            .arguments
            .iter()
            .map(|(name, help)| Arg::new(*name).help(*help).required(true));
        Command::new(self.name)
            .about(self.about)
            .args(arguments)
            .args(flags)
            .args(options)
    }
}

/// Prints the reference of all settings.
#[expect(clippy::print_stdout, reason = "it is what the command is for")]
fn print_reference<S: Section>(service: &Service, given: &ArgMatches) -> ExitCode {
    let language = match given.get_one::<String>(LANGUAGE).map(String::as_str) {
        Some(CHINESE) => Language::Chinese,
        _ => Language::English,
    };
    print!("{}", settings::markdown::<S>(service.prefix, language));
    ExitCode::SUCCESS
}

fn command<S: Section + 'static>(
    service: &Service,
    subcommands: &[Subcommand<S>],
    groups: &[SubcommandGroup<S>],
) -> Command {
    let reference = Command::new(REFERENCE)
        .about("Print all settings with defaults and meaning, as Markdown")
        .arg(
            Arg::new(LANGUAGE)
                .long(LANGUAGE)
                .value_parser(["en", CHINESE])
                .default_value("en")
                .help("The language of the meanings"),
        );
    Command::new(service.name)
        .version(build_info::DESCRIPTION.as_str())
        .about(service.about)
        .after_help(settings::help::<S>(service.prefix))
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .help("Read settings from this TOML file; the environment wins over it")
                .global(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .subcommand(
            Command::new("healthcheck")
                .about("Ask the running service whether it is ready, and exit 0 or 1"),
        )
        .subcommand(reference)
        .subcommand(package_files::subcommand())
        .subcommands(subcommands.iter().map(Subcommand::command))
        .subcommands(groups.iter().map(SubcommandGroup::command))
}

fn fail(service: &Service, error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("{}: {error}", service.name);
    ExitCode::from(code)
}

fn healthcheck(service: &Service, bind: SocketAddr) -> Result<(), String> {
    let address = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, bind.port()))
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, bind.port()))
        }
        _ => bind,
    };
    let timeout = Duration::from_secs(3);
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, timeout)?;
        stream.set_read_timeout(Some(timeout))?;
        write!(
            stream,
            "GET {} HTTP/1.0\r\nHost: {address}\r\n\r\n",
            service.health_path
        )?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = ask().map_err(|error| format!("{address} doesn't answer: {error}"))?;
    let status = answer.split_whitespace().nth(1);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    if status == Some("200") {
        Ok(())
    } else {
        Err(format!("not ready: {body}"))
    }
}
