//! `cargo xtask up`: everything on this machine, for looking and for developing.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::builder::TypedValueParser;
use harness::services::{self, Environment};

use crate::console::{self, Colour};
use crate::demo::{self, AccountKind, Ports, Settings, local};
use crate::failure::{During, Failure};
use crate::listening_ports::{free_or_any, require_free};
use crate::supervisor::{Ended, Role, Supervisor};
use crate::{packages, repository};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port of the website, on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = port())]
    site_port: u16,
    /// Port of the gateway's public listener, on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 8081, value_parser = port())]
    gateway_port: u16,
    /// Port of the simulator and its phone page, on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 8090, value_parser = port())]
    simulator_port: u16,
    /// What kind of account the simulator plays: a certified service account, or a personal
    /// subscription account, to which WeChat gives no codes
    #[arg(long, value_enum, default_value_t = AccountKind::Service)]
    account: AccountKind,
    /// Build optimised binaries: slower to start the first time, faster to run
    // A debug build starts a newcomer minutes sooner, and serves one visitor just as well.
    #[arg(long)]
    release: bool,
}

/// A port that an address can name: 0 would mean any.
fn port() -> impl TypedValueParser<Value = u16> {
    clap::value_parser!(u16).range(1..)
}

/// What `up` does without a real account.
const SIMULATED: &str = "no account in the environment: using the WeChat simulator";

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    let simulated = !demo::real_account_is_configured();
    require_free(options.site_port, "the website", "--site-port")?;
    require_free(options.gateway_port, "the gateway", "--gateway-port")?;
    if simulated {
        require_free(options.simulator_port, "the simulator", "--simulator-port")?;
    }
    let redis = packages::redis_server()?;
    let folder = repository::target().join("up");
    fs::create_dir_all(folder.join("redis")).during("create the folder for Redis's data")?;
    let _alone = lock(&folder)?;
    build(options.release)?;

    console::step(if simulated {
        SIMULATED
    } else {
        "real account in the environment: no simulator"
    });
    let settings = Settings::new(
        Ports {
            site: options.site_port,
            site_internal: free_or_any(9080)?,
            gateway: options.gateway_port,
            gateway_internal: free_or_any(9081)?,
            simulator: options.simulator_port,
            redis: free_or_any(0)?,
        },
        simulated,
        options.account,
    )?;
    let mut supervisor = Supervisor::new()?;
    let ended = match start_all(
        &mut supervisor,
        &redis,
        &folder,
        &settings,
        options,
        simulated,
    ) {
        Ok(()) => {
            console::done(&format!(
                "everything is ready after {}",
                console::duration(started.elapsed())
            ));
            welcome(&settings, simulated);
            supervisor.watch()
        }
        Err(ended) => ended,
    };
    if matches!(ended, Ended::Asked) {
        console::plain("");
        console::step("Stopping");
    }
    supervisor.stop();
    match ended {
        Ended::Asked => {
            console::done("stopped; Redis keeps its state for the next time in target/up/redis");
            Ok(())
        }
        Ended::Died(failure) => Err(failure),
    }
}

/// Two Redis servers over one append-only file would destroy it.
fn lock(folder: &Path) -> Result<File, Failure> {
    let file = File::create(folder.join("lock")).during("create target/up/lock")?;
    file.try_lock().map_err(|_| {
        Failure::new("`cargo xtask up` already runs in this repository; end that one first")
    })?;
    Ok(file)
}

fn build(release: bool) -> Result<(), Failure> {
    console::step("Building (the first time takes a few minutes)");
    let started = Instant::now();
    let mut command = repository::cargo();
    // The whole workspace, so that the dependencies have the features that they have in the tests,
    // and are compiled once for both. Without this program, which is running.
    command.args([
        "build",
        "--locked",
        "--workspace",
        "--exclude",
        "xtask",
        "--bins",
    ]);
    if release {
        command.arg("--release");
    }
    let status = command
        .stdin(Stdio::null())
        .status()
        .during("run cargo build")?;
    if !status.success() {
        return Err(Failure::new("the build failed, see above"));
    }
    console::done(&format!(
        "built in {}",
        console::duration(started.elapsed())
    ));
    Ok(())
}

fn start_all(
    supervisor: &mut Supervisor,
    redis: &Path,
    folder: &Path,
    settings: &Settings,
    options: &Options,
    simulated: bool,
) -> Result<(), Ended> {
    let binaries = repository::binaries(options.release).map_err(Ended::Died)?;
    let service = |name: &str, environment: Environment| {
        let mut command = Command::new(binaries.join(name));
        command.current_dir(repository::root()).envs(environment);
        command
    };

    console::step("Starting Redis");
    // The configuration comes on standard input, so that no process list shows the password.
    let mut server = Command::new(redis);
    server.arg("-").current_dir(folder.join("redis"));
    supervisor.start(
        Role {
            name: "redis",
            colour: Colour::Red,
            ready: "Ready to accept connections",
            shown: false,
        },
        server,
        &redis_configuration(settings),
    )?;
    if simulated {
        console::step("Starting the WeChat simulator");
        supervisor.start(
            Role {
                name: "simulator",
                colour: Colour::Green,
                ready: services::SIMULATOR_READY,
                shown: true,
            },
            service("wechat-simulator", settings.simulator()),
            "",
        )?;
    }
    console::step("Starting the gateway");
    supervisor.start(
        Role {
            name: "gateway",
            colour: Colour::Cyan,
            ready: services::GATEWAY_READY,
            shown: true,
        },
        service("wechat-gateway", settings.gateway()),
        "",
    )?;
    console::step("Starting the site");
    supervisor.start(
        Role {
            name: "site",
            colour: Colour::Magenta,
            ready: services::SITE_READY,
            shown: true,
        },
        service("site", settings.site()),
        "",
    )?;
    Ok(())
}

fn redis_configuration(settings: &Settings) -> String {
    format!(
        "bind 127.0.0.1\nport {}\nrequirepass {}\nappendonly yes\nsave \"\"\ndir .\ndaemonize no\n",
        settings.ports.redis, settings.redis_password
    )
}

fn welcome(settings: &Settings, simulated: bool) {
    let ports = &settings.ports;
    let site = local(ports.site);
    let lines = if simulated && settings.account == AccountKind::Subscription {
        format!(
            "
    Website    {site}
    Phone      {}

    1. Open the website and press the login button: digits appear, since WeChat gives this account no codes.
    2. Open the phone in a second window, choose a person who follows the account, and send it the digits in the chat.
    3. The website greets the person.

    Ctrl-C ends everything.
",
            local(ports.simulator)
        )
    } else if simulated {
        format!(
            "
    Website    {site}
    Phone      {}

    1. Open the website and press the login button: a QR code appears.
    2. Open the phone in a second window, choose a person and scan that code.
    3. The website greets the person.

    A real account instead: set GATEWAY__WECHAT__APP_ID and its fellows, see docs/connect-an-account.md.
    Ctrl-C ends everything.
",
            local(ports.simulator)
        )
    } else {
        format!(
            "
    Website    {site}
    Callback   {}/wechat/callback (WeChat has to reach it from outside: see docs/connect-an-account.md)

    Open the website, press the login button and scan the code with WeChat.
    Ctrl-C ends everything.
",
            local(ports.gateway)
        )
    };
    console::plain(&lines);
}
