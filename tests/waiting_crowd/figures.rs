//! What the kernel says of processes: memory and processor time.

use std::{fs, time::Duration};

/// A service, which may be several processes.
pub(crate) struct Party {
    pub(crate) name: &'static str,
    pub(crate) processes: Vec<u32>,
}

/// What a party has used and holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Processor time since the start.
    pub(crate) worked: Duration,
    /// Resident memory of all of its processes.
    pub(crate) resident_kib: u64,
    /// That of the largest.
    pub(crate) largest_kib: u64,
}

impl Party {
    /// This process and its children.
    pub(crate) fn family(name: &'static str, parent: u32) -> Self {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_ascii_whitespace();
        let mut processes = vec![parent];
        processes.extend(children.filter_map(|child| child.parse::<u32>().ok()));
        Self { name, processes }
    }

    pub(crate) fn figures(&self) -> Figures {
        let mut sum = Figures::default();
        for process in &self.processes {
            let resident = field(&format!("/proc/{process}/status"), "VmRSS:");
            sum.resident_kib += resident;
            sum.largest_kib = sum.largest_kib.max(resident);
            sum.worked += worked(*process);
        }
        sum
    }
}

/// What the kernel holds for sockets and files, in KiB: its slabs.
pub(crate) fn kernel_kib() -> u64 {
    field("/proc/meminfo", "Slab:")
}

/// A line's number of KiB.
fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.map(|line| line.trim().trim_end_matches(" kB").parse());
    number
        .unwrap_or_else(|| panic!("{file} has no {name}"))
        .expect("it is a number")
}

/// The scheduler's count of nanoseconds on a processor, of all threads.
fn worked(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let nanoseconds = threads.map(|thread| {
        let file = thread.expect("a thread").path().join("schedstat");
        let text = fs::read_to_string(file).unwrap_or_default();
        let first = text.split_ascii_whitespace().next();
        first.map_or(0, |first| first.parse().expect("nanoseconds"))
    });
    Duration::from_nanos(nanoseconds.sum())
}
