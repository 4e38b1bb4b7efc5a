//! What the one who runs it reads.

/// Prints a line.
#[expect(
    clippy::print_stdout,
    reason = "the lines are what this program is for"
)]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
