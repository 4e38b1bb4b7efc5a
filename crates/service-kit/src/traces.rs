//! Traces: which request led to which calls, and how long each took, for an OpenTelemetry collector.
//!
//! A request is a span, and so is each call that is made for it: to Redis, WeChat, our other
//! service, or the owner's backend. A call to our other service carries `traceparent`, so that what
//! that one does belongs to the same trace. Attributes say what was done, and never for whom: no
//! address, query, key of Redis, scene or openid.
//!
//! Without a collector in the settings nothing is made, and a request pays for looking whether there
//! is one. Why this is no layer of `tracing`: docs/adr/0061.

mod collector;
mod otlp;
mod settings;
mod span;

use std::{
    borrow::Cow,
    error::Error,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use actix_web::http::header::HeaderMap;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use crate::{
    build_info,
    clock::Clock,
    http_calls::HttpCalls,
    random, request_id,
    trace_context::{TRACEPARENT, TraceContext},
};
use collector::{Collector, Outcomes, QUEUE, TIMEOUT, Waiting};
use otlp::Resource;
pub use settings::TraceSettings;
use span::{Attribute, Kind, Span};

/// How long the last spans may take when the process ends, which is less than it may take to end.
const FLUSHED_WITHIN: Duration = Duration::from_secs(2);

/// What is asked all the time, and isn't part of any login.
const UNTRACED: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// One for the process, once there is a collector, as that of metrics is: calls are made everywhere.
static TRACER: OnceLock<Tracer> = OnceLock::new();

struct Tracer {
    queue: mpsc::Sender<Waiting>,
    /// Looked up when spans come: by then the metrics have a recorder.
    outcomes: LazyLock<Outcomes>,
    clock: Clock,
    /// Traces whose last eight bytes are below are recorded.
    sampled_below: u128,
    continues_incoming: bool,
}

/// Who can reach a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anybody.
    Public,
    /// The owner's own services. They may say which trace a request belongs to.
    Internal,
}

/// A piece of work that goes on.
struct Going {
    context: TraceContext,
    parent: Option<[u8; 8]>,
    began: u64,
    since: Instant,
    attributes: Vec<(&'static str, Attribute)>,
}

/// A request that is being answered.
pub(crate) struct RequestSpan(Box<Going>);

/// A call that is being made for a request. One that is dropped leaves nothing.
pub struct CallSpan {
    name: Cow<'static, str>,
    going: Going,
}

/// Begins to record, if there is a collector; to be called inside the runtime that posts, once.
///
/// # Errors
///
/// When no client can be made for the collector.
pub(crate) fn start(
    settings: &TraceSettings,
    service: &'static str,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Some(endpoint) = &settings.endpoint else {
        return Ok(());
    };
    let (queue, waiting) = mpsc::channel(QUEUE);
    let collector = Collector {
        calls: HttpCalls::new(endpoint, None, TIMEOUT)?,
        headers: settings.headers.clone(),
        resource: Resource {
            attributes: vec![
                ("service.name", service.into()),
                ("service.version", build_info::VERSION.into()),
                ("service.instance.id", random::name()?.into()),
            ],
        },
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the ratio is from 0 to 1"
    )]
    let sampled_below = (settings.sample_ratio * 2_f64.powi(64)) as u128;
    let tracer = Tracer {
        queue,
        outcomes: LazyLock::new(Outcomes::new),
        clock: Clock::system(),
        sampled_below,
        continues_incoming: settings.continue_incoming,
    };
    if TRACER.set(tracer).is_ok() {
        tokio::spawn(async move {
            if let Some(tracer) = TRACER.get() {
                collector.keep_posting(waiting, &tracer.outcomes).await;
            }
        });
    }
    Ok(())
}

