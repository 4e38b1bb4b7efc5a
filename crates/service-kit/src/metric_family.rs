//! What each metric means, as `/metrics` says it itself: names, base units and kinds by
//! [Prometheus' conventions](https://prometheus.io/docs/practices/naming/).

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Up only, from zero at the process' start.
    Counter,
    /// Up and down.
    Gauge,
    /// Observations, sorted into buckets.
    Histogram,
}

/// All series of a name.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name, with the unit, and `_total` for a counter.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// One sentence for whoever reads it in a list of metrics.
    pub help: &'static str,
}

impl Family {
    /// Something that is counted.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        let kind = Kind::Counter;
        Self { name, kind, help }
    }

    /// Something that goes up and down.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        let kind = Kind::Gauge;
        Self { name, kind, help }
    }

    /// Something that is measured each time.
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        let kind = Kind::Histogram;
        Self { name, kind, help }
    }
}

/// Those that both services have.
const SHARED: &[Family] = &[
    Family::gauge(
        "build_info",
        "Always 1; the labels name version and commit.",
    ),
    Family::counter(
        "http_requests_total",
        "Requests that were answered, by method, route and status.",
    ),
    Family::histogram(
        "http_request_duration_seconds",
        "From the head of a request until its response began.",
    ),
    Family::histogram(
        "redis_round_trip_seconds",
        "From sending commands to Redis until all of their replies were there.",
    ),
    Family::gauge(
        "redis_connections",
        "Connections for commands that are held: at most one for each worker thread.",
    ),
    Family::counter(
        "redis_failures_total",
        "Round trips to Redis that failed: it couldn't be reached, took too long, or refused.",
    ),
    Family::counter(
        "trace_spans_total",
        "Spans that the collector of traces got, or that were lost, by outcome.",
    ),
    Family::counter(
        "sessions_ended_total",
        "Sessions that were ended before their time, by reason.",
    ),
];

/// Tells the recorder of this process what the shared families and these are.
pub(crate) fn describe(own: &[Family]) {
    metrics_process::Collector::default().describe();
    for Family { name, kind, help } in SHARED.iter().chain(own) {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *help),
            Kind::Gauge => metrics::describe_gauge!(*name, *help),
            Kind::Histogram => metrics::describe_histogram!(*name, *help),
        }
    }
}
