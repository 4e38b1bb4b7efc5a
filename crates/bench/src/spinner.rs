//! One idle-class process on each core that spins, so that no core ever sleeps: a virtual one is
//! slow to wake, and what is measured then is its waking.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use crate::plan::Plan;

/// After this long a spinner ends by itself, whatever became of who started it.
const LIFE: Duration = Duration::from_mins(20);

/// The spinners of all cores; dropping them ends them.
#[derive(Debug)]
pub(crate) struct Spinners {
    _all: Vec<Child>,
}

impl Spinners {
    /// Starts one for each core.
    pub(crate) fn start(plan: &Plan) -> Result<Self, String> {
        let mut cores = plan.cores.clone();
        cores.sort_unstable();
        cores.dedup();
        let start = |core: usize| {
            Command::new("chrt")
                .args(["-i", "0", "taskset", "-c", &core.to_string()])
                .arg(plan.binaries.join("bench"))
                .arg("spin")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .process_group(0)
                .kill_on_drop(true)
                .spawn()
                .map_err(|error| format!("chrt can't be started: {error}"))
        };
        let all = cores.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Self { _all: all })
    }
}

/// Spins.
pub(crate) fn spin() {
    let end = Instant::now() + LIFE;
    while Instant::now() < end {
        for _ in 0..10_000 {
            std::hint::spin_loop();
        }
    }
}
