//! Keeps strangers from filling the disk with log lines: of lines of one kind, except debug and
//! trace, the first is written at once, and the following ones are counted and written as one line
//! every ten seconds.
//!
//! A kind is a callsite with its fields. Floating-point fields, which are measurements, make no
//! difference. A callsite whose lines keep changing is one kind from its thirty-third on, so that
//! varying input doesn't circumvent this.

use std::{
    collections::HashMap,
    fmt::{Debug, Write as _},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    mem,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    Event, Level,
    callsite::Identifier,
    field::{Field, Visit},
};

/// How often suppressed lines are summarised.
const EVERY: Duration = Duration::from_secs(10);

/// How often the summaries that are due are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many kinds a place in the code may have at a time.
const KINDS_OF_A_PLACE: usize = 32;

/// How much of a line its summary quotes, in bytes.
const QUOTED: usize = 300;

/// The lines of this process.
static LINES: LazyLock<Mutex<Lines>> = LazyLock::new(Mutex::default);

/// Whether a line is to be written. Otherwise it was counted, and its summary follows.
pub(crate) fn is_first(event: &Event<'_>) -> bool {
    let metadata = event.metadata();
    if *metadata.level() > Level::INFO || metadata.module_path() == Some(module_path!()) {
        return true;
    }
    let mut line = Line::default();
    event.record(&mut line);
    lock().is_first(
        &metadata.callsite(),
        *metadata.level(),
        line,
        Instant::now(),
    )
}

/// Writes the summaries as they become due, for as long as it is polled.
pub(crate) async fn summarise() {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let due = lock().due(Instant::now());
        due.iter().for_each(Summary::write);
    }
}

/// Writes what is still held back, at the end of the process.
pub(crate) fn finish() {
    let left = mem::take(&mut *lock());
    left.summaries().iter().for_each(Summary::write);
}

fn lock() -> MutexGuard<'static, Lines> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Lines(HashMap<Identifier, Vec<Kind>>);

/// Lines that are alike.
struct Kind {
    /// `None`: everything that isn't one of the callsite's other kinds.
    fields: Option<u64>,
    level: Level,
    text: String,
    since: Instant,
    held_back: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Summary {
    level: Level,
    text: String,
    times: u64,
    seconds: u64,
}

impl Lines {
    fn is_first(&mut self, place: &Identifier, level: Level, line: Line, now: Instant) -> bool {
        let kinds = self.0.entry(place.clone()).or_default();
        let hash = line.hash.finish();
        let is_full = kinds.len() >= KINDS_OF_A_PLACE;
        let known = kinds
            .iter_mut()
            .find(|kind| kind.fields == Some(hash) || (is_full && kind.fields.is_none()));
        if let Some(kind) = known {
            kind.held_back += 1;
            return false;
        }
        kinds.push(Kind {
            fields: (!is_full).then_some(hash),
            level,
            text: line.text,
            since: now,
            held_back: 0,
        });
        true
    }

    /// The summaries that are due; each starts another ten seconds. Kinds that didn't recur are
    /// forgotten.
    fn due(&mut self, now: Instant) -> Vec<Summary> {
        let mut due = Vec::new();
        for kinds in self.0.values_mut() {
            kinds.retain_mut(|kind| {
                if now.duration_since(kind.since) < EVERY {
                    return true;
                }
                let came_again = kind.held_back > 0;
                if came_again {
                    due.push(kind.summary(now));
                    kind.since = now;
                    kind.held_back = 0;
                }
                came_again
            });
        }
        self.0.retain(|_, kinds| !kinds.is_empty());
        due
    }

