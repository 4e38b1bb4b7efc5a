//! The HTTP side of pushing: WeChat's headers, its patience, and what came back.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, PRAGMA};
use reqwest::{Client, Response};
use serde::Serialize;
use service_kit::http_client;
use tokio::sync::Semaphore;
use wechat_wire::push::Push;

use super::answer::{Verdict, judge};
use super::deliveries::Attempt;
use super::request::{Freshness, prepare};
use crate::account::Account;
use crate::random;

/// How much of an answer is read; a longer one is cut, which makes it unreadable.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How many pushes are on their way at once.
const CONCURRENT: usize = 512;

/// Sends pushes.
#[derive(Debug)]
pub(crate) struct PushClient {
    http: Client,
    free: Semaphore,
}

/// Whether the callback URL passed the console's verification.
#[derive(Debug, Serialize)]
pub(crate) struct VerificationOutcome {
    passed: bool,
    status: Option<u16>,
    reason: Option<String>,
}

impl PushClient {
    /// A client with WeChat's habits: no redirects, no proxy, one connection for each push.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let http = http_client::builder()
            .user_agent("Mozilla/4.0")
            .default_headers(headers)
            .http1_only()
            .http1_title_case_headers()
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self {
            http,
            free: Semaphore::new(CONCURRENT),
        })
    }

    /// Delivers a push once and says what came of it; `None` as the verdict when the answer was
    /// late, missing or not 200, so that WeChat would deliver again.
    pub(super) async fn deliver(
        &self,
        account: &Account,
        push: &Push,
        freshness: &Freshness,
    ) -> (Attempt, Option<Verdict>) {
        let _permit = self.free.acquire().await;
        let setup = account.setup();
        let credentials = account.credentials();
        let request = prepare(credentials, &setup, push, freshness);
        let sending = self
            .http
            .post(request.url)
            .header(CONTENT_TYPE, "text/xml")
            .body(request.body)
            .timeout(Duration::from_millis(u64::from(setup.push_timeout_ms)))
            .send();
        let started = Instant::now();
        let answer = async { read(sending.await?).await }.await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let attempt = Attempt {
            duration_ms,
            ..Attempt::default()
        };
        match answer {
            Ok((200, body)) => {
                let verdict = judge(credentials, setup.mode, push, &body);
                (attempt.answered(200, &body).judged(&verdict), Some(verdict))
            }
            Ok((status, body)) => (attempt.answered(status, &body), None),
            Err(error) => (attempt.failed(describe(&error)), None),
        }
    }

    /// Does what WeChat's console does when an operator saves the callback URL.
    pub(crate) async fn verify(&self, account: &Account) -> VerificationOutcome {
        let setup = account.setup();
        let timestamp = Timestamp::now().as_second().to_string();
        let (nonce, echo) = (random::nonce(), random::echo_text());
        let signature = account.credentials().token.sign(&timestamp, &nonce);
        let mut url = setup.callback_url;
        url.query_pairs_mut()
            .append_pair("signature", signature.as_str())
            .append_pair("echostr", &echo)
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", &nonce);
        let patience = Duration::from_millis(u64::from(setup.push_timeout_ms));
        let sending = self.http.get(url).timeout(patience).send();
        let (status, reason) = match async { read(sending.await?).await }.await {
            Ok((200, body)) if body == echo.as_bytes() => (Some(200), None),
            Ok((200, _)) => (
                Some(200),
                Some("the body is not the echostr, byte for byte".to_owned()),
            ),
            Ok((status, _)) => (Some(status), Some("the status is not 200".to_owned())),
            Err(error) => (None, Some(describe(&error))),
        };
        VerificationOutcome {
            passed: reason.is_none(),
            status,
            reason,
        }
    }
}

async fn read(mut response: Response) -> reqwest::Result<(u16, Vec<u8>)> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() >= ANSWER_LIMIT {
            body.truncate(ANSWER_LIMIT);
            break;
        }
    }
    Ok((response.status().as_u16(), body))
}

/// The failure in few words. The address is left out: its parameters are signed.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the connection ended without an answer".to_owned()
    }
}
