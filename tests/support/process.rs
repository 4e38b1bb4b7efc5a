//! A process under test: its lines, its log, its end.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead as _, BufReader, Read, Write as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::deadline::eventually;

/// A running process. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: [JoinHandle<()>; 2],
}

/// Starts a process with this environment and no other. What it prints goes to `<log>/<name>.log`.
pub fn start<Arguments, Value>(
    name: &str,
    program: impl AsRef<OsStr>,
    arguments: Arguments,
    environment: &[(String, String)],
    log: &Path,
) -> Process
where
    Arguments: IntoIterator<Item = Value>,
    Value: AsRef<OsStr>,
{
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
    let log = File::options()
        .create(true)
        .append(true)
        .open(log.join(format!("{name}.log")));
    let log = Arc::new(Mutex::new(log.expect("a log file can be made")));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let readers = [
        collect(child.stdout.take().expect("it is piped"), &lines, &log),
        collect(child.stderr.take().expect("it is piped"), &lines, &log),
    ];
    Process {
        name: name.to_owned(),
        child,
        lines,
        readers,
    }
}

fn collect(
    from: impl Read + Send + 'static,
    lines: &Arc<Mutex<Vec<String>>>,
    log: &Arc<Mutex<File>>,
) -> JoinHandle<()> {
    let (lines, log) = (Arc::clone(lines), Arc::clone(log));
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            writeln!(log.lock().expect("no writer panics"), "{line}")
                .expect("the log can be written");
            lines.lock().expect("no writer panics").push(line);
        }
    })
}

impl Process {
    /// Everything it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no writer panics").clone()
    }

    /// How often its log tells of this: lines of its own, and the times that summaries of repeated lines
    /// count. The summaries are complete when the process has ended.
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
        let what = format!("{}'s output ends", self.name);
        eventually(&what, async || {
            let read = self.readers.iter().all(JoinHandle::is_finished);
            read.then(|| self.lines().join("\n"))
        })
        .await
    }

    /// Waits for a line that contains this text.
    pub async fn line_with(&mut self, text: &str) -> String {
        self.line_with_after(text, 0).await
    }

    /// Waits for a line that contains this text, beyond the first `seen` lines.
    pub async fn line_with_after(&mut self, text: &str, seen: usize) -> String {
        let what = format!("{} prints a line with {text:?}", self.name);
        eventually(&what, async || {
            // Asked before the lines are: what a process said at its end is read after its end.
            let all_read = self.readers.iter().all(JoinHandle::is_finished);
            let lines = self.lines();
            let found = lines
                .iter()
                .skip(seen)
                .find(|line| line.contains(text))
                .cloned();
            if found.is_none()
                && all_read
                && let Some(status) = self.child.try_wait().expect("it can be asked")
            {
                panic!(
                    "{} ended with {status} without a line with {text:?}: {lines:#?}",
                    self.name
                );
            }
            found
        })
        .await
    }

    /// The memory that it has now, in KiB (`VmRSS`).
    pub fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it is running");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let size = line.expect("a running process has memory").trim();
        let size = size.trim_end_matches(" kB");
        size.parse().expect("a number")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has a number"), signal).expect("it is ours");
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        eventually(&what, async || {
            self.child.try_wait().expect("it can be asked")
        })
        .await
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
