//! A receiver of events, and posting one to it.

use std::{collections::BTreeSet, fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use login_protocol::{
    event::{Event, EventKind, Kept},
    webhook::WebhookName,
};
use reqwest::{StatusCode, header::CONTENT_TYPE};
use service_kit::http_client;
use sha2::{Digest as _, Sha256};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use url::Url;

use crate::settings::{WebhookSecret, WebhookSettings};

/// How long a receiver may take for an event.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is read, so that its connection can be used again, in bytes.
const READ: usize = 16 * 1024;

/// A receiver of events.
pub(super) struct Receiver {
    /// What the owner calls it.
    pub(super) name: WebhookName,
    /// A digest of its address.
    pub(super) address: String,
    url: Url,
    secret: WebhookSecret,
    events: Option<BTreeSet<EventKind>>,
    http: reqwest::Client,
}

/// Why a receiver hasn't got an event.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// It wants no events any more: it answered 410.
    #[error("it answered HTTP 410: it wants no more events")]
    Unwanted,
    /// It answered something else than success.
    #[error("it answered HTTP {0}")]
    Refused(u16),
    /// It answered a redirect.
    #[error("it answered HTTP {0}, a redirect, and redirects aren't followed")]
    Redirected(u16),
    /// It can't be reached, its certificate is wrong, or it took too long.
    #[error("{0}")]
    Unreachable(String),
    /// The event can't be signed.
    #[error("the event can't be signed: {0}")]
    Unsigned(String),
}

impl fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Receiver({})", self.name)
    }
}

impl Receiver {
    /// The receiver that these settings describe.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be created.
    pub(super) fn new(
        name: WebhookName,
        settings: WebhookSettings,
    ) -> Result<Self, reqwest::Error> {
        let WebhookSettings {
            url,
            secret,
            events,
        } = settings;
        Ok(Self {
            name,
            address: URL_SAFE_NO_PAD.encode(Sha256::digest(url.as_str())),
            url,
            secret,
            events,
            http: http_client::build(TIMEOUT)?,
        })
    }

    /// Whether it is to get events of this type. What the owner does gets whoever asks for it by
    /// name: it isn't what receivers of all that happens to people were made for.
    pub(super) fn gets(&self, kind: EventKind) -> bool {
        match &self.events {
            Some(events) => events.contains(&kind),
            None => kind != EventKind::OwnerActed,
        }
    }

    /// Whether an element of the stream is an event that it is to get.
    pub(super) fn wants(&self, kept: &Kept) -> bool {
        let happening = kept.happening.as_ref();
        happening.is_some_and(|happening| self.gets(happening.kind))
    }

    /// Posts an event, signed as of `now`.
    ///
    /// # Errors
    ///
    /// It hasn't taken it.
    pub(super) async fn send(&self, event: &Event, now: Timestamp) -> Result<(), SendError> {
        let unsigned = |error: &dyn fmt::Display| SendError::Unsigned(error.to_string());
        let body = serde_json::to_vec(event).map_err(|error| unsigned(&error))?;
        let seconds = now.as_second();
        let signed = self.secret.0.sign(&event.id, seconds, &body);
        let signature = signed.map_err(|error| unsigned(&error))?;
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, &event.id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        let answer = request.send().await;
        let unreachable = |error| SendError::Unreachable(http_client::cause(&error));
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let mut read = 0;
        // Who has answered has it, however the rest of the answer fares.
        while let Ok(Some(chunk)) = answer.chunk().await {
            read += chunk.len();
            if read > READ {
                break;
            }
        }
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(SendError::Unwanted),
            status if status.is_redirection() => Err(SendError::Redirected(status.as_u16())),
            status => Err(SendError::Refused(status.as_u16())),
        }
    }
}
