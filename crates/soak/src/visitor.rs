//! One browser: its cookies, its address, and the replicas that an edge would lead it to.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::{
    Client, Method, Response,
    header::{COOKIE, SET_COOKIE},
};
use serde_json::Value;

/// As long as the modal waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The site's cookie of the attempt, without https.
pub(crate) const ATTEMPT_COOKIE: &str = "wechat-login";
/// The site's cookie of the session, without https.
pub(crate) const SESSION_COOKIE: &str = "wechat-session";

/// The next replica in turn, for all browsers together.
static TURN: AtomicUsize = AtomicUsize::new(0);

/// A client that many browsers share, with connections that are kept.
pub(crate) fn client() -> Result<Client, String> {
    service_kit::http_client::build(ANSWER_TIMEOUT).map_err(|error| error.to_string())
}

/// A browser.
#[derive(Debug)]
pub(crate) struct Visitor<'world> {
    http: &'world Client,
    sites: &'world [String],
    address: Ipv4Addr,
    cookies: BTreeMap<String, String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The seconds of `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    /// The body as JSON; null if it is none.
    pub(crate) json: Value,
}

impl<'world> Visitor<'world> {
    /// A browser without cookies. `number` makes its address one of its own.
    pub(crate) fn new(http: &'world Client, sites: &'world [String], number: u64) -> Self {
        let number = u32::try_from(number & 0x00ff_ffff).unwrap_or(0);
        Self {
            http,
            sites,
            address: Ipv4Addr::from(0x0a00_0000 | number),
            cookies: BTreeMap::new(),
        }
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<&String> {
        self.cookies.get(name)
    }

    /// Sends a request and reads its answer; `None` when the network or the server failed in between.
    pub(crate) async fn call(&mut self, method: Method, path: &str) -> Option<Answer> {
        let response = self.send(method, path).await?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.ok()?;
        Some(Answer {
            status,
            retry_after,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        })
    }

    /// Sends a request to the next replica that takes the connection, as an edge does.
    pub(crate) async fn send(&mut self, method: Method, path: &str) -> Option<Response> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        for _ in self.sites {
            let turn = TURN.fetch_add(1, Ordering::Relaxed);
            let site = &self.sites[turn % self.sites.len()];
            let mut request = self
                .http
                .request(method.clone(), format!("{site}{path}"))
                .header("x-forwarded-for", self.address.to_string());
            if !cookies.is_empty() {
                request = request.header(COOKIE, cookies.join("; "));
            }
            match request.send().await {
                Ok(response) => {
                    self.keep_cookies(&response);
                    return Some(response);
                }
                Err(error) if error.is_connect() => {}
                Err(_) => return None,
            }
        }
        None
    }

    fn keep_cookies(&mut self, response: &Response) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().ok().and_then(|text| {
                let (name, value) = text.split(';').next()?.split_once('=')?;
                Some((name, value, text.contains("Max-Age=0")))
            });
            match pair {
                Some((name, _, true)) => {
                    self.cookies.remove(name);
                }
                Some((name, value, false)) => {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                None => {}
            }
        }
    }
}
