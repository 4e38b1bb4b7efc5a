//! What has to be done after sessions have ended: clients hear of it. It waits in Redis, so that the
//! gateway can add to it, and so that neither a restart nor a lost replica loses any.
//!
//! Whoever takes a task has it for a while. If it isn't finished by then, another one gets it.

use std::time::Duration;

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{redis_keys, site::SiteId};

static QUEUE: AtomicScript = AtomicScript::new(include_str!("logout_queue.lua"));
static TAKE: AtomicScript = AtomicScript::new(include_str!("logout_take.lua"));
static POSTPONE: AtomicScript = AtomicScript::new(include_str!("logout_postpone.lua"));

/// How many tasks a queue holds. It grows only while no site takes from it.
const MOST: usize = 100_000;

/// For how long a queue waits for a site that takes from it.
const WAITS_FOR: Duration = Duration::from_hours(48);

/// Which queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogoutQueue {
    /// Of sessions that have ended.
    Endings,
    /// Of what a client is to be told, by its name in the settings. Each has its own, so that none
    /// waits for another.
    Client(String),
}

impl LogoutQueue {
    fn key(&self, site: &SiteId) -> String {
        match self {
            Self::Endings => redis_keys::oidc_endings(site),
            Self::Client(client) => redis_keys::oidc_logouts(site, client),
        }
    }
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq)]
pub enum LogoutTask {
    /// This session has ended: what came of it ends, and its clients are told.
    Ended {
        /// The SHA-256 of its identifier, in base64url.
        session_sha256: String,
    },
    /// The person of this session doesn't follow the account any more.
    Unfollowed {
        /// The SHA-256 of its identifier, in base64url.
        session_sha256: String,
        /// WeChat's time of the unfollow, in seconds since 1970: tells one from another.
        at: i64,
    },
    /// The client is told.
    Tell(Logout),
}

/// A logout that a client is to hear of.
#[derive(Clone, PartialEq, Eq)]
pub struct Logout {
    /// How often it was tried.
    pub tries: u32,
    /// The logout token's own name, the same in each try.
    pub id: String,
    /// The session's name, as clients know it.
    pub sid: String,
    /// The subject that the client sees.
    pub sub: String,
}

impl std::fmt::Debug for LogoutTask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Ended { .. } => "Ended(…)",
            Self::Unfollowed { .. } => "Unfollowed(…)",
            Self::Tell(_) => "Tell(…)",
        })
    }
}

impl LogoutTask {
    fn to_entry(&self) -> String {
        match self {
            Self::Ended { session_sha256 } => format!("ended {session_sha256}"),
            Self::Unfollowed { session_sha256, at } => format!("unfollowed {session_sha256} {at}"),
            Self::Tell(logout) => {
                let Logout {
                    tries,
                    id,
                    sid,
                    sub,
                } = logout;
                format!("tell {tries} {id} {sid} {sub}")
            }
        }
    }

    fn of_entry(entry: &str) -> Option<Self> {
        let words: Vec<&str> = entry.split(' ').collect();
        match words.as_slice() {
            ["ended", session] => Some(Self::Ended {
                session_sha256: (*session).to_owned(),
            }),
            ["unfollowed", session, at] => Some(Self::Unfollowed {
                session_sha256: (*session).to_owned(),
                at: at.parse().ok()?,
            }),
            ["tell", tries, id, sid, sub] => Some(Self::Tell(Logout {
                tries: tries.parse().ok()?,
                id: (*id).to_owned(),
                sid: (*sid).to_owned(),
                sub: (*sub).to_owned(),
            })),
            _ => None,
        }
    }
}

/// Queues tasks, due at once. One that is queued already stays as it is.
#[derive(Debug, Clone)]
pub struct QueueLogouts {
    /// Whose sessions.
    pub site: SiteId,
    /// Which queue.
    pub queue: LogoutQueue,
    /// What is to be done.
    pub tasks: Vec<LogoutTask>,
}

impl Step for QueueLogouts {
    /// Whether there was room.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let mut arguments = vec![MOST.to_string(), WAITS_FOR.as_millis().to_string()];
        arguments.extend(self.tasks.iter().map(LogoutTask::to_entry));
        Operation::Script {
            script: &QUEUE,
            key: self.queue.key(&self.site),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("queued")] => Ok(true),
            [Some("full")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "QueueLogouts",
            }),
        }
    }
}

/// Takes tasks that are due.
#[derive(Debug, Clone)]
pub struct TakeLogouts {
    /// Whose sessions.
    pub site: SiteId,
    /// Which queue.
    pub queue: LogoutQueue,
    /// How many at most.
    pub limit: usize,
    /// After how long another one may take them.
    pub lease: Duration,
}

impl Step for TakeLogouts {
    type Outcome = Vec<LogoutTask>;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TAKE,
            key: self.queue.key(&self.site),
            arguments: vec![self.limit.to_string(), self.lease.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        // What a later version queues is left to that version's replicas.
        let entries = reply.iter().flatten();
        Ok(entries
            .filter_map(|entry| LogoutTask::of_entry(entry))
            .collect())
    }
}

/// A task is finished.
#[derive(Debug, Clone)]
pub struct FinishLogout {
    /// Whose session.
    pub site: SiteId,
    /// Which queue.
    pub queue: LogoutQueue,
    /// Which task.
    pub task: LogoutTask,
}

impl Step for FinishLogout {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZREM",
            key: self.queue.key(&self.site),
            arguments: vec![self.task.to_entry()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// A task failed, and another takes its place, later.
#[derive(Debug, Clone)]
pub struct PostponeLogout {
    /// Whose session.
    pub site: SiteId,
    /// Which queue.
    pub queue: LogoutQueue,
    /// The task as it was.
    pub task: LogoutTask,
    /// As it is now.
    pub next: LogoutTask,
    /// How much later.
    pub wait: Duration,
}

impl Step for PostponeLogout {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &POSTPONE,
            key: self.queue.key(&self.site),
            arguments: vec![
                self.task.to_entry(),
                self.next.to_entry(),
                self.wait.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_read_as_it_was_written_and_shows_nothing() {
        let session_sha256 = "A".repeat(43);
        let tell = Logout {
            tries: 2,
            id: "token-name".to_owned(),
            sid: "session-name".to_owned(),
            sub: "subject".to_owned(),
        };
        for task in [
            LogoutTask::Ended {
                session_sha256: session_sha256.clone(),
            },
            LogoutTask::Unfollowed {
                session_sha256,
                at: 1_795_000_000,
            },
            LogoutTask::Tell(tell),
        ] {
            assert_eq!(LogoutTask::of_entry(&task.to_entry()), Some(task.clone()));
            let shown = format!("{task:?}");
            assert!(
                !shown.contains("AAA") && !shown.contains("subject"),
                "{shown}"
            );
        }
        for entry in ["", "ended", "tell x y", "tell x id sid sub", "later a"] {
            assert_eq!(LogoutTask::of_entry(entry), None, "{entry}");
        }
    }
}
