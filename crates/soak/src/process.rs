//! One child process: started, killed, stopped, started again where it was.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a process may take until it is ready.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How long a process may drain.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// How a process is started, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// What reports call it.
    pub(crate) name: String,
    /// The binary.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its settings, beside those that it inherits.
    pub(crate) environment: Vec<(String, String)>,
    /// A line on its standard output that contains this says that it serves.
    pub(crate) ready: &'static str,
    /// The folder of its log.
    pub(crate) folder: PathBuf,
}

/// A process that runs. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    recipe: Recipe,
    child: Child,
    ready_line: String,
}

impl Process {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(recipe: Recipe) -> Result<Self, String> {
        let (child, ready_line) = run(&recipe).await?;
        Ok(Self {
            recipe,
            child,
            ready_line,
        })
    }

    /// The line that said it was ready.
    pub(crate) fn ready_line(&self) -> &str {
        &self.ready_line
    }

    /// Kills it and starts it again.
    pub(crate) async fn restart_after_kill(&mut self) -> Result<(), String> {
        self.child
            .kill()
            .await
            .map_err(|error| format!("{} can't be killed: {error}", self.recipe.name))?;
        self.again().await
    }

    /// Asks it to stop, and starts it again when it has. Returns how it ended.
    pub(crate) async fn restart_after_stop(&mut self) -> Result<ExitStatus, String> {
        if let Some(pid) = self.pid() {
            // An error means that it is gone, which the wait below tells.
            let _ = kill_process(pid, Signal::TERM);
        }
        let name = &self.recipe.name;
        let ended = timeout(STOP_LIMIT, self.child.wait())
            .await
            .map_err(|_| format!("{name} does not stop within {STOP_LIMIT:?}"))?;
        let status = ended.map_err(|error| format!("{name} can't be waited for: {error}"))?;
        self.again().await?;
        Ok(status)
    }

    /// Starts it if it doesn't run.
    pub(crate) async fn ensure_running(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            _ => self.again().await,
        }
    }

    /// Its number and how many KiB of memory it holds; `None` when it doesn't run.
    pub(crate) fn resident_kib(&self) -> Option<(u32, u64)> {
        let number = self.child.id()?;
        let facts = std::fs::read_to_string(format!("/proc/{number}/status")).ok()?;
        let line = facts.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some((number, kib))
    }

    async fn again(&mut self) -> Result<(), String> {
        (self.child, self.ready_line) = run(&self.recipe).await?;
        Ok(())
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()?).ok()?)
    }
}

async fn run(recipe: &Recipe) -> Result<(Child, String), String> {
    let name = &recipe.name;
    let log = open_log(&recipe.folder, name)?;
    let mut child = Command::new(&recipe.program)
        .args(&recipe.arguments)
        .envs(recipe.environment.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        // Ctrl-C is for this process, which then ends its children.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{name} can't be started: {error}"))?;
    let output = child.stdout.take().ok_or("a child without an output")?;
    let mut lines = BufReader::new(output).lines();
    let ready = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if line.contains(recipe.ready) {
                return Some(line);
            }
        }
        None
    };
    let line = timeout(START_LIMIT, ready)
        .await
        .map_err(|_| format!("{name} is not ready within {START_LIMIT:?}; see its log"))?
        .ok_or_else(|| format!("{name} ended before it was ready; see its log"))?;
    // A full pipe would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((child, line))
}

fn open_log(folder: &Path, name: &str) -> Result<File, String> {
    File::options()
        .create(true)
        .append(true)
        .open(folder.join(format!("{name}.log")))
        .map_err(|error| format!("the log of {name} can't be written: {error}"))
}
