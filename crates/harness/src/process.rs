//! A process that logs to a file and says when it is ready: its lines, its end, starting it again.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    child::{Child, Group, Output},
    deadline::{PATIENCE, within},
    services::Environment,
};

/// How long a process may take until it is ready.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How long a process may drain.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Where standard error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// Into the log and among the lines, as standard output does.
    Kept,
    /// Into the log alone, without a detour through this process, whose time may be measured.
    /// Standard output then stays out of the log.
    Straight,
}

/// How a process is started, again and again.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What reports and its log's file are called.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// What runs the program, with its arguments, such as `taskset`; empty where nothing does.
    pub launcher: Vec<String>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment. Beside it there is `PATH` and nothing else.
    pub environment: Environment,
    /// A line that contains this says that it serves.
    pub ready: &'static str,
    /// The folder of its log, `<name>.log`.
    pub log: PathBuf,
    /// Where its standard error goes.
    pub errors: Errors,
    /// Whether Ctrl-C reaches it.
    pub group: Group,
}

impl Recipe {
    /// A program without arguments and environment, all of whose lines are kept, and that ends with
    /// this process's group.
    pub fn new(name: &str, program: impl Into<PathBuf>, log: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            launcher: Vec::new(),
            arguments: Vec::new(),
            environment: Environment::new(),
            ready: "",
            log: log.to_owned(),
            errors: Errors::Kept,
            group: Group::Shared,
        }
    }

    fn command(&self, log: File) -> Command {
        let program = self.program.as_os_str().to_owned();
        let mut words = self.launcher.iter().map(Into::into).chain([program]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(&self.environment)
            .stderr(match self.errors {
                Errors::Kept => Stdio::piped(),
                Errors::Straight => Stdio::from(log),
            });
        command
    }

    fn open_log(&self) -> Result<File, String> {
        let name = &self.name;
        std::fs::create_dir_all(&self.log)
            .and_then(|()| {
                let path = self.log.join(format!("{name}.log"));
                File::options().create(true).append(true).open(path)
            })
            .map_err(|error| format!("the log of {name} can't be written: {error}"))
    }
}

#[derive(Debug)]
struct Line {
    at: Instant,
    text: String,
}

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    recipe: Recipe,
    child: Child,
    lines: Arc<Mutex<Vec<Line>>>,
    began: Instant,
}

impl Process {
    /// Starts it, and doesn't wait until it is ready.
    ///
    /// # Errors
    ///
    /// It can't be started, in words.
    pub fn spawn(recipe: Recipe) -> Result<Self, String> {
        let name = &recipe.name;
        let failed = |error| format!("{name} can't be started: {error}");
        let log = recipe.open_log()?;
        let command = recipe.command(log.try_clone().map_err(failed)?);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (known, log) = (Arc::clone(&lines), Mutex::new(log));
        let is_logged = recipe.errors == Errors::Kept;
        let began = Instant::now();
        let child = Child::spawn(command, recipe.group, "", move |output| {
            let Output::Line(line) = output else { return };
            let at = Instant::now();
            if is_logged {
                // Both outputs come here; the lock keeps each line in one piece.
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                writeln!(log, "{line}").expect("the log can be written");
            }
            let text = line.to_owned();
            let mut lines = known.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(Line { at, text });
        });
        let child = child.map_err(failed)?;
        Ok(Self {
            recipe,
            child,
            lines,
            began,
        })
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It can't be started, or isn't ready in time, in words.
    pub async fn start(recipe: Recipe) -> Result<Self, String> {
        let ready = recipe.ready;
        let mut process = Self::spawn(recipe)?;
        process.find(ready, 0, START_LIMIT).await?;
        Ok(process)
    }

    /// Kills it if it runs, and starts it as it was started first.
    ///
    /// # Errors
    ///
    /// It can't be started, or isn't ready in time, in words.
    pub async fn restart(&mut self) -> Result<(), String> {
        self.kill();
        *self = Self::start(self.recipe.clone()).await?;
        Ok(())
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.recipe.name
    }

    /// Its number. taskset and valgrind become the program that they start, so it is the program's
    /// own.
    pub fn id(&self) -> u32 {
        self.child.id().as_raw_nonzero().get().unsigned_abs()
    }

    /// Everything it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| line.text.clone()).collect()
    }

