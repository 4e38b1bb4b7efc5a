//! A shop of `examples/` as a process, beside a whole system.

use std::path::{Path, PathBuf};

use harness::folder::TemporaryFolder;
use system_tests::{
    deadline::eventually,
    nginx::free_port,
    process::{self, Process},
    stack::{API_KEY, Plan, Stack},
};

const KEY: &str = "a-key-for-the-shops-backend-0123456789";

pub(crate) struct Shop {
    pub(crate) url: String,
    pub(crate) stack: Stack,
    _process: Process,
    _data: TemporaryFolder,
}

/// Where the examples are.
pub(crate) fn examples() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"))
}

impl Shop {
    /// Starts the program in which the shop is written; `{examples}` and `{address}` in its arguments
    /// are where the examples are, and where it shall listen.
    pub(crate) async fn start(program: &str, arguments: &[&str]) -> Self {
        Self::with_frontend(program, arguments, None).await
    }

    /// The same with a page that was built beforehand, in this folder.
    pub(crate) async fn with_frontend(
        program: &str,
        arguments: &[&str],
        frontend: Option<&Path>,
    ) -> Self {
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let stack = Plan::default()
            .site("SITE__INTERNAL__API_KEY", KEY)
            .site("SITE__PUBLIC__ALLOWED_ORIGINS", &url)
            .start()
            .await;
        let text = |path: &Path| path.to_str().expect("its path is text").to_owned();
        let examples = text(&examples());
        let arguments = arguments.iter().map(|argument| {
            argument
                .replace("{examples}", &examples)
                .replace("{address}", &format!("127.0.0.1:{port}"))
        });
        // The shop's own table of users is no log.
        let data = TemporaryFolder::create("shop").expect("a folder can be made");
        let folder = text(data.path());
        let mut environment = vec![
            ("PORT", port.to_string()),
            ("LOGIN", stack.sites[0].public.clone()),
            ("SITE", stack.sites[0].internal.clone()),
            ("SITE_KEY", KEY.to_owned()),
            ("GATEWAY", stack.gateways[0].internal.clone()),
            ("GATEWAY_KEY", API_KEY.to_owned()),
            ("PAGE", format!("{examples}/page.html")),
            ("DATA", folder.clone()),
            ("HOME", folder),
        ];
        environment.extend(frontend.map(|folder| ("FRONTEND", text(folder))));
        let environment: Vec<(String, String)> = environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let process = process::start("shop", program, arguments, &environment, &stack.log);
        eventually("the shop listens", async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        Self {
            url,
            stack,
            _process: process,
            _data: data,
        }
    }
}
