//! A second process that outlives this one by a moment, to end its children.
//!
//! `cargo xtask up` ends its children itself, in order. If it can't any more, because it was killed
//! outright, the kernel closes the pipe to the guard, and the guard ends whatever is left. The
//! kernel's own parent-death signal would need unsafe code and exists on Linux only.

use std::collections::BTreeSet;
use std::env;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::failure::{During, Failure};

/// How long a group has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// The parent's end of the pipe.
pub(crate) struct Guard(Child);

impl Guard {
    /// Starts the guard, in a process group of its own so that the terminal's Ctrl-C passes it by.
    pub(crate) fn start() -> Result<Self, Failure> {
        let program = env::current_exe().during("find this program")?;
        let child = Command::new(program)
            .arg("guard")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .during("start the guard process")?;
        Ok(Self(child))
    }

    /// From now on the group is ended when this process disappears.
    pub(crate) fn watch(&mut self, group: Pid) {
        self.tell('+', group);
    }

    /// The group has ended; its number may be given to somebody else.
    pub(crate) fn forget(&mut self, group: Pid) {
        self.tell('-', group);
    }

    fn tell(&mut self, sign: char, group: Pid) {
        if let Some(pipe) = &mut self.0.stdin {
            // A guard that is gone protects nothing, which is no reason to stop.
            let _ = writeln!(pipe, "{sign}{}", group.as_raw_nonzero());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The guard itself: follows the list on standard input, and ends what is on it when that closes.
pub(crate) fn watch() -> Result<(), Failure> {
    let mut groups = BTreeSet::new();
    for line in io::stdin().lock().lines() {
        let line = line.during("read from the parent process")?;
        let (sign, number) = line.split_at_checked(1).unwrap_or_default();
        let Ok(number) = number.parse::<i32>() else {
            continue;
        };
        match sign {
            "+" => groups.insert(number),
            _ => groups.remove(&number),
        };
    }
    let groups: Vec<Pid> = groups.into_iter().filter_map(Pid::from_raw).collect();
    for group in &groups {
        let _ = kill_process_group(*group, Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while groups
        .iter()
        .any(|group| test_kill_process_group(*group).is_ok())
    {
        if Instant::now() > deadline {
            for group in &groups {
                let _ = kill_process_group(*group, Signal::KILL);
            }
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
