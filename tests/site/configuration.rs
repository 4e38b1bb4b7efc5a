//! A site's environment, and running a site that is to end by itself.

use std::{
    collections::BTreeMap,
    io::Read as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use system_tests::{binaries, deadline::PATIENCE, stack::API_KEY};

/// A site's environment.
#[derive(Clone)]
pub(crate) struct Configuration(BTreeMap<String, String>);

/// How a site ended, and what it said.
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) errors: String,
}

impl Default for Configuration {
    /// Good settings, with a Redis that nobody answers for.
    fn default() -> Self {
        Self::of("redis://127.0.0.1:1")
    }
}

impl Configuration {
    /// Good settings with this Redis.
    pub(crate) fn of(redis: &str) -> Self {
        let settings = [
            ("SITE__PUBLIC__URL", "http://localhost"),
            ("SITE__PUBLIC__BIND", "127.0.0.1:0"),
            ("SITE__INTERNAL__BIND", "127.0.0.1:0"),
            ("SITE__REDIS__URL", redis),
            ("SITE__GATEWAY__URL", "http://127.0.0.1:1"),
            ("SITE__GATEWAY__API_KEY", API_KEY),
        ];
        Self(
            settings
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        )
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.0.insert(variable.to_owned(), value.to_owned());
    }

    /// Removes a variable.
    pub(crate) fn remove(&mut self, variable: &str) {
        self.0.remove(variable).expect("it was set");
    }

    /// The variables.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        self.0.clone().into_iter().collect()
    }
}

/// Runs a site with these settings and nothing else, and waits for its end.
pub(crate) fn run(arguments: &[&str], configuration: &Configuration) -> Ended {
    let mut child = Command::new(binaries::path("site"))
        .args(arguments)
        .env_clear()
        .envs(configuration.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the site can be started");
    let end = Instant::now() + PATIENCE;
    let code = loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            break status.code();
        }
        if Instant::now() > end {
            // An error means that it has ended just now.
            let _ = child.kill();
            panic!("a site with these settings should end by itself");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    // What it says before it ends is little enough to wait in the pipes.
    let [mut output, mut errors] = [String::new(), String::new()];
    let streams = (child.stdout.take(), child.stderr.take());
    let (Some(mut stdout), Some(mut stderr)) = streams else {
        panic!("both are piped");
    };
    stdout.read_to_string(&mut output).expect("it is text");
    stderr.read_to_string(&mut errors).expect("it is text");
    Ended {
        code,
        output,
        errors,
    }
}
