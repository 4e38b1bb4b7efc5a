//! How far something long has got, on standard error: only for a person at a terminal.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often it is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// The width of the bar.
const WIDTH: u64 = 30;

/// A bar that fills.
pub(super) struct Progress {
    what: &'static str,
    total: u64,
    drawn_at: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Of so many in all, as far as is known.
    pub(super) fn new(what: &'static str, total: u64) -> Self {
        Self {
            what,
            total,
            drawn_at: None,
            is_shown: io::stderr().is_terminal(),
        }
    }

    /// So many are done.
    pub(super) fn show(&mut self, done: u64) {
        let is_due = self.drawn_at.is_none_or(|at| at.elapsed() >= DRAWN_EVERY);
        if self.is_shown && is_due {
            self.drawn_at = Some(Instant::now());
            self.draw(done);
        }
    }

    /// All are done: the line is left as it is.
    pub(super) fn finish(mut self, done: u64) {
        if self.is_shown {
            self.total = done;
            self.draw(done);
            // Who closed standard error doesn't look at it.
            let _ = writeln!(io::stderr());
        }
    }

    fn draw(&self, done: u64) {
        let mut out = io::stderr().lock();
        let _ = write!(out, "\r{}", bar(self.what, done, self.total));
        let _ = out.flush();
    }
}

fn bar(what: &str, done: u64, total: u64) -> String {
    let total = total.max(done).max(1);
    let filled = usize::try_from(done * WIDTH / total).unwrap_or_default();
    let empty = usize::try_from(WIDTH).unwrap_or_default() - filled;
    format!(
        "{what} [{}{}] {done} of {total}",
        "#".repeat(filled),
        " ".repeat(empty)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_never_overflows() {
        assert!(bar("x", 0, 0).contains("[                              ] 0 of 1"));
        assert!(bar("x", 5, 10).contains("[###############               ] 5 of 10"));
        assert!(bar("x", 12, 10).contains("[##############################] 12 of 12"));
    }
}
