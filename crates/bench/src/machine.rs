//! What it runs on.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde::Serialize;

use crate::plan::Plan;

/// The compiler's version.
pub(crate) fn rustc() -> String {
    version(Path::new("rustc"))
}

/// The machine and the programs that aren't ours.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    cores_used: Vec<usize>,
    service_cores: usize,
    memory_mib: u64,
    kernel: String,
    redis: String,
    rustc: String,
    file_limit: u64,
}

impl Machine {
    /// Looks.
    pub(crate) fn look(plan: &Plan, file_limit: u64) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let kib = field(&meminfo, "MemTotal").trim_end_matches(" kB");
        Self {
            processor: field(&cpuinfo, "model name").to_owned(),
            cores: cpuinfo.matches("\nprocessor").count()
                + usize::from(cpuinfo.starts_with("processor")),
            cores_used: plan.cores.clone(),
            service_cores: plan.service_cores,
            memory_mib: kib.parse::<u64>().unwrap_or(0) / 1024,
            kernel: kernel.trim().to_owned(),
            redis: version(&plan.redis_server),
            rustc: rustc(),
            file_limit,
        }
    }

    /// In a few lines.
    pub(crate) fn text(&self) -> String {
        let Self {
            processor,
            cores,
            memory_mib,
            kernel,
            redis,
            rustc,
            ..
        } = self;
        let used = if self.cores_used.is_empty() {
            "nothing is pinned".to_owned()
        } else {
            format!(
                "used: {:?} (services on the first {}, the rest on the others)",
                self.cores_used, self.service_cores
            )
        };
        format!(
            "{processor}, {cores} cores ({used}), {memory_mib} MiB, Linux {kernel}\n{redis}\n{rustc}"
        )
    }
}

fn field<'text>(text: &'text str, name: &str) -> &'text str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or("unknown", |line| {
        line.trim_start_matches([' ', '\t', ':']).trim()
    })
}

fn version(program: &Path) -> String {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_stands_between() {
        assert_eq!(field("a\t: 1\nmodel name\t: Fast\n", "model name"), "Fast");
        assert_eq!(field("MemTotal:  24 kB\n", "MemTotal"), "24 kB");
        assert_eq!(field("", "MemTotal"), "unknown");
    }
}
