//! A whole login: the modal opens, its stream says pending, the phone scans, the stream says
//! confirmed, and the browser takes its session.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use harness::phone::{Mode, Phone};
use login_protocol::scene::Scene;

use crate::{
    attempts::Attempts,
    browser,
    event_stream::{CONFIRMED, EventStream},
    http_wire::Connection,
    load::{Outcome, nanoseconds},
    phone,
};

/// Where logins happen, and what they are made of.
pub(crate) struct Stage {
    /// Where browsers reach the site.
    pub(crate) site: SocketAddr,
    /// Where WeChat reaches the gateway.
    pub(crate) gateway: SocketAddr,
    /// The phones.
    pub(crate) phone: Phone,
    /// The attempts.
    pub(crate) attempts: Attempts,
    /// Numbers the visitors, each with an address of its own.
    pub(crate) visitors: AtomicU64,
}

impl Stage {
    /// A visitor that wasn't here before.
    pub(crate) fn visitor(&self) -> u64 {
        self.visitors.fetch_add(1, Ordering::Relaxed)
    }
}

/// A scan, and when the browser heard of it.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// Of which attempt.
    pub(crate) scene: Scene,
    /// When the push was sent.
    pub(crate) pushed_at: Instant,
    /// When the stream had the news.
    pub(crate) heard_at: Instant,
}

/// A place for one visitor after the other, with connections that are kept as an edge keeps them.
#[derive(Debug)]
pub(crate) struct Seat {
    stage: Arc<Stage>,
    site: Connection,
    gateway: Connection,
}

impl Stage {
    /// A place for visitors.
    pub(crate) async fn seat(self: &Arc<Self>) -> Result<Seat, String> {
        let wrong = |error: std::io::Error| format!("can't connect: {error}");
        Ok(Seat {
            stage: Arc::clone(self),
            site: Connection::open(self.site).await.map_err(wrong)?,
            gateway: Connection::open(self.gateway).await.map_err(wrong)?,
        })
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Stage(…)")
    }
}

impl Seat {
    /// Logs a new visitor in, with the phone of this person.
    pub(crate) async fn log_in(&mut self, openid: &str) -> Result<Scanned, String> {
        let visitor = self.stage.visitor();
        let wrong = |error: std::io::Error| error.to_string();
        let open = browser::request("POST", "/api/login", visitor, None);
        let answer = self.site.exchange(&open).await.map_err(wrong)?;
        if answer.status != 201 {
            return Err(format!("POST /api/login was answered {}", answer.status));
        }
        let secret = browser::attempt_of(answer.head).ok_or("no cookie of an attempt")?;
        let follow = browser::request("GET", "/api/login/events", visitor, Some(&secret));
        let mut stream = EventStream::open(self.stage.site, visitor, &follow)
            .await
            .map_err(wrong)?;
        let scene = secret.scene();
        let scanned = self.scan(openid, scene, &mut stream).await?;
        let complete = browser::request("POST", "/api/login/complete", visitor, Some(&secret));
        let answer = self.site.exchange(&complete).await.map_err(wrong)?;
        if answer.status != 200 || !browser::is_signed_in(answer.head) {
            return Err(format!("the completion was answered {}", answer.status));
        }
        Ok(scanned)
    }

    /// Scans in safe mode, and waits until the stream knows.
    pub(crate) async fn scan(
        &mut self,
        openid: &str,
        scene: Scene,
        stream: &mut EventStream,
    ) -> Result<Scanned, String> {
        let push = phone::scan(&self.stage.phone, Mode::Safe, openid, &scene);
        let pushed_at = Instant::now();
        let heard = async {
            stream.wait_for(CONFIRMED).await?;
            Ok(Instant::now())
        };
        let (answer, heard_at) = tokio::join!(self.gateway.exchange(&push), heard);
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("the push was answered {}", answer.status));
        }
        Ok(Scanned {
            scene,
            pushed_at,
            heard_at: heard_at.map_err(|error: std::io::Error| error.to_string())?,
        })
    }

    /// Logs strangers in until the time is up.
    pub(crate) async fn log_in_until(mut self, end: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let mut began = Instant::now();
        while began < end {
            let openid = self.stage.attempts.stranger();
            if let Err(error) = self.log_in(&openid).await {
                outcome.fail(error);
                break;
            }
            let ended = Instant::now();
            outcome.nanoseconds.push(nanoseconds(ended - began));
            began = ended;
        }
        outcome
    }
}
