//! Another program that has the HTTP interface of both services in one process, to be measured
//! beside ours: it is given the environment of both, and its public address is the gateway's and the
//! site's.

use std::{net::SocketAddr, time::Duration};

use harness::{
    child::Group,
    phone::Mode,
    ports,
    process::{Errors, Process, Recipe},
    services,
};
use tokio::time::{Instant, sleep};

use crate::{
    http_wire::Connection,
    plan::{Plan, Side},
};

/// How long it may take until it has its access token.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The program in one of WeChat's modes.
#[derive(Debug)]
pub(crate) struct Peer {
    /// The process.
    pub(crate) process: Process,
    /// Where browsers and WeChat reach it.
    pub(crate) address: SocketAddr,
}

impl Peer {
    /// Starts it, and waits until its internal listener says that it is ready.
    pub(crate) async fn start(
        plan: &Plan,
        mode: Mode,
        redis_url: &str,
        wechat: &str,
    ) -> Result<Self, String> {
        let [address, internal, unused] = [(); 3].map(|()| ports::local(ports::free()));
        let process = Process::start(Recipe {
            environment: environment(mode, [address, internal, unused], redis_url, wechat),
            ..recipe(plan, mode)
        });
        let process = process.await?;
        is_ready(internal).await?;
        Ok(Self { process, address })
    }

    /// Another process in the place of this one, with memory that nobody has used yet.
    pub(crate) async fn restart(&mut self) -> Result<(), String> {
        self.process.restart().await
    }
}

fn recipe(plan: &Plan, mode: Mode) -> Recipe {
    let mut words = plan.peer.iter();
    let program = words.next().cloned().unwrap_or_default();
    let name = match mode {
        Mode::Plain => "peer-plain",
        Mode::Safe => "peer-safe",
    };
    Recipe {
        launcher: plan.pin(Side::Service),
        arguments: words.cloned().collect(),
        // Any line that has the word will do.
        ready: "ready",
        errors: Errors::Straight,
        group: Group::Own,
        ..Recipe::new(name, program, &plan.folder)
    }
}

fn environment(
    mode: Mode,
    [address, internal, unused]: [SocketAddr; 3],
    redis_url: &str,
    wechat: &str,
) -> services::Environment {
    let url = format!("http://{address}");
    let gateway = format!("http://{internal}");
    let mut environment = services::gateway(address, internal, redis_url);
    environment.extend(services::account("GATEWAY", mode == Mode::Safe));
    environment.extend(services::wechat_at(wechat));
    environment.extend(services::site([address, unused], &url, redis_url, &gateway));
    environment.extend(services::environment([
        ("GATEWAY__PUBLIC__URL", &url),
        ("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8"),
    ]));
    environment
}

async fn is_ready(internal: SocketAddr) -> Result<(), String> {
    let end = Instant::now() + READY_WITHIN;
    while Instant::now() < end {
        if let Ok(mut connection) = Connection::open(internal).await {
            let request = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";
            let answer = connection.exchange(request).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err(format!(
        "the peer's /readyz says nothing good within {READY_WITHIN:?}; see its log"
    ))
}