    /// The line that said that it serves, and how long that took from its start.
    pub fn ready(&self) -> Option<(String, Duration)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = lines.iter();
        let found = lines.find(|line| line.text.contains(self.recipe.ready));
        found.map(|line| (line.text.clone(), line.at - self.began))
    }

    /// How often its log tells of this: lines of its own, and the times that summaries of repeated
    /// lines count. The summaries are complete when the process has ended.
    pub fn told(&self, text: &str) -> u64 {
        let lines = self.lines();
        let told = lines.iter().filter(|line| line.contains(text)).map(|line| {
            let summary = line.split_once("log line repeated times=");
            summary.map_or(1, |(_, rest)| {
                let times = rest.split(' ').next().and_then(|times| times.parse().ok());
                times.expect("a summary says how often")
            })
        });
        told.sum()
    }

    /// Waits until it ends by itself, and returns everything it printed.
    pub async fn said(&mut self) -> String {
        self.ended().await;
        let all = within(PATIENCE, async || self.child.is_read().then_some(())).await;
        assert!(all.is_some(), "{}'s output has no end", self.name());
        self.lines().join("\n")
    }

    /// Waits for a line that contains this text.
    pub async fn line_with(&mut self, text: &str) -> String {
        self.line_with_after(text, 0).await
    }

    /// Waits for a line that contains this text, beyond the first `seen` lines.
    pub async fn line_with_after(&mut self, text: &str, seen: usize) -> String {
        let found = self.find(text, seen, PATIENCE).await;
        found.unwrap_or_else(|failure| panic!("{failure}"))
    }

    async fn find(&mut self, text: &str, seen: usize, limit: Duration) -> Result<String, String> {
        let found = within(limit, async || {
            // Asked before the lines are: what a process said at its end is read after its end.
            let all_read = self.child.is_read();
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let mut news = lines.iter().skip(seen);
            if let Some(line) = news.find(|line| line.text.contains(text)) {
                return Some(Ok(line.text.clone()));
            }
            let status = if all_read { self.child.exited() } else { None };
            status.map(Err)
        })
        .await;
        let name = self.name();
        let log = self.recipe.log.join(format!("{name}.log"));
        let (wanted, log) = (format!("a line with {text:?}"), log.display());
        match found {
            Some(Ok(line)) => Ok(line),
            Some(Err(status)) => Err(format!(
                "{name} ended with {status} without {wanted}; see {log}: {:#?}",
                self.lines()
            )),
            None => Err(format!(
                "{name} didn't print {wanted} within {limit:?}; see {log}"
            )),
        }
    }

    /// The memory that it has now, in KiB (`VmRSS`); `None` when it doesn't run.
    pub fn try_resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// The memory that it has now, in KiB (`VmRSS`).
    pub fn resident_kib(&self) -> u64 {
        self.try_resident_kib()
            .expect("a running process has memory")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.child.signal(signal);
    }

    /// How it ended; `None` while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.exited()
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = self.ended_within(PATIENCE).await;
        ended.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(&mut self) -> ExitStatus {
        let stopped = self.try_stop().await;
        stopped.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Asks it to stop, and waits for its end.
    ///
    /// # Errors
    ///
    /// It still runs after half a minute, in words.
    pub async fn try_stop(&mut self) -> Result<ExitStatus, String> {
        self.signal(Signal::TERM);
        self.ended_within(STOP_LIMIT).await
    }

    async fn ended_within(&mut self, limit: Duration) -> Result<ExitStatus, String> {
        let status = within(limit, async || self.child.exited()).await;
        status.ok_or_else(|| format!("{} doesn't end within {limit:?}", self.name()))
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.child.kill();
    }
}
