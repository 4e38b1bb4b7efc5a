//! Everything these commands print, in colour on a terminal that wants it and plainly elsewhere.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::time::Duration;

/// Colours that stay readable on dark and on light backgrounds.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Blue = 34,
    Magenta = 35,
    Cyan = 36,
}

/// Whether standard output shows colours: a terminal, and `NO_COLOR` (no-color.org) empty or unset.
static COLOURED: LazyLock<bool> = LazyLock::new(|| {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !refused && env::var_os("TERM").is_none_or(|term| term != "dumb")
});

fn paint(colour: Colour, text: &str) -> String {
    if *COLOURED {
        format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
    } else {
        text.to_owned()
    }
}

/// Writes a line and ignores a reader that has gone: `cargo xtask up | head` must still end its
/// children in order, and `println!` would panic.
fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// The start of something that may take long.
pub(crate) fn step(text: &str) {
    line(&format!("{} {text}", paint(Colour::Blue, "==>")));
}

/// The good end of a step.
pub(crate) fn done(text: &str) {
    line(&format!("{} {text}", paint(Colour::Green, "  ✓")));
}

/// Something to know that stops nothing.
pub(crate) fn note(text: &str) {
    line(&format!("{} {text}", paint(Colour::Yellow, "  !")));
}

/// Text as it stands.
pub(crate) fn plain(text: &str) {
    line(text);
}

/// One line of a process, behind its name.
pub(crate) fn process_line(name: &str, colour: Colour, text: &str) {
    line(&format!(
        "{} {text}",
        paint(colour, &format!("{name:<9} |"))
    ));
}

/// The reason for a nonzero exit, on standard error.
pub(crate) fn error(text: &str) {
    let _ = io::stdout().flush();
    let _ = writeln!(
        io::stderr().lock(),
        "{} {text}",
        paint(Colour::Red, "error:")
    );
}

/// A duration as a person says it: `0.4 s`, `38 s`, `2 min 05 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally() {
        assert_eq!(duration(Duration::from_millis(412)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(38)), "38 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 05 s");
    }
}
