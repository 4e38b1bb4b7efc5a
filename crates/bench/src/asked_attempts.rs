//! Attempts and members of any program with our HTTP interface, made by the requests that browsers
//! and WeChat send.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use harness::phone::{Mode, Phone};

use crate::{attempt::Attempt, browser, codes::Codes, http_wire::Connection, phone};

/// Visitors of these requests have other addresses than those of the turns.
const FIRST_VISITOR: u64 = 0x0080_0000;

/// Asks one program, which takes browsers' requests and WeChat's at one address.
pub(crate) struct AskedAttempts {
    address: SocketAddr,
    stand_in: SocketAddr,
    mode: Mode,
    phone: Phone,
    visitors: AtomicU64,
}

impl AskedAttempts {
    /// At this address. WeChat's stand-in knows which scene a code stands for; pushes come in this
    /// mode.
    pub(crate) fn new(address: SocketAddr, stand_in: SocketAddr, mode: Mode) -> Self {
        Self {
            address,
            stand_in,
            mode,
            phone: Phone::default(),
            visitors: AtomicU64::new(FIRST_VISITOR),
        }
    }

    /// Opens pending attempts.
    pub(crate) async fn open(&self, count: usize) -> Result<Vec<Attempt>, String> {
        let mut connection = self.connect().await?;
        let mut codes = Codes::connect(self.stand_in).await?;
        let mut attempts = Vec::with_capacity(count);
        for _ in 0..count {
            let request = browser::request("POST", "/api/login", self.visitor(), None);
            let answer = connection.exchange(&request).await;
            let answer = answer.map_err(|error| error.to_string())?;
            if answer.status != 201 {
                return Err(format!("POST /api/login was answered {}", answer.status));
            }
            attempts.push(codes.attempt(&answer).await?);
        }
        Ok(attempts)
    }

    /// How many of these attempts are confirmed.
    pub(crate) async fn confirmed(&self, attempts: &[Attempt]) -> Result<usize, String> {
        let mut connection = self.connect().await?;
        let mut confirmed = 0;
        for attempt in attempts {
            let request = browser::request("GET", "/api/login", self.visitor(), Some(attempt));
            let answer = connection.exchange(&request).await;
            let answer = answer.map_err(|error| error.to_string())?;
            let body = String::from_utf8_lossy(answer.body);
            confirmed += usize::from(body.contains(crate::event_stream::CONFIRMED));
        }
        Ok(confirmed)
    }

    /// Has these people scan once, so that they are known.
    pub(crate) async fn members(&self, openids: &[String]) -> Result<(), String> {
        let attempts = self.open(openids.len()).await?;
        let mut connection = self.connect().await?;
        for (openid, attempt) in openids.iter().zip(&attempts) {
            let push = phone::scan(&self.phone, self.mode, openid, &attempt.scene);
            let answer = connection.exchange(&push).await;
            let status = answer.map_err(|error| error.to_string())?.status;
            if status != 200 {
                return Err(format!("a scan was answered {status}"));
            }
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, String> {
        let connection = Connection::open(self.address).await;
        connection.map_err(|error| format!("can't connect: {error}"))
    }

    fn visitor(&self) -> u64 {
        self.visitors.fetch_add(1, Ordering::Relaxed)
    }
}
