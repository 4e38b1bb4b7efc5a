//! Which attempt an answer to `POST /api/login` opened, where the cookie doesn't say it: WeChat's
//! stand-in remembers for which scene it made a code.

use std::net::SocketAddr;

use login_protocol::scene::Scene;
use serde::Deserialize;

use crate::{
    attempt::Attempt,
    browser,
    http_wire::{Answer, Connection},
    scenes,
};

/// A connection to the stand-in.
#[derive(Debug)]
pub(crate) struct Codes(Connection);

#[derive(Deserialize)]
struct Opened<'body> {
    #[serde(borrow)]
    qr: Qr<'body>,
}

#[derive(Deserialize)]
struct Qr<'body> {
    content: &'body str,
}

impl Codes {
    /// Connects.
    pub(crate) async fn connect(stand_in: SocketAddr) -> Result<Self, String> {
        let connection = Connection::open(stand_in).await;
        connection
            .map(Self)
            .map_err(|error| format!("the stand-in takes no connection: {error}"))
    }

    /// The attempt that this answer opened.
    pub(crate) async fn attempt(&mut self, answer: &Answer<'_>) -> Result<Attempt, String> {
        let cookie = browser::cookie(answer.head).ok_or("no cookie of an attempt")?;
        let opened: Opened<'_> = serde_json::from_slice(answer.body)
            .map_err(|error| format!("an attempt without a code's content: {error}"))?;
        let request = format!(
            "GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n",
            scenes::path(opened.qr.content)
        );
        let known = self.0.exchange(request.as_bytes()).await;
        let known = known.map_err(|error| error.to_string())?;
        let scene = std::str::from_utf8(known.body).unwrap_or_default();
        Ok(Attempt {
            cookie: cookie.to_owned(),
            scene: Scene::parse(scene).map_err(|error| format!("{scene:?}: {error}"))?,
        })
    }
}
