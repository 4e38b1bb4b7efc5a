//! The command line that every service has.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
    pin::Pin,
    process::ExitCode,
    time::Duration,
};

use clap::{Arg, ArgAction, Command, value_parser};

use crate::{
    http_client,
    lifecycle::ServiceError,
    open_files, repeated_lines,
    settings::{self, AnyKey, InvalidSettings, Key, Settings},
    telemetry::{self, LOG_FORMAT, LOG_LEVEL},
};

/// What a service says of itself.
pub struct Service {
    /// Its name, as in its binary.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The prefix of its environment variables.
    pub prefix: &'static str,
    /// All its settings.
    pub keys: &'static [&'static dyn AnyKey],
    /// The listener that answers health checks.
    pub health_bind: &'static Key<SocketAddr>,
    /// The path that says whether it is ready.
    pub health_path: &'static str,
}

/// A task of one service's own: `<service> <name> [--flag …]`. It runs in place of the service.
pub struct Subcommand {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Its flags: the name without dashes, and what it does.
    pub flags: &'static [(&'static str, &'static str)],
    /// Does it. Logging isn't started, so that standard error stays free.
    pub run: fn(Invocation) -> Pin<Box<dyn Future<Output = ExitCode>>>,
}

/// How a [`Subcommand`] was called.
pub struct Invocation {
    /// The settings. What is wrong with them is the subcommand's to report.
    pub settings: Result<Settings, InvalidSettings>,
    /// The names of the flags that were given.
    pub flags: Vec<&'static str>,
}

/// Reads the command line and the settings, starts logging, and runs the service to its end.
///
/// The exit code is 0 after an orderly stop, 1 after a failure, 2 when the settings or the command
/// line are no good.
pub fn main<Run, Running>(service: &Service, run: Run) -> ExitCode
where
    Run: FnOnce(Settings) -> Running,
    Running: Future<Output = Result<(), ServiceError>>,
{
    main_with_subcommands(service, &[], run)
}

/// As [`main`], for a service with subcommands of its own; theirs is the exit code then.
pub fn main_with_subcommands<Run, Running>(
    service: &Service,
    subcommands: &[Subcommand],
    run: Run,
) -> ExitCode
where
    Run: FnOnce(Settings) -> Running,
    Running: Future<Output = Result<(), ServiceError>>,
{
    let matches = command(service, subcommands).get_matches();
    let file = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let settings = Settings::load(service.prefix, service.keys, file);
    for subcommand in subcommands {
        if let Some(given) = matches.subcommand_matches(subcommand.name) {
            let flags = subcommand.flags.iter().map(|(name, _)| *name);
            let flags = flags.filter(|name| given.get_flag(name)).collect();
            http_client::install_tls();
            let running = (subcommand.run)(Invocation { settings, flags });
            return actix_web::rt::System::new().block_on(running);
        }
    }
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return fail(service, &error, 2),
    };
    if matches.subcommand_matches("healthcheck").is_some() {
        return match healthcheck(service, &settings) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(service, &error, 1),
        };
    }
    let (format, level) = match (settings.get(&LOG_FORMAT), settings.get(&LOG_LEVEL)) {
        (Ok(format), Ok(level)) => (format, level),
        (Err(error), _) | (_, Err(error)) => return fail(service, &error, 2),
    };
    telemetry::start(format, &level);
    open_files::raise_limit();
    http_client::install_tls();
    let ended = actix_web::rt::System::new().block_on(run(settings));
    repeated_lines::finish();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ ServiceError::Settings(_)) => fail(service, &error, 2),
        Err(error) => fail(service, &error, 1),
    }
}

fn command(service: &Service, subcommands: &[Subcommand]) -> Command {
    let own = subcommands.iter().map(|subcommand| {
        let flags = subcommand.flags.iter().map(|(name, help)| {
            let flag = Arg::new(*name).long(*name).help(*help);
            flag.action(ArgAction::SetTrue)
        });
        Command::new(subcommand.name)
            .about(subcommand.about)
            .args(flags)
    });
    Command::new(service.name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(service.about)
        .after_help(settings::help(service.prefix, service.keys))
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
        .subcommands(own)
}

fn fail(service: &Service, error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("{}: {error}", service.name);
    ExitCode::from(code)
}

fn healthcheck(service: &Service, settings: &Settings) -> Result<(), String> {
    let bind = settings
        .get(service.health_bind)
        .map_err(|error| error.to_string())?;
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
