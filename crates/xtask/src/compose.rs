//! Docker Compose, in whichever of its two forms this machine has.

use std::env;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::console;
use crate::failure::{During, Failure};
use crate::repository::{self, find_program};

/// How long the containers may take from `up` until all are healthy.
const HEALTH_LIMIT: Duration = Duration::from_mins(3);
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// One Compose project made of the repository's docker-compose.yml and its `.env`.
pub(crate) struct Project {
    program: &'static [&'static str],
    name: &'static str,
    environment: Vec<(&'static str, String)>,
}

impl Project {
    /// Finds Compose (v2 before 1.29) and an engine that answers.
    pub(crate) fn new(
        name: &'static str,
        environment: Vec<(&'static str, String)>,
    ) -> Result<Self, Failure> {
        let works = |command: &[&str]| {
            let mut version = Command::new(command[0]);
            version.args(&command[1..]).arg("version");
            version.output().is_ok_and(|output| output.status.success())
        };
        let forms: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
        let program = forms.into_iter().find(|command| works(command)).ok_or_else(|| {
            Failure::new("neither `docker compose` nor `docker-compose` works here: install Docker and Compose")
        })?;
        if find_program(&["docker"]).is_none() || !works(&["docker"]) {
            return Err(Failure::new(
                "no Docker engine answers: start it, and see whether you may use it",
            ));
        }
        Ok(Self {
            program,
            name,
            environment,
        })
    }

    /// The words that start Compose here.
    pub(crate) fn program(&self) -> String {
        self.program.join(" ")
    }

    /// Runs a Compose command, its output shown.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        let status = self.command(arguments).stdin(Stdio::null()).status();
        let status = status.during(&format!("run {}", self.program()))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "`{} {}` failed",
            self.program(),
            arguments.join(" ")
        )))
    }

    /// Runs a Compose command and returns what it wrote.
    pub(crate) fn output(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command(arguments).output();
        read(
            &output.during(&format!("run {}", self.program()))?,
            arguments,
        )
    }

    /// Waits until every container reports itself healthy.
    pub(crate) fn wait_until_healthy(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + HEALTH_LIMIT;
        let mut last = String::new();
        loop {
            let states = self.inspect("{{.Name}} {{.State.Status}} {{.State.Health.Status}}")?;
            if !states.is_empty()
                && states
                    .iter()
                    .all(|state| state.ends_with(" running healthy"))
            {
                return Ok(());
            }
            let now = states.join(", ");
            if now != last {
                console::plain(&format!("    {now}"));
            }
            if Instant::now() > deadline {
                let limit = console::duration(HEALTH_LIMIT);
                return Err(Failure::new(format!(
                    "not all containers are healthy after {limit}: {now}"
                )));
            }
            last = now;
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// One line for each container of the project, written by a Go template over `docker inspect`.
    pub(crate) fn inspect(&self, template: &str) -> Result<Vec<String>, Failure> {
        let containers = self.output(&["ps", "--all", "--quiet"])?;
        let mut arguments = vec!["inspect", "--format", template];
        arguments.extend(containers.split_whitespace());
        if arguments.len() == 3 {
            return Ok(Vec::new());
        }
        let output = Command::new("docker")
            .args(&arguments)
            .output()
            .during("run docker inspect")?;
        Ok(read(&output, &arguments)?
            .lines()
            .map(|line| line.trim_start_matches('/').to_owned())
            .collect())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program[0]);
        command
            .args(&self.program[1..])
            .args(["--project-name", self.name])
            .args(arguments)
            .current_dir(repository::root());
        // Compose lets the environment win over `.env`; settings of the person's own account must
        // not leak in.
        for (key, _) in env::vars_os() {
            let ours = ["GATEWAY__", "SITE__", "SIMULATOR__", "COMPOSE_"];
            if key
                .to_str()
                .is_some_and(|key| ours.iter().any(|prefix| key.starts_with(prefix)))
            {
                command.env_remove(key);
            }
        }
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }
}

fn read(output: &Output, arguments: &[&str]) -> Result<String, Failure> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!(
        "`{}` failed: {}",
        arguments.join(" "),
        problem.trim()
    )))
}
