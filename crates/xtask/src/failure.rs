//! Why a command stopped, in words for the person who typed it.

use std::fmt;
use std::io;

/// One message, complete in itself: what failed, why, and where it helps, what to do.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says what was being done when the operating system refused.
pub(crate) trait During<T> {
    fn during(self, action: &str) -> Result<T, Failure>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, action: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("could not {action}: {error}")))
    }
}
