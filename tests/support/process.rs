//! A process under test.

use std::{ffi::OsStr, path::Path};

pub use harness::process::Process;
use harness::process::Recipe;

/// Starts a process with this environment and no other. What it prints goes to `<log>/<name>.log`.
pub fn start<Arguments, Value>(
    name: &str,
    program: impl AsRef<OsStr>,
    arguments: Arguments,
    environment: &[(String, String)],
    log: &Path,
) -> Process
where
    Arguments: IntoIterator<Item = Value>,
    Value: AsRef<OsStr>,
{
    let text = |argument: Value| argument.as_ref().to_str().map(str::to_owned);
    let arguments = arguments.into_iter().map(text);
    let recipe = Recipe {
        arguments: arguments.collect::<Option<_>>().expect("plain arguments"),
        environment: environment.iter().cloned().collect(),
        ..Recipe::new(name, program.as_ref(), log)
    };
    Process::spawn(recipe).unwrap_or_else(|failure| panic!("{failure}"))
}