    fn summaries(&self) -> Vec<Summary> {
        let now = Instant::now();
        let kinds = self.0.values().flatten();
        kinds
            .filter(|kind| kind.held_back > 0)
            .map(|kind| kind.summary(now))
            .collect()
    }
}

impl Kind {
    fn summary(&self, now: Instant) -> Summary {
        Summary {
            level: self.level,
            text: match self.fields {
                Some(_) => self.text.clone(),
                None => format!("{} (and others like it)", self.text),
            },
            times: self.held_back,
            seconds: now.duration_since(self.since).as_secs().max(1),
        }
    }
}

impl Summary {
    fn write(&self) {
        let Self {
            level,
            text,
            times,
            seconds,
        } = self;
        match *level {
            Level::ERROR => tracing::error!(times, seconds, line = text, "log line repeated"),
            Level::WARN => tracing::warn!(times, seconds, line = text, "log line repeated"),
            _ => tracing::info!(times, seconds, line = text, "log line repeated"),
        }
    }
}

/// What an event says, as text and as a hash.
#[derive(Default)]
struct Line {
    hash: DefaultHasher,
    text: String,
}

impl Line {
    fn add(&mut self, field: &Field, value: &dyn Debug) {
        let separator = if self.text.is_empty() { "" } else { " " };
        let name = match field.name() {
            "message" => String::new(),
            name => format!("{name}="),
        };
        // Writing into a string doesn't fail.
        let _ = write!(self.text, "{separator}{name}{value:?}");
        if self.text.len() > QUOTED {
            self.text
                .truncate(self.text.floor_char_boundary(QUOTED - '…'.len_utf8()));
            self.text.push('…');
        }
    }
}

impl Visit for Line {
    fn record_f64(&mut self, _: &Field, _: f64) {}

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        field.name().hash(&mut self.hash);
        format!("{value:?}").hash(&mut self.hash);
        self.add(field, value);
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Metadata, field::FieldSet, metadata::Kind as CallsiteKind};

    use super::*;

    struct Place;

    static METADATA: Metadata<'static> = Metadata::new(
        "a line",
        "here",
        Level::WARN,
        None,
        None,
        None,
        FieldSet::new(&["message"], Identifier(&Place)),
        CallsiteKind::EVENT,
    );

    impl tracing::Callsite for Place {
        fn set_interest(&self, _: tracing::subscriber::Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &METADATA
        }
    }

    fn line(text: &str) -> Line {
        let mut line = Line::default();
        line.record_debug(
            &METADATA.fields().field("message").unwrap(),
            &format_args!("{text}"),
        );
        line
    }

    fn say(lines: &mut Lines, text: &str, now: Instant) -> bool {
        lines.is_first(&METADATA.callsite(), Level::WARN, line(text), now)
    }

    fn summary(text: &str, times: u64) -> Summary {
        Summary {
            level: Level::WARN,
            text: text.to_owned(),
            times,
            seconds: 10,
        }
    }

    #[test]
    fn the_first_is_written_at_once_and_the_others_are_counted_every_ten_seconds() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        assert!(say(&mut lines, "refused", start));
        for _ in 0..7_589 {
            assert!(!say(&mut lines, "refused", start));
        }
        assert_eq!(lines.due(start + EVERY / 2), []);
        assert_eq!(lines.due(start + EVERY), [summary("refused", 7_589)]);
        assert!(!say(&mut lines, "refused", start + EVERY));
        assert_eq!(lines.due(start + 2 * EVERY), [summary("refused", 1)]);
        assert_eq!(lines.due(start + 3 * EVERY), []);
        assert!(say(&mut lines, "refused", start + 3 * EVERY));
    }

    #[test]
    fn what_says_something_else_is_written() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        assert!(say(&mut lines, "the signature is wrong", start));
        assert!(say(&mut lines, "the timestamp is old", start));
    }

    #[test]
    fn varying_input_doesnt_fill_the_log() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let written = (0..1_000).filter(|n| say(&mut lines, &format!("from {n}"), start));
        assert_eq!(written.count(), KINDS_OF_A_PLACE + 1);
        assert_eq!(
            lines.due(start + EVERY),
            [summary("from 32 (and others like it)", 967)]
        );
    }

    #[test]
    fn a_summary_quotes_a_long_line_in_part() {
        let quoted = line(&"码".repeat(1_000)).text;
        assert!(
            quoted.len() <= QUOTED && quoted.ends_with("码…"),
            "{quoted}"
        );
    }
}
