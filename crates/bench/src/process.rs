//! One child process on a core of its side. Dropping it kills it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a process may take until it is ready.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How a process is started.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// What reports call it.
    pub(crate) name: String,
    /// The binary.
    pub(crate) program: PathBuf,
    /// What runs the binary, with its arguments; empty where nothing does.
    pub(crate) launcher: Vec<String>,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its settings, beside those that it inherits.
    pub(crate) environment: Vec<(String, String)>,
    /// A line on its standard output that contains this says that it serves.
    pub(crate) ready: &'static str,
    /// The folder of its log.
    pub(crate) folder: PathBuf,
    /// Its core; `None`: any.
    pub(crate) core: Option<usize>,
}

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    ready_line: String,
    took: Duration,
}

impl Process {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(recipe: &Recipe) -> Result<Self, String> {
        let name = &recipe.name;
        let mut words = Vec::new();
        if let Some(core) = recipe.core {
            words.extend(["taskset".to_owned(), "-c".to_owned(), core.to_string()]);
        }
        words.extend(recipe.launcher.iter().cloned());
        words.push(recipe.program.display().to_string());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(&recipe.arguments)
            .envs(recipe.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(open_log(&recipe.folder, name)?)
            // Ctrl-C is for this process, which then ends its children.
            .process_group(0)
            .kill_on_drop(true);
        let began = Instant::now();
        let mut child = command
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
        let ready_line = timeout(START_LIMIT, ready)
            .await
            .map_err(|_| format!("{name} is not ready within {START_LIMIT:?}; see its log"))?
            .ok_or_else(|| format!("{name} ended before it was ready; see its log"))?;
        let took = began.elapsed();
        // A full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            name: name.clone(),
            child,
            ready_line,
            took,
        })
    }

    /// What reports call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The line that said it was ready.
    pub(crate) fn ready_line(&self) -> &str {
        &self.ready_line
    }

    /// How long it took from the start of its process to that line.
    pub(crate) const fn took(&self) -> Duration {
        self.took
    }

    /// Its number. taskset becomes the program that it starts, so it is the program's own.
    pub(crate) fn id(&self) -> Result<u32, String> {
        self.child
            .id()
            .ok_or_else(|| format!("{} has ended; see its log", self.name))
    }

    /// Kills it and waits until it is gone, with its address free again.
    pub(crate) async fn end(mut self) -> Result<(), String> {
        self.child
            .kill()
            .await
            .map_err(|error| format!("{} can't be killed: {error}", self.name))
    }
}

fn open_log(folder: &Path, name: &str) -> Result<File, String> {
    File::options()
        .create(true)
        .append(true)
        .open(folder.join(format!("{name}.log")))
        .map_err(|error| format!("the log of {name} can't be written: {error}"))
}
