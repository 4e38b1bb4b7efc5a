//! A process under test that isn't one of a [`Stack`](crate::stack::Stack).

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
    let text = |value: Value| {
        let value = value.as_ref().to_str();
        value.expect("arguments are text").to_owned()
    };
    let recipe = Recipe {
        arguments: arguments.into_iter().map(text).collect(),
        environment: environment.iter().cloned().collect(),
        ..Recipe::new(name, program.as_ref(), log)
    };
    Process::spawn(recipe).unwrap_or_else(|failure| panic!("{failure}"))
}
