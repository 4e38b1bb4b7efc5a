//! An account has one callback URL, and most owners already run a backend behind it. Pushes that
//! aren't our logins are forwarded to it, and its response is returned to WeChat.

use std::{sync::Arc, time::Duration};

use actix_web::web::Bytes;
use login_protocol::account::AccountName;
use reqwest::{
    Response,
    header::{CONTENT_TYPE, LOCATION},
};
use service_kit::{
    http_client,
    request_id::{self, REQUEST_ID},
    traces::{self, CallSpan},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use url::Url;

use super::senders::Origin;
use crate::settings::{OnFailure, RelaySettings};

/// How long the owner's backend may take. WeChat waits five seconds in all.
const TIMEOUT: Duration = Duration::from_millis(3500);

/// The largest answer that is passed back, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 255;

/// How many copies of logins may be in flight; further ones are dropped and counted.
const COPIES_AT_ONCE: usize = 64;

/// A push as it came, to be passed on byte for byte.
#[derive(Debug, Clone)]
pub struct RawPush {
    /// The query string, without its question mark.
    pub query: String,
    /// The content type, as received.
    pub content_type: Option<Vec<u8>>,
    /// The body.
    pub body: Bytes,
    /// Where it came from.
    pub origin: Origin,
}

/// The backend's answer.
#[derive(Debug)]
pub struct RelayedAnswer {
    /// Its content type.
    pub content_type: Option<String>,
    /// Its body, which WeChat gets unchanged.
    pub body: Vec<u8>,
}

/// The way to the owner's backend.
pub struct Relay {
    account: AccountName,
    http: reqwest::Client,
    url: Url,
    on_failure: OnFailure,
    copy_logins: bool,
    copies: Arc<Semaphore>,
}

/// Why the backend's answer can't be passed back.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the backend can't be reached: {0}")]
    Unreachable(reqwest::Error),
    #[error("the backend answered HTTP {0}")]
    Status(u16),
    #[error(
        "the backend answered HTTP {status}, a redirect to {to}, and redirects aren't followed; relay.url must \
         be the address where pushes are taken"
    )]
    Redirect { status: u16, to: String },
    #[error("the backend took too long")]
    TooSlow,
    #[error("the backend's answer has more than {ANSWER_LIMIT} bytes")]
    TooLarge,
}

impl From<reqwest::Error> for RelayError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

impl Relay {
    /// The way to the backend that the settings name; `None` if they name none.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be created.
    pub fn new(
        account: AccountName,
        settings: RelaySettings,
    ) -> Result<Option<Self>, reqwest::Error> {
        let Some(url) = settings.url else {
            return Ok(None);
        };
        Ok(Some(Self {
            account,
            http: http_client::build(TIMEOUT)?,
            url,
            on_failure: settings.on_failure,
            copy_logins: settings.copy_logins,
            copies: Arc::new(Semaphore::new(COPIES_AT_ONCE)),
        }))
    }

    /// Forwards a push and returns the response for WeChat, at the deadline at the latest. `Err`
    /// says what WeChat is answered instead.
    ///
    /// # Errors
    ///
    /// The backend failed.
    pub async fn pass_on(
        &self,
        push: &RawPush,
        deadline: Instant,
    ) -> Result<RelayedAnswer, OnFailure> {
        let span = traces::call("relay");
        let sent = timeout_at(deadline, exchange(&self.http, &self.url, push)).await;
        let sent = sent.unwrap_or(Err(RelayError::TooSlow));
        end(span, &sent);
        count(&self.account, "relayed", outcome(&sent));
        sent.map_err(|error| {
            let account = self.account.in_log();
            tracing::error!(account, %error, on_failure = ?self.on_failure, "a push couldn't be relayed");
            self.on_failure
        })
    }

    /// Sends the backend a copy of a login, if it wants them. Nobody waits for it.
    pub fn copy_login(&self, push: RawPush) {
        if !self.copy_logins {
            return;
        }
        let Ok(permit) = Arc::clone(&self.copies).try_acquire_owned() else {
            count(&self.account, "copy", "dropped");
            return;
        };
        let (http, url) = (self.http.clone(), self.url.clone());
        let account = self.account.clone();
        tokio::spawn(request_id::carried(async move {
            let span = traces::call("relay");
            let sent = exchange(&http, &url, &push).await;
            end(span, &sent);
            count(&account, "copy", outcome(&sent));
            if let Err(error) = sent {
                tracing::warn!(%error, "couldn't relay the copy of a login");
            }
            drop(permit);
        }));
    }
}

/// Ends the span of a relayed push. Where the backend is may be secret.
fn end<T>(span: Option<Box<CallSpan>>, sent: &Result<T, RelayError>) {
    let Some(span) = span.map(|span| span.with("peer.service", "backend")) else {
        return;
    };
    if sent.is_ok() {
        span.succeeded();
    } else {
        span.failed();
    }
}

async fn exchange(
    http: &reqwest::Client,
    url: &Url,
    push: &RawPush,
) -> Result<RelayedAnswer, RelayError> {
    let mut request = http
        .post(with_query(url, &push.query))
        .header("x-forwarded-for", push.origin.address.to_string())
        .header("x-forwarded-proto", push.origin.protocol)
        .body(push.body.clone());
    if let Some(content_type) = &push.content_type {
        request = request.header(CONTENT_TYPE, content_type.as_slice());
    }
    if let Some(id) = request_id::current() {
        request = request.header(REQUEST_ID.as_str(), id.as_bytes());
    }
    let mut response = request.send().await?;
    if !response.status().is_success() {
        return Err(refused(url, &response));
    }
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(RelayError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(RelayedAnswer { content_type, body })
}

/// The backend's URL with the parameters of a push appended to its own.
fn with_query(url: &Url, query: &str) -> Url {
    let mut target = url.clone();
    match url.query().filter(|own| !own.is_empty()) {
        Some(own) => target.set_query(Some(&format!("{own}&{query}"))),
        None => target.set_query(Some(query)),
    }
    target
}

/// What an answer without success means.
fn refused(url: &Url, response: &Response) -> RelayError {
    let status = response.status().as_u16();
    match response.headers().get(LOCATION) {
        Some(location) if response.status().is_redirection() => {
            let target = location.to_str().ok().and_then(|to| url.join(to).ok());
            let to = target.as_ref().and_then(shown);
            let to = to.unwrap_or_else(|| "an address that can't be read".to_owned());
            RelayError::Redirect { status, to }
        }
        _ => RelayError::Status(status),
    }
}

/// Scheme and host of a web URL. The rest may be secret: a path is a key as often as a query is.
fn shown(url: &Url) -> Option<String> {
    let is_host = |host: &str| host.len() <= LONGEST_HOST;
    let origin = url.origin();
    let is_shown = origin.is_tuple() && url.host_str().is_some_and(is_host);
    is_shown.then(|| origin.ascii_serialization())
}

const fn outcome<T>(sent: &Result<T, RelayError>) -> &'static str {
    if sent.is_ok() { "ok" } else { "failed" }
}

fn count(account: &AccountName, kind: &'static str, outcome: &'static str) {
    let account = account.label();
    metrics::counter!("relayed_pushes_total", "kind" => kind, "outcome" => outcome, "account" => account)
        .increment(1);
}
