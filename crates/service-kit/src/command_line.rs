//! The command line that every service has.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Arg, Command, value_parser};

use crate::{
    http_client,
    lifecycle::ServiceError,
    settings::{self, AnyKey, Key, Settings},
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

/// Reads the command line and the settings, starts logging, and runs the service to its end.
///
/// The exit code is 0 after an orderly stop, 1 after a failure, 2 when the settings or the command
/// line are no good.
pub fn main<Run, Running>(service: &Service, run: Run) -> ExitCode
where
    Run: FnOnce(Settings) -> Running,
    Running: Future<Output = Result<(), ServiceError>>,
{
    let matches = command(service).get_matches();
    let file = matches.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let settings = match Settings::load(service.prefix, service.keys, file) {
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
    http_client::install_tls();
    match actix_web::rt::System::new().block_on(run(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ ServiceError::Settings(_)) => fail(service, &error, 2),
        Err(error) => fail(service, &error, 1),
    }
}

fn command(service: &Service) -> Command {
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
