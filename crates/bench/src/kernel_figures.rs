//! What the kernel says of a process: its processor time and its memory.

use std::{fs, time::Duration};

/// The processor time that a process has used, all its threads together, without those that have
/// ended. The scheduler's own count is exact to the nanosecond; that of `stat` comes in hundredths.
pub(crate) fn processor_time(process: u32) -> Result<Duration, String> {
    let folder = format!("/proc/{process}/task");
    let gone = |error: std::io::Error| format!("{folder} can't be read: {error}");
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(&folder).map_err(gone)? {
        let file = thread.map_err(gone)?.path().join("schedstat");
        // A thread may end meanwhile.
        if let Ok(text) = fs::read_to_string(file) {
            sum += time_on_processor(&text).ok_or("a schedstat that can't be read")?;
        }
    }
    Ok(sum)
}

/// The first of the three numbers of a schedstat, nanoseconds on a processor
/// (<https://docs.kernel.org/scheduler/sched-stats.html>).
fn time_on_processor(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// How much memory a process holds and has held, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident_kib: u64,
    /// At most so far.
    pub(crate) peak_kib: u64,
}

/// A process's memory.
pub(crate) fn memory(process: u32) -> Result<Memory, String> {
    let file = format!("/proc/{process}/status");
    let text =
        fs::read_to_string(&file).map_err(|error| format!("{file} can't be read: {error}"))?;
    memory_of(&text).ok_or_else(|| format!("{file} names no memory"))
}

fn memory_of(status: &str) -> Option<Memory> {
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    Some(Memory {
        resident_kib: kib("VmRSS:")?,
        peak_kib: kib("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_time_on_a_processor() {
        let time = time_on_processor("2013545271 304911 4321\n");
        assert_eq!(time, Some(Duration::from_nanos(2_013_545_271)));
        assert_eq!(time_on_processor(""), None);
    }

    #[test]
    fn memory_is_read_in_kib() {
        let status =
            "Name:\tsite\nVmPeak:\t  9 kB\nVmHWM:\t   10240 kB\nVmRSS:\t    8192 kB\nThreads:\t3\n";
        let memory = memory_of(status).unwrap();
        assert_eq!((memory.resident_kib, memory.peak_kib), (8192, 10_240));
        assert_eq!(memory_of("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn this_process_uses_the_processor() {
        let began = processor_time(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while processor_time(std::process::id()).unwrap() == began {
            sum = sum.wrapping_add(1);
        }
        assert!(memory(std::process::id()).unwrap().resident_kib > 0);
    }
}
