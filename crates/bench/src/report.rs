//! What a run came to, for a person and for a file.

use std::{collections::BTreeMap, fs};

use serde::Serialize;

use crate::{
    contender::{Contender, RedisTarget},
    fact::{Fact, verdict},
    machine::Machine,
    output::say,
    plan::Plan,
    round_trips::RoundTrips,
    statistics::{median, spread},
    turn::Turn,
};

/// A core that is busier than this is what bounds the rate.
pub(crate) const SATURATED: f64 = 0.95;

/// The turns of one contender in one line.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    name: String,
    what: String,
    rate: f64,
    rate_spread: f64,
    p50_us: f64,
    p99_us: f64,
    service_busy: f64,
    others_busy: BTreeMap<String, f64>,
    service_seconds_per_1000: f64,
    redis_seconds_per_1000: f64,
    commands: f64,
    /// The rate beside L's of the same round.
    ratio: Option<f64>,
    ratio_spread: Option<f64>,
    /// L's processor time beside this one's, in the same round.
    processor_ratio: Option<f64>,
    processor_ratio_spread: Option<f64>,
    target: Option<f64>,
    /// Judged by the rates where both cores were full, and by the processor time where one wasn't.
    reached: Option<bool>,
    judged_by: &'static str,
    load_bound: bool,
    redis: Option<RoundTrips>,
    turns: Vec<Turn>,
}

/// L in the two turns around a contender's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    rate: f64,
    service_seconds_per_1000: f64,
    service_busy: f64,
}

impl Beside {
    /// Halfway between the two.
    pub(crate) fn of([before, after]: [&Turn; 2]) -> Self {
        Self {
            rate: f64::midpoint(before.rate, after.rate),
            service_seconds_per_1000: f64::midpoint(
                before.service_seconds_per_1000,
                after.service_seconds_per_1000,
            ),
            service_busy: f64::midpoint(before.service_busy, after.service_busy),
        }
    }
}

impl Row {
    /// Of these turns, beside those of L in the same rounds.
    pub(crate) fn new(
        contender: Contender,
        turns: &[Turn],
        limit: &[Beside],
        redis: Option<RoundTrips>,
    ) -> Self {
        let of =
            |turns: &[Turn], figure: fn(&Turn) -> f64| turns.iter().map(figure).collect::<Vec<_>>();
        let middle = |figure: fn(&Turn) -> f64| median(&of(turns, figure));
        let pairs = turns.iter().zip(limit);
        let ratios: Vec<f64> = pairs
            .clone()
            .map(|(own, limit)| own.rate / limit.rate)
            .collect();
        let costs: Vec<f64> = pairs
            .map(|(own, limit)| limit.service_seconds_per_1000 / own.service_seconds_per_1000)
            .collect();
        let target = contender.target();
        let is_full = |turns: &[Turn]| median(&of(turns, |turn| turn.service_busy)) >= SATURATED;
        let limits_busy: Vec<f64> = limit.iter().map(|limit| limit.service_busy).collect();
        let by_rate = is_full(turns) && median(&limits_busy) >= SATURATED;
        let judged = if by_rate { &ratios } else { &costs };
        let some = |values: &[f64], figure: fn(&[f64]) -> f64| {
            (!values.is_empty()).then(|| figure(values))
        };
        let mut others_busy = BTreeMap::new();
        for name in turns.iter().flat_map(|turn| turn.others_busy.keys()) {
            let busy = turns
                .iter()
                .filter_map(|turn| turn.others_busy.get(name).copied());
            others_busy.insert(name.clone(), median(&busy.collect::<Vec<_>>()));
        }
        Self {
            name: contender.name(),
            what: contender.what(),
            rate: middle(|turn| turn.rate),
            rate_spread: spread(&of(turns, |turn| turn.rate)),
            p50_us: middle(|turn| turn.times.p50_us),
            p99_us: middle(|turn| turn.times.p99_us),
            service_busy: middle(|turn| turn.service_busy),
            others_busy,
            service_seconds_per_1000: middle(|turn| turn.service_seconds_per_1000),
            redis_seconds_per_1000: middle(|turn| turn.redis_seconds_per_1000),
            // An empty sum of floats is -0.
            commands: middle(|turn| turn.commands.values().fold(0.0, |sum, each| sum + each)),
            ratio: some(&ratios, median),
            ratio_spread: some(&ratios, spread),
            processor_ratio: some(&costs, median),
            processor_ratio_spread: some(&costs, spread),
            target,
            reached: target.map(|target| median(judged) >= target),
            judged_by: if by_rate { "rate" } else { "processor time" },
            load_bound: !is_full(turns),
            redis,
            turns: turns.to_vec(),
        }
    }

