//! What a run came to, for a person and for a file.

use std::{collections::BTreeMap, fs};

use serde_json::{Map, Value, json};

use crate::{
    memory::Memory,
    outages::Outages,
    output::say,
    plan::Plan,
    sessions::Comparison,
    tally::{COUNTS, FAULTS, Tally},
    webhook,
};

/// Everything that is known at the end.
pub(crate) struct Outcome {
    wanted: u64,
    completed: u64,
    seconds: f64,
    durations_ms: [u32; 4],
    counts: Vec<(&'static str, u64)>,
    restarts: BTreeMap<&'static str, u64>,
    unclean_stops: u64,
    memory: BTreeMap<&'static str, [u64; 3]>,
    memory_is_flat: bool,
    memory_samples: Value,
    sessions: Result<Comparison, String>,
    told: Option<Result<webhook::Comparison, String>>,
    broken: Option<String>,
}

impl Outcome {
    /// Puts it together.
    pub(crate) fn new(
        plan: &Plan,
        tally: &Tally,
        outages: &Outages,
        memory: &Memory,
        sessions: Result<Comparison, String>,
        told: Option<Result<webhook::Comparison, String>>,
        broken: Option<String>,
    ) -> Self {
        Self {
            wanted: plan.logins,
            completed: tally.total(),
            seconds: tally.elapsed().as_secs_f64(),
            durations_ms: tally.durations_ms(),
            counts: COUNTS
                .iter()
                .map(|(count, name)| (*name, tally.get(*count)))
                .collect(),
            restarts: outages.restarts.clone(),
            unclean_stops: outages.unclean_stops,
            memory: memory.thirds(),
            memory_is_flat: memory.is_flat(),
            memory_samples: memory.to_json(),
            sessions,
            told,
            broken,
        }
    }

    /// Whether everybody is in, once, and nothing grew.
    pub(crate) fn is_good(&self) -> bool {
        let sessions = self.sessions.as_ref();
        self.broken.is_none()
            && self.completed == self.wanted
            && self.counts[..FAULTS].iter().all(|(_, count)| *count == 0)
            && sessions.is_ok_and(|found| found.too_many == 0 && found.missing == 0)
            && self.unclean_stops == 0
            && self
                .told
                .as_ref()
                .is_none_or(|told| told.as_ref().is_ok_and(|told| told.is_good(self.completed)))
            && self.memory_is_flat
    }

    /// Says it.
    pub(crate) fn print(&self) {
        say("");
        if let Some(broken) = &self.broken {
            say(&format!("broken off: {broken}"));
        }
        say(&format!(
            "{} of {} logins complete in {:.0} s, {:.0} a second",
            self.completed,
            self.wanted,
            self.seconds,
            self.per_second()
        ));
        let [half, most, nearly_all, all] = self.durations_ms;
        say(&format!(
            "one login: half within {half} ms, 95 % within {most} ms, 99 % within {nearly_all} ms, the slowest {all} ms"
        ));
        for (name, count) in &self.counts {
            say(&format!("{:<32} {count}", name.replace('_', " ")));
        }
        match &self.sessions {
            Ok(found) => say(&format!(
                "in Redis: {} sessions, {} too many, {} missing",
                found.sessions, found.too_many, found.missing
            )),
            Err(failure) => say(failure),
        }
        match &self.told {
            Some(Ok(told)) => say(&format!("the receiver of events: {}", told.to_json())),
            Some(Err(failure)) => say(failure),
            None => {}
        }
        for (name, count) in &self.restarts {
            say(&format!("{name:<32} {count}"));
        }
        say(&format!(
            "{:<32} {}",
            "stops with another status than 0", self.unclean_stops
        ));
        for (kind, [first, second, last]) in &self.memory {
            say(&format!(
                "{kind:<15} held at most {first}, {second}, {last} KiB in the thirds of the run"
            ));
        }
        say(if self.is_good() {
            "none lost, none doubled, memory flat"
        } else {
            "NOT GOOD: see above"
        });
    }

    /// Writes the file that the plan asks for.
    pub(crate) fn write(&self, plan: &Plan) -> Result<(), String> {
        let Some(path) = &plan.json else {
            return Ok(());
        };
        let counts: Map<String, Value> = self
            .counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect();
        let sessions = self.sessions.as_ref().ok().map(|found| {
            json!({ "found": found.sessions, "too_many": found.too_many, "missing": found.missing })
        });
        let [half, most, nearly_all, all] = self.durations_ms;
        let figures = json!({
            "good": self.is_good(),
            "broken_off": self.broken,
            "plan": plan,
            "completed": self.completed,
            "seconds": self.seconds,
            "logins_per_second": self.per_second(),
            "login_ms": { "p50": half, "p95": most, "p99": nearly_all, "max": all },
            "counts": counts,
            "sessions": sessions,
            "webhook": self.told.as_ref().and_then(|told| Some(told.as_ref().ok()?.to_json())),
            "restarts": self.restarts,
            "unclean_stops": self.unclean_stops,
            "memory_kib_at_most_by_third": self.memory,
            "memory_is_flat": self.memory_is_flat,
            "memory_samples_s_kind_kib": self.memory_samples,
        });
        fs::write(path, format!("{figures:#}\n"))
            .map_err(|error| format!("{} can't be written: {error}", path.display()))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody completes more logins than a float can count"
    )]
    fn per_second(&self) -> f64 {
        self.completed as f64 / self.seconds.max(0.001)
    }
}
