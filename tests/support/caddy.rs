//! A real Caddy, with the configurations that `docs` holds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    deadline::eventually,
    process::{self, Process},
};

/// A running Caddy.
pub struct Caddy {
    log: PathBuf,
    _process: Process,
}

impl Caddy {
    /// Starts Caddy with this configuration and waits until it listens on this port. What it logs
    /// goes to its own file in the test's folder.
    pub async fn start(name: &str, configuration: &str, port: u16, log: &Path) -> Self {
        let folder = log.join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        let file = folder.join("Caddyfile");
        fs::write(&file, configuration).expect("it can be written");
        let text = |path: &Path| path.to_str().expect("its path is text").to_owned();
        let arguments = ["run", "--adapter", "caddyfile", "--config"].map(str::to_owned);
        let arguments = arguments.into_iter().chain([text(&file)]);
        let homes = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"];
        let environment = homes.map(|home| (home.to_owned(), text(&folder)));
        let process = process::start(name, "caddy", arguments, &environment, log);
        let caddy = Self {
            log: log.join(format!("{name}.log")),
            _process: process,
        };
        let what = format!("{name} listens");
        eventually(&what, async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        caddy
    }

    /// Waits until its log holds this text, and returns all of it.
    pub async fn log_with(&self, text: &str) -> String {
        let what = format!("Caddy's log holds {text:?}");
        eventually(&what, async || {
            let written = fs::read_to_string(&self.log).unwrap_or_default();
            written.contains(text).then_some(written)
        })
        .await
    }
}
