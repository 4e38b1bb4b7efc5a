//! `cargo xtask compose-test`: docker-compose.yml on a real engine, down to a login that survives
//! `down` and `up`.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use harness::older::BINARIES;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::compose::Project;
use crate::compose_journey::Visitor;
use crate::demo::local;
use crate::failure::{During, Failure};
use crate::listening_ports::require_free;
use crate::older::{self, Older};
use crate::{console, log_scan, repository, script};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port to publish the website on
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    site_port: u16,
    /// Port to publish the simulator on
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    simulator_port: u16,
    /// Use the images as they are
    #[arg(long)]
    no_build: bool,
    /// As in production: TLS, passwords, two of each service, each recreated in mid-login; upgraded from
    /// the version before; a backup, the loss of everything, and its restoration
    #[arg(long)]
    production: bool,
}

/// Settings of the committed `.env` that stand in for secrets, and that no log may show.
const SECRET_KEYS: [&str; 4] = [
    "GATEWAY__INTERNAL__API_KEY",
    "GATEWAY__WECHAT__APP_SECRET",
    "GATEWAY__WECHAT__TOKEN",
    "GATEWAY__WECHAT__ENCODING_AES_KEY",
];

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    if options.production {
        return production(options);
    }
    require_free(options.site_port, "the website", "--site-port")?;
    require_free(options.simulator_port, "the simulator", "--simulator-port")?;
    let project = Project::new("wechat-login-test", environment(options))?;
    console::step(&format!("Compose: {}", project.program()));

    // Ctrl-C ends the running docker command, whose failure then leads to `down`.
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped)).during("listen for signals")?;
    }
    let outcome = journey(&project, options, &stopped);
    if outcome.is_err() {
        console::note("it failed; the last lines of every container:");
        let _ = project.run(&["ps"]);
        let _ = project.run(&["logs", "--tail", "30"]);
    }
    console::step("Removing the containers and the volume of this test");
    let removed = project.run(&["down", "--volumes", "--remove-orphans"]);
    outcome?;
    removed?;
    console::done(&format!(
        "passed in {}",
        console::duration(started.elapsed())
    ));
    Ok(())
}

/// The script's own Compose project; its ports are beside those of the demonstration.
fn production(options: &Options) -> Result<(), Failure> {
    let project = Project::new("wechat-login-production", environment(options))?;
    if !options.no_build {
        console::step("Building the images (the first time takes several minutes)");
        project.run(&["build"])?;
    }
    match older::build()? {
        Older::At(folder) => script::run(
            "deploy/tests/production.sh",
            &[(BINARIES, folder.as_os_str())],
        ),
        Older::Unavailable(reason) => {
            console::note(&format!("the upgrade won't be tested: {reason}"));
            script::run("deploy/tests/production.sh", &[])
        }
    }
}

/// The demonstration's own settings, at the ports of this run.
fn environment(options: &Options) -> Vec<(&'static str, String)> {
    let site = local(options.site_port);
    let simulator = local(options.simulator_port);
    vec![
        ("EDGE_PUBLISH", format!("127.0.0.1:{}", options.site_port)),
        (
            "SIMULATOR_PUBLISH",
            format!("127.0.0.1:{}", options.simulator_port),
        ),
        ("SITE__PUBLIC__URL", site.clone()),
        ("GATEWAY__PUBLIC__URL", site),
        ("SIMULATOR__PUBLIC__URL", simulator.clone()),
        ("GATEWAY__WECHAT__MP_URL", simulator.clone()),
        ("GATEWAY__WECHAT__OPEN_URL", simulator),
    ]
}

fn journey(project: &Project, options: &Options, stopped: &AtomicBool) -> Result<(), Failure> {
    let go_on = |text: &str| {
        if stopped.load(Ordering::Relaxed) {
            return Err(Failure::new("stopped"));
        }
        console::step(text);
        Ok(())
    };
    project.run(&["down", "--volumes", "--remove-orphans"])?;
    if !options.no_build {
        go_on("Building the images (the first time takes several minutes)")?;
        project.run(&["build"])?;
    }
    let site = local(options.site_port);
    let simulator = local(options.simulator_port);
    let mut first = Visitor::new(&site, &simulator);
    let mut second = Visitor::new(&site, &simulator);

    go_on("Starting the containers")?;
    up(project)?;
    go_on("No container runs as root, and only the edge and the simulator publish a port")?;
    confinement(project)?;
    go_on("The page and WeChat's callback answer at the published port")?;
    first.finds_page_and_callback()?;
    go_on("A visitor logs in")?;
    let person = first.log_in("小明")?;
    console::done("logged in as 小明");
    search_logs(project)?;

    go_on("Down and up again, the volume kept")?;
    project.run(&["down"])?;
    up(project)?;
    go_on("The session from before still holds")?;
    first.is_logged_in_as(&person)?;
    console::done("still logged in as 小明");
    go_on("Another visitor logs in")?;
    second.log_in("小红")?;
    console::done("logged in as 小红");
    search_logs(project)
}

fn up(project: &Project) -> Result<(), Failure> {
    let started = Instant::now();
    project.run(&["up", "--detach", "--no-build"])?;
    project.wait_until_healthy()?;
    console::done(&format!(
        "all healthy after {}",
        console::duration(started.elapsed())
    ));
    Ok(())
}

fn confinement(project: &Project) -> Result<(), Failure> {
    let containers = project.inspect(
        "{{.Name}} user={{.Config.User}} read_only={{.HostConfig.ReadonlyRootfs}} \
         published={{range $port, $hosts := .NetworkSettings.Ports}}{{if $hosts}}{{$port}}{{end}}{{end}}",
    )?;
    for container in &containers {
        console::plain(&format!("    {container}"));
        let root = ["user= ", "user=root ", "user=0 "]
            .iter()
            .any(|user| container.contains(user));
        if root || !container.contains("read_only=true") {
            return Err(Failure::new(format!("not confined: {container}")));
        }
    }
    let publishing = containers
        .iter()
        .filter(|container| !container.ends_with("published="))
        .count();
    if publishing != 2 {
        return Err(Failure::new(format!(
            "{publishing} containers publish a port instead of two"
        )));
    }
    Ok(())
}

/// The containers' logs may hold as little as those of the tests.
fn search_logs(project: &Project) -> Result<(), Failure> {
    let folder = repository::target().join("compose-test-logs");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).during(&format!("write {}", path.display()))
    };
    fs::create_dir_all(&folder).during("create target/compose-test-logs")?;
    let settings = fs::read_to_string(repository::root().join(".env")).during("read .env")?;
    let secrets: Vec<&str> = settings
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| SECRET_KEYS.contains(key))
        .map(|(_, value)| value)
        .collect();
    write("forbidden.txt", &secrets.join("\n"))?;
    write("containers.log", &project.output(&["logs", "--no-color"])?)?;
    log_scan::run(&folder)
}
