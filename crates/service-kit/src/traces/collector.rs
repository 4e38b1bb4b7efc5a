//! Posting spans to the collector. Nobody waits for it: spans wait in a queue that has an end, and
//! those that find it full, or that the collector doesn't take, are dropped and counted.

use std::{sync::LazyLock, time::Duration};

use hyper::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use metrics::Counter;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use super::{
    otlp::{self, Resource},
    span::Span,
};
use crate::http_calls::{CallError, HttpCalls};

/// How many spans may wait to be sent: some hundred bytes each.
pub(crate) const QUEUE: usize = 4096;

/// How many are sent together.
const BATCH: usize = 512;

/// How long the first of a batch waits for others.
const GATHERED_FOR: Duration = Duration::from_secs(1);

/// How long the collector may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// As much as is read of its answer, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What waits in the queue.
pub(crate) enum Waiting {
    Span(Box<Span>),
    /// Whoever wants to know that all before was sent.
    Flush(oneshot::Sender<()>),
}

/// What becomes of spans.
pub(crate) struct Outcomes {
    exported: Counter,
    failed: Counter,
    /// The queue was full.
    pub(crate) dropped: Counter,
}

impl Outcomes {
    pub(crate) fn new() -> Self {
        let counter = |outcome| metrics::counter!("trace_spans_total", "outcome" => outcome);
        Self {
            exported: counter("exported"),
            failed: counter("failed"),
            dropped: counter("dropped"),
        }
    }
}

/// The collector.
pub(crate) struct Collector {
    pub(crate) calls: HttpCalls,
    pub(crate) headers: HeaderMap,
    pub(crate) resource: Resource,
}

/// Why it didn't take spans.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("it answered {0}")]
    Status(u16),
}

impl Collector {
    /// Posts what waits, for as long as the process runs.
    pub(crate) async fn keep_posting(
        &self,
        mut queue: mpsc::Receiver<Waiting>,
        outcomes: &LazyLock<Outcomes>,
    ) {
        let mut waiting = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut waiting, BATCH).await > 0 {
            let until = Instant::now() + GATHERED_FOR;
            while waiting.len() < BATCH && !is_flushed(&waiting) {
                let room = BATCH - waiting.len();
                let more = timeout_at(until, queue.recv_many(&mut waiting, room)).await;
                if !more.is_ok_and(|count| count > 0) {
                    break;
                }
            }
            let (mut spans, mut flushed) = (Vec::new(), Vec::new());
            for waiting in waiting.drain(..) {
                match waiting {
                    Waiting::Span(span) => spans.push(*span),
                    Waiting::Flush(done) => flushed.push(done),
                }
            }
            self.post(&spans, outcomes).await;
            for done in flushed {
                // Whoever asked may have given up.
                let _ = done.send(());
            }
        }
    }

    async fn post(&self, spans: &[Span], outcomes: &Outcomes) {
        if spans.is_empty() {
            return;
        }
        let count = spans.len() as u64;
        match self.try_post(spans).await {
            Ok(()) => outcomes.exported.increment(count),
            Err(error) => {
                outcomes.failed.increment(count);
                tracing::warn!(%error, "the collector doesn't take traces; these are lost");
            }
        }
    }

    async fn try_post(&self, spans: &[Span]) -> Result<(), ExportError> {
        let body = otlp::request(&self.resource, spans);
        let mut headers = self.headers.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(CONTENT_TYPE, protobuf);
        let posted = self.calls.call(
            Method::POST,
            "/v1/traces",
            headers,
            body.into(),
            ANSWER_LIMIT,
        );
        let status = posted.await?.status;
        if status.is_success() {
            Ok(())
        } else {
            Err(ExportError::Status(status.as_u16()))
        }
    }
}

fn is_flushed(waiting: &[Waiting]) -> bool {
    let mut waiting = waiting.iter();
    waiting.any(|waiting| matches!(waiting, Waiting::Flush(_)))
}