    fn line(&self) -> String {
        let others = self.others_busy.values().sum::<f64>() * 100.0;
        let figure =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
        let percent = |value: Option<f64>| value.unwrap_or(0.0) * 100.0;
        let verdict = match (self.target, self.reached) {
            (Some(target), Some(reached)) => {
                format!("{target:>6.2} {} by {}", verdict(reached), self.judged_by)
            }
            _ => String::new(),
        };
        let line = format!(
            "{:<31} {:>8.0} {:>4.0}% {:>7.0} {:>8.0} {:>4.0}%{} {:>4.0}% {:>8.1} {:>6.1} {:>6.2} {:>7} {:>4.0}% {:>7} {:>4.0}% {verdict}",
            self.what,
            self.rate,
            self.rate_spread * 100.0,
            self.p50_us,
            self.p99_us,
            self.service_busy * 100.0,
            if self.load_bound { '*' } else { ' ' },
            others,
            self.service_seconds_per_1000 * 1000.0,
            self.redis_seconds_per_1000 * 1000.0,
            self.commands,
            figure(self.ratio),
            percent(self.ratio_spread),
            figure(self.processor_ratio),
            percent(self.processor_ratio_spread),
        );
        line.trim_end().to_owned()
    }
}

/// What one operation asks of Redis, beside what it may.
pub(crate) fn redis_facts(contender: Contender, redis: &RoundTrips) -> Vec<Fact> {
    let name = contender.name();
    let RoundTrips {
        operations,
        median,
        mean,
        most,
        ..
    } = redis;
    let note = format!("of {operations}: on average {mean:.2}, at most {most}");
    let trips = Fact::new(format!("{name}: round trips to Redis"), *median, "").note(note);
    match contender.redis_target() {
        Some(RedisTarget::RoundTrips(most)) => {
            vec![trips.at_most(crate::statistics::float(most))]
        }
        Some(RedisTarget::OneCommand) => {
            let commands = redis.commands_in_all();
            let each =
                crate::statistics::float(commands) / crate::statistics::float(*operations as u64);
            let one = commands == *operations as u64;
            vec![
                trips,
                Fact::new(format!("{name}: Redis commands"), each, "").exactly(1.0, one),
            ]
        }
        None => vec![trips],
    }
}

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The machine.
    pub(crate) machine: Machine,
    /// What was to be done.
    pub(crate) plan: Plan,
    /// When it began, RFC 3339.
    pub(crate) began_at: String,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Those who took turns.
    pub(crate) rows: Vec<Row>,
    /// The single figures.
    pub(crate) facts: Vec<Fact>,
}

impl Report {
    /// Says it.
    pub(crate) fn print(&self) {
        say("");
        say(&self.machine.text());
        let rounds = self.plan.rounds();
        let turn = self.plan.turn().as_secs_f64();
        say(&format!(
            "medians of {rounds} rounds of turns of {turn} s, L before and after each; ± is (largest - smallest) / median; Redis keeps nothing on disk"
        ));
        if !self.rows.is_empty() {
            say("");
            say(&format!(
                "{:<31} {:>8} {:>5} {:>7} {:>8} {:>5}  {:>5} {:>8} {:>6} {:>6} {:>7} {:>5} {:>7} {:>5} {:>6}",
                "",
                "a second",
                "±",
                "p50 µs",
                "p99 µs",
                "core",
                "other",
                "ms/1000",
                "Redis",
                "cmds",
                "of L",
                "±",
                "cpu L/x",
                "±",
                "target"
            ));
            for row in &self.rows {
                say(&row.line());
            }
            say(
                "core: how busy the services kept their core, * where it wasn't full, so that the load bounds the rate;",
            );
            say(
                "other: load, Redis and WeChat's stand-in together; ms/1000: processor time of the services for 1000 operations;",
            );
            say(
                "Redis: its own processor time for 1000 operations, in ms; cmds: its commands for one, those inside scripts included; cpu L/x: processor time of L / of this one",
            );
        }
        if !self.facts.is_empty() {
            say("");
        }
        for fact in &self.facts {
            say(&fact.line());
        }
        let verdicts = self.rows.iter().map(|row| row.reached);
        let verdicts = verdicts.chain(self.facts.iter().map(|fact| fact.reached));
        let verdicts: Vec<bool> = verdicts.flatten().collect();
        let reached = verdicts.iter().filter(|reached| **reached).count();
        say("");
        say(&format!(
            "{reached} of {} targets reached, in {:.0} s",
            verdicts.len(),
            self.seconds
        ));
    }

    /// Writes the file that the plan asks for.
    pub(crate) fn write(&self) -> Result<(), String> {
        let Some(path) = &self.plan.json else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(path, text + "\n")
            .map_err(|error| format!("{} can't be written: {error}", path.display()))
    }
}