/// Sends what was recorded, if the collector takes it in time.
pub(crate) async fn finish() {
    let Some(tracer) = TRACER.get() else {
        return;
    };
    let flush = async {
        let (done, flushed) = oneshot::channel();
        // The queue's other end is there as long as the runtime.
        if tracer.queue.send(Waiting::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    };
    if timeout(FLUSHED_WITHIN, flush).await.is_err() {
        tracing::warn!("the collector takes too long; the last traces are lost");
    }
}

/// A request begins. `None`: there are no traces, or not of this one.
pub(crate) fn request(path: &str, headers: &HeaderMap, reach: Reach) -> Option<RequestSpan> {
    let tracer = TRACER.get()?;
    if UNTRACED.contains(&path) {
        return None;
    }
    let may_name = reach == Reach::Internal || tracer.continues_incoming;
    let named = may_name.then(|| headers.get(TRACEPARENT)).flatten();
    let parent = named.and_then(|named| TraceContext::parse(named.as_bytes()));
    let going = tracer.begin(parent)?;
    Some(RequestSpan(Box::new(going)))
}

/// A call begins, for the current request. `None`: there is none, or there are no traces. The name
/// is of few different ones.
pub fn call(name: impl Into<Cow<'static, str>>) -> Option<Box<CallSpan>> {
    let tracer = TRACER.get()?;
    let going = tracer.begin(Some(request_id::current_trace()?))?;
    let name = name.into();
    Some(Box::new(CallSpan { name, going }))
}

impl Tracer {
    fn begin(&self, parent: Option<TraceContext>) -> Option<Going> {
        // A request without a trace is answered all the same.
        let span_id: [u8; 8] = random::bytes().ok()?;
        let (trace_id, is_sampled) = if let Some(parent) = parent {
            (parent.trace_id, parent.is_sampled)
        } else {
            let trace_id: [u8; 16] = random::bytes().ok()?;
            let drawn = u128::from_be_bytes(trace_id) & u128::from(u64::MAX);
            (trace_id, drawn < self.sampled_below)
        };
        Some(Going {
            context: TraceContext {
                trace_id,
                span_id,
                is_sampled,
            },
            parent: parent.map(|parent| parent.span_id),
            began: u64::try_from(self.clock.now().as_nanosecond()).unwrap_or_default(),
            since: Instant::now(),
            attributes: Vec::new(),
        })
    }

    fn end(&self, kind: Kind, name: Cow<'static, str>, going: Going, is_failure: bool) {
        if !going.context.is_sampled {
            return;
        }
        let took = u64::try_from(going.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let span = Box::new(Span {
            context: going.context,
            parent: going.parent,
            kind,
            name,
            began: going.began,
            ended: going.began.saturating_add(took),
            attributes: going.attributes,
            is_failure,
        });
        if self.queue.try_send(Waiting::Span(span)).is_err() {
            self.outcomes.dropped.increment(1);
        }
    }
}

impl RequestSpan {
    /// What its calls belong to.
    pub(crate) const fn context(&self) -> TraceContext {
        self.0.context
    }

    /// It was answered.
    pub(crate) fn answered(self, method: &'static str, route: Option<&str>, status: u16, id: &str) {
        let Some(tracer) = TRACER.get() else {
            return;
        };
        let Self(mut going) = self;
        let method = if method == "other" { "_OTHER" } else { method };
        going.attributes = vec![
            ("http.request.method", method.into()),
            ("http.response.status_code", status.into()),
            ("wechat_login.request_id", id.to_owned().into()),
        ];
        let name = match route {
            Some(route) => {
                let route = route.to_owned();
                let name = format!("{method} {route}");
                going.attributes.push(("http.route", route.into()));
                name.into()
            }
            None => method.into(),
        };
        tracer.end(Kind::Server, name, *going, status >= 500);
    }
}

impl CallSpan {
    /// The value of `traceparent` for whoever is called.
    pub fn traceparent(&self) -> String {
        self.going.context.to_string()
    }

    /// Says what the call is, in one of few words.
    #[must_use]
    pub fn with(mut self: Box<Self>, key: &'static str, word: &'static str) -> Box<Self> {
        self.going.attributes.push((key, word.into()));
        self
    }

    /// The same in a text of few different ones, as the name of a setting.
    #[must_use]
    pub fn with_text(mut self: Box<Self>, key: &'static str, text: String) -> Box<Self> {
        self.going.attributes.push((key, text.into()));
        self
    }

    /// The same in a number.
    #[must_use]
    pub fn with_number(mut self: Box<Self>, key: &'static str, number: u16) -> Box<Self> {
        self.going.attributes.push((key, number.into()));
        self
    }

    /// The call is over; it succeeded.
    pub fn succeeded(self) {
        self.end(false);
    }

    /// The call is over; it failed.
    pub fn failed(self) {
        self.end(true);
    }

    fn end(self, is_failure: bool) {
        if let Some(tracer) = TRACER.get() {
            let Self { name, going } = self;
            tracer.end(Kind::Client, name, going, is_failure);
        }
    }
}
