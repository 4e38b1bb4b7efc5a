//! A gateway or a site that serves.

use crate::process::{Process, Recipe};

/// A running gateway or site.
#[derive(Debug)]
pub struct Service {
    /// Its public address, without a path.
    pub public: String,
    /// Its internal address, without a path.
    pub internal: String,
    /// The process, for signals and its lines.
    pub process: Process,
}

impl Service {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It can't be started, or isn't ready in time, in words.
    pub async fn start(recipe: Recipe) -> Result<Self, String> {
        let process = Process::start(recipe).await?;
        let (line, _) = process.ready().unwrap_or_default();
        Ok(Self::listening(process, &line))
    }

    /// Waits for the line that says where it listens.
    pub async fn ready(mut process: Process, line: &str) -> Self {
        let line = process.line_with(line).await;
        Self::listening(process, &line)
    }

    fn listening(process: Process, line: &str) -> Self {
        let address = |name: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix(name));
            word.unwrap_or_else(|| panic!("{line:?} names no {name}"))
                .to_owned()
        };
        Self {
            public: address("public="),
            internal: address("internal="),
            process,
        }
    }
}
