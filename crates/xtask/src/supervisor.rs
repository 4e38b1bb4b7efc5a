//! Child processes that live and die together: started one after the other, each once the one
//! before is ready, and stopped in the opposite order.
//!
//! Every child leads a process group of its own. The terminal's Ctrl-C therefore reaches this
//! process alone, which then decides who ends when.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use harness::child::{Child, Group, Output};
use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::console::{self, Colour};
use crate::failure::{During, Failure};
use crate::guard::Guard;

/// How long a child may take from its start to its ready line.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How long a child has between SIGTERM and SIGKILL. The services themselves drain for less.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// Lines kept of each child, to show when it dies.
const KEPT_LINES: usize = 20;

/// What is told about a child beside its command line.
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) colour: Colour,
    /// The line that says it serves contains this.
    pub(crate) ready: &'static str,
    /// Whether its lines are shown as they come; they are always kept.
    pub(crate) shown: bool,
}

struct Member {
    role: Role,
    child: Child,
    lines: VecDeque<String>,
    open_pipes: usize,
}

enum Event {
    Line(usize, String),
    PipeClosed(usize),
    ChildChanged,
    Stop,
}

/// Why waiting came to an end.
pub(crate) enum Ended {
    /// Ctrl-C, SIGTERM or a closed terminal.
    Asked,
    /// A child died without being asked to.
    Died(Failure),
}

pub(crate) struct Supervisor {
    members: Vec<Member>,
    sender: Sender<Event>,
    events: Receiver<Event>,
    guard: Guard,
}

impl Supervisor {
    pub(crate) fn new() -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel();
        let mut signals =
            Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCHLD]).during("listen for signals")?;
        let from_signals = sender.clone();
        thread::spawn(move || {
            for signal in signals.forever() {
                let event = if signal == SIGCHLD {
                    Event::ChildChanged
                } else {
                    Event::Stop
                };
                if from_signals.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            members: Vec::new(),
            sender,
            events,
            guard: Guard::start()?,
        })
    }

    /// Starts a child, feeds it `input`, and waits for its ready line, which is returned.
    pub(crate) fn start(
        &mut self,
        role: Role,
        command: Command,
        input: &str,
    ) -> Result<String, Ended> {
        let index = self.spawn(role, command, input).map_err(Ended::Died)?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next_event(left) {
                Some(Event::Line(from, line)) => {
                    if from == index && line.contains(self.members[index].role.ready) {
                        return Ok(line);
                    }
                }
                Some(Event::Stop) => return Err(Ended::Asked),
                Some(Event::ChildChanged | Event::PipeClosed(_)) => {
                    if let Some(death) = self.find_death() {
                        return Err(Ended::Died(death));
                    }
                }
                None => {
                    let member = &self.members[index];
                    return Err(Ended::Died(Failure::new(format!(
                        "{} was not ready after {}.{}",
                        member.role.name,
                        console::duration(START_LIMIT),
                        member.last_lines()
                    ))));
                }
            }
        }
    }

    /// Shows the children's lines until somebody asks to stop or a child dies.
    pub(crate) fn watch(&mut self) -> Ended {
        loop {
            match self.next_event(Duration::MAX) {
                Some(Event::Stop) | None => return Ended::Asked,
                Some(Event::Line(..)) => {}
                Some(Event::ChildChanged | Event::PipeClosed(_)) => {
                    if let Some(death) = self.find_death() {
                        return Ended::Died(death);
                    }
                }
            }
        }
    }

    /// Ends every child that still runs, the last started first. Asked to stop once more meanwhile,
    /// it stops being polite.
    pub(crate) fn stop(&mut self) {
        let mut patience = STOP_LIMIT;
        for index in (0..self.members.len()).rev() {
            if self.members[index].child.exited().is_some() {
                self.release(index);
                continue;
            }
            self.members[index].child.signal(Signal::TERM);
            let deadline = Instant::now() + patience;
            while self.members[index].child.exited().is_none() {
                let left = deadline.saturating_duration_since(Instant::now());
                if matches!(self.next_event(left), Some(Event::Stop)) {
                    patience = Duration::ZERO;
                }
                if patience.is_zero() || Instant::now() >= deadline {
                    console::note(&format!("{} did not end in time: killed", self.name(index)));
                    break;
                }
            }
            self.release(index);
        }
        self.members.clear();
    }

    fn spawn(&mut self, role: Role, mut command: Command, input: &str) -> Result<usize, Failure> {
        let name = role.name;
        let index = self.members.len();
        let sender = self.sender.clone();
        command.stderr(Stdio::piped());
        let child = Child::spawn(command, Group::Own, input, move |output| {
            // Nobody listens any more once everything is being stopped.
            let _ = sender.send(match output {
                Output::Line(line) => Event::Line(index, line.to_owned()),
                Output::End => Event::PipeClosed(index),
            });
        });
        let child = child.during(&format!("start {name}"))?;
        self.guard.watch(child.id());
        self.members.push(Member {
            role,
            child,
            lines: VecDeque::new(),
            open_pipes: 2,
        });
        Ok(index)
    }

    /// Waits for the next event, and keeps and shows the line if it is one.
    fn next_event(&mut self, limit: Duration) -> Option<Event> {
        let event = match self.events.recv_timeout(limit) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        match &event {
            Event::Line(index, line) => {
                if let Some(member) = self.members.get_mut(*index) {
                    member.keep(line);
                }
            }
            Event::PipeClosed(index) => {
                if let Some(member) = self.members.get_mut(*index) {
                    member.open_pipes -= 1;
                }
            }
            Event::ChildChanged | Event::Stop => {}
        }
        Some(event)
    }

    /// The message about a child that has died, once everything it wrote has been read.
    fn find_death(&mut self) -> Option<Failure> {
        self.members.iter_mut().find_map(|member| {
            let status = member.child.exited()?;
            if member.open_pipes > 0 {
                // A process that it left behind may hold them open for ever.
                member.child.signal(Signal::KILL);
                return None;
            }
            Some(Failure::new(format!(
                "{} ended by itself ({status}).{}",
                member.role.name,
                member.last_lines()
            )))
        })
    }

    /// Kills what is left of a child's group, which is nobody when the child ended properly.
    fn release(&mut self, index: usize) {
        let child = &mut self.members[index].child;
        child.kill();
        self.guard.forget(child.id());
    }

    fn name(&self, index: usize) -> &'static str {
        self.members[index].role.name
    }
}

/// Also on a panic: no child survives.
impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Member {
    fn keep(&mut self, line: &str) {
        if self.role.shown {
            console::process_line(self.role.name, self.role.colour, line);
        }
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    fn last_lines(&self) -> String {
        if self.lines.is_empty() {
            return " It wrote nothing.".to_owned();
        }
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        format!(" Its last lines:\n    {}", lines.join("\n    "))
    }
}
