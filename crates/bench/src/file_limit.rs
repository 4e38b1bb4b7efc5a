//! How many files a process may hold open, sockets among them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as the largest number of streams needs, and some more.
const WANTED: u64 = 65_536;

/// Raises the limit of this process and of those that it starts as far as it goes, and returns it.
pub(crate) fn raise() -> u64 {
    let now = getrlimit(Resource::Nofile);
    let hard = now.maximum.unwrap_or(u64::MAX);
    // Only root may raise the hard limit; the kernel has the last word on that too.
    for maximum in [hard.max(WANTED), hard] {
        let wanted = Rlimit {
            current: Some(maximum.min(WANTED).max(now.current.unwrap_or(0))),
            maximum: now.maximum.map(|_| maximum),
        };
        if setrlimit(Resource::Nofile, wanted).is_ok() {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(WANTED)
}
