//! From the start of a process to the line that says ready, its memory when idle, and its binary's
//! size.

use std::{fs, time::Duration};

use harness::process::{Process, Recipe};
use tokio::time::sleep;

use crate::{
    fact::Fact,
    fleet::Fleet,
    kernel_figures::memory,
    output::say,
    statistics::{float, median},
};

/// How often each is started.
const STARTS: usize = 10;

/// After this long a started service has nothing more to do.
const SETTLED: Duration = Duration::from_secs(1);

/// From start to ready, in milliseconds.
const READY_MS: f64 = 100.0;

/// What an idle service may hold, in MiB.
const IDLE_MIB: f64 = 15.0;

/// What a binary may weigh, in MiB.
const BINARY_MIB: f64 = 12.0;

/// Starts each service a few times.
pub(crate) async fn measure(fleet: &Fleet) -> Result<Vec<Fact>, String> {
    let mut facts = Vec::new();
    for recipe in fleet.recipes() {
        say(&format!("  {} × {STARTS}", recipe.name));
        facts.extend(start(&recipe).await?);
    }
    Ok(facts)
}

async fn start(recipe: &Recipe) -> Result<[Fact; 3], String> {
    let mut milliseconds = Vec::with_capacity(STARTS);
    let mut idle = 0.0;
    for number in 1..=STARTS {
        let mut process = Process::start(recipe.clone()).await?;
        let (_, took) = process.ready().unwrap_or_default();
        milliseconds.push(took.as_secs_f64() * 1000.0);
        if number == STARTS {
            sleep(SETTLED).await;
            idle = float(memory(process.id())?.resident_kib) / 1024.0;
        }
        process.kill();
    }
    let file = fs::metadata(&recipe.program)
        .map_err(|error| format!("{} can't be read: {error}", recipe.program.display()))?;
    let name = recipe.program.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let most = milliseconds.iter().copied().fold(0.0, f64::max);
    Ok([
        Fact::new(
            format!("{name}: start to ready, median of {STARTS}"),
            median(&milliseconds),
            "ms",
        )
        .at_most(READY_MS)
        .note(format!("slowest {most:.0} ms")),
        Fact::new(format!("{name}: resident when idle"), idle, "MiB").at_most(IDLE_MIB),
        Fact::new(
            format!("{name}: binary, stripped"),
            float(file.len()) / 1024.0 / 1024.0,
            "MiB",
        )
        .at_most(BINARY_MIB),
    ])
}
