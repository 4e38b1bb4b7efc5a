//! A child process: its output line by line, signals, its end.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Whom the terminal's Ctrl-C reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The child as well: it is of this process's group, and ends with it.
    Shared,
    /// This process alone, which then decides who ends when: the child leads a group of its own.
    Own,
}

/// What a child writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output<'line> {
    /// A line, without its end.
    Line(&'line str),
    /// Nothing more comes from one of its outputs.
    End,
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    group: Group,
    readers: Vec<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

impl Child {
    /// Starts it and feeds it `input`. Its standard output is read, and its standard error where
    /// the command pipes it; `output` hears of both, on threads of their own.
    pub fn spawn(
        mut command: Command,
        group: Group,
        input: &str,
        output: impl Fn(Output<'_>) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        if group == Group::Own {
            command.process_group(0);
        }
        command.stdin(if input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            // A child that closed its input early has its own reasons, and says them on its output.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = Arc::new(output);
        let mut readers = Vec::new();
        if let Some(pipe) = process.stdout.take() {
            readers.push(read(pipe, Arc::clone(&output)));
        }
        if let Some(pipe) = process.stderr.take() {
            readers.push(read(pipe, output));
        }
        Ok(Self {
            process,
            group,
            readers,
            status: None,
        })
    }

    /// Its number.
    pub fn id(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// How it ended; `None` while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.process.try_wait().ok().flatten();
        }
        self.status
    }

    /// Whether all that it wrote has been heard of, and nothing more will come.
    pub fn is_read(&self) -> bool {
        self.readers.iter().all(JoinHandle::is_finished)
    }

    /// Sends a signal to it, and to its group if it has one of its own. To one that is gone nothing
    /// happens.
    pub fn signal(&self, signal: Signal) {
        let _ = match self.group {
            Group::Own => kill_process_group(self.id(), signal),
            Group::Shared if self.status.is_none() => kill_process(self.id(), signal),
            Group::Shared => Ok(()),
        };
    }

    /// Kills it without warning, and waits until it is gone, with its addresses free again.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        if let Ok(status) = self.process.wait() {
            self.status = Some(status);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read(
    pipe: impl Read + Send + 'static,
    output: Arc<impl Fn(Output<'_>) + Send + Sync + 'static>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader
            .read_until(b'\n', &mut bytes)
            .is_ok_and(|length| length > 0)
        {
            output(Output::Line(String::from_utf8_lossy(&bytes).trim_end()));
            bytes.clear();
        }
        output(Output::End);
    })
}
