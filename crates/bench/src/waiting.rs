//! What a browser costs that waits.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    contender::{Contender, Party, Work},
    fact::Fact,
    kernel_figures::{memory, processor_time},
    output::say,
    plan::Plan,
    statistics::{Times, float},
    turn::World,
    waiting_streams::WaitingStreams,
};

/// What one stream may hold, in KiB.
const STREAM_KIB: f64 = 1.1;

/// How much of a core 20,000 of them may use, in percent: a quarter of a second in a minute.
const PROCESSOR_PERCENT: f64 = 0.42;

/// How much slower the last may open than the first.
const SLOWER: f64 = 1.25;

/// Files that a process holds open beside its streams.
const OTHER_FILES: u64 = 128;

/// How many streams are tried. Where so many files can't be open, as many as can.
pub(crate) fn sizes(plan: &Plan, file_limit: u64) -> Vec<usize> {
    let wanted: &[usize] = if plan.quick {
        &[20_000]
    } else {
        &[20_000, 50_000]
    };
    let possible = usize::try_from(file_limit.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let mut sizes: Vec<usize> = wanted.iter().map(|size| (*size).min(possible)).collect();
    sizes.dedup();
    sizes
}

/// Opens so many streams on a fresh site, and watches them wait.
pub(crate) async fn measure(
    world: &mut World,
    plan: &Plan,
    party: Party,
    wanted: usize,
) -> Result<Vec<Fact>, String> {
    let contender = Contender {
        party,
        work: Work::Login,
    };
    let site = world
        .services(contender)
        .first()
        .map(|process| process.id());
    let site = site.ok_or("nobody serves browsers")?;
    let before = memory(site)?;
    let began = Instant::now();
    let streams = WaitingStreams::open(&world.stage_of(contender)?, wanted).await?;
    let opened = streams.all.len();
    say(&format!(
        "  {opened} streams open after {:.1} s",
        began.elapsed().as_secs_f64()
    ));
    let full = memory(site)?;
    let window = Duration::from_secs(if plan.quick { 10 } else { 50 });
    let statistics = world.statistics().await?;
    let (processor, began) = (processor_time(site)?, Instant::now());
    sleep(window).await;
    let used = processor_time(site)?
        .saturating_sub(processor)
        .as_secs_f64();
    let percent = used / began.elapsed().as_secs_f64() * 100.0;
    let work = world.statistics().await?.since(&statistics);
    let after = memory(site)?;

    let held = full.resident_kib.max(after.resident_kib);
    let each =
        |kib: u64| float(kib.saturating_sub(before.resident_kib)) / float((opened as u64).max(1));
    let whose = match party {
        Party::Ours => "",
        Party::Peer => " at the peer",
    };
    let name = |what: &str| format!("{opened} waiting{whose}: {what}");
    let mut resident = Fact::new(name("resident for each"), each(held), "KiB")
        .at_most(STREAM_KIB)
        .note(format!(
            "before {} KiB, after {held} KiB, at most {} KiB: {:.2} KiB each",
            before.resident_kib,
            after.peak_kib,
            each(after.peak_kib)
        ));
    // Fewer because of the machine are no fault of the site's.
    if let Some(refused) = &streams.refused {
        resident.reached = Some(false);
        resident = resident.note(format!("of {wanted} only {opened} were taken, {refused}"));
    }
    let (first, last) = (
        Times::of(streams.first.clone()),
        Times::of(streams.last.clone()),
    );
    let commands: u64 = work.commands.values().sum();
    let mut facts = vec![
        resident,
        Fact::new(
            name("Redis commands while nothing happens"),
            float(commands),
            "",
        )
        .at_most(0.0)
        .note(format!(
            "in {} s; the heartbeat of the site's one subscription isn't counted",
            window.as_secs()
        )),
        Fact::new(
            name("processor time while nothing happens"),
            percent,
            "% of a core",
        )
        .at_most(PROCESSOR_PERCENT),
    ];
    // Where opening broke off, there are no last ones.
    if first.count == last.count {
        let slower = last.p50_us / first.p50_us.max(1.0);
        let fact = Fact::new(name("time to open, the last beside the first"), slower, "×")
            .at_most(SLOWER)
            .note(format!(
                "p50 of the first {} {:.0} µs, of the last {} {:.0} µs",
                first.count, first.p50_us, last.count, last.p50_us
            ));
        facts.push(fact);
    }
    if party == Party::Peer {
        facts.iter_mut().for_each(Fact::ask_nothing);
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_streams_are_tried_as_files_can_be_open() {
        let plan = |quick| {
            let plan = format!(
                r#"{{"quick":{quick},"only":[],"cores":[],"service_cores":1,"binaries":"","redis_server":"","folder":"","json":null}}"#
            );
            Plan::from_argument(&plan).unwrap()
        };
        assert_eq!(sizes(&plan(false), 65_536), [20_000, 50_000]);
        assert_eq!(sizes(&plan(true), 65_536), [20_000]);
        assert_eq!(sizes(&plan(false), 20_000), [19_872]);
    }
}
