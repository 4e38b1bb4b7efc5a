//! What operators and orchestrators query on the internal listener: health, readiness and metrics.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::Method,
    web::{self, Data, ServiceConfig},
};
use futures_util::future::LocalBoxFuture;
use login_protocol::problem::ProblemCode;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToSchema};

use crate::{
    api_description::Problems,
    build_info, endpoint,
    metric_family::{self, Family},
    problem::Problem,
};

/// The buckets of every duration, in seconds.
const DURATION_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 4.0,
];

/// How often measured durations are sorted into their buckets. Until then each is kept
/// individually, so without this they would pile up while nobody scrapes the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// What keeps a service from doing its work: the code, and a sentence that says what is missing.
pub type Unready = (ProblemCode, String);

/// Whether the service can do its work now.
pub type Readiness = Arc<dyn Fn() -> LocalBoxFuture<'static, Result<(), Unready>> + Send + Sync>;

/// Additional members of `/readyz` for a service that is ready, usually none. A service that has
/// remarks adds them to its app data.
pub type Remarks = Arc<dyn Fn() -> LocalBoxFuture<'static, Map<String, Value>> + Send + Sync>;

/// Starts counting; to be called inside the runtime. The handle renders what was counted, with the
/// meaning of the service's own families and of the shared ones.
///
/// # Panics
///
/// When another recorder was installed in this process.
pub fn record_metrics(own: &[Family]) -> PrometheusHandle {
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .expect("the buckets are a constant, and a process starts one service");
    metric_family::describe(own);
    build_info::record();
    let kept = metrics.clone();
    tokio::spawn(async move {
        let mut due = tokio::time::interval(UPKEEP);
        loop {
            due.tick().await;
            kept.run_upkeep();
        }
    });
    metrics
}

/// `GET /healthz`, `GET /readyz` and `GET /metrics`.
pub fn configure(config: &mut ServiceConfig, readiness: Readiness, metrics: PrometheusHandle) {
    config
        .app_data(Data::new(readiness))
        .app_data(Data::new(metrics))
        .service(endpoint::at("/healthz", [(Method::GET, web::to(healthz))]))
        .service(endpoint::at("/readyz", [(Method::GET, web::to(readyz))]))
        .service(endpoint::at(
            "/metrics",
            [(Method::GET, web::to(render_metrics))],
        ));
}

/// The routes of this module, described.
#[derive(OpenApi)]
#[openapi(paths(healthz, readyz, render_metrics))]
pub struct Description;

/// The process and its build.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    /// By semantic versioning.
    version: &'static str,
    /// Null in a build that wasn't told.
    #[schema(required)]
    commit: Option<&'static str>,
}

/// A service that is ready.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `ready`.
    status: &'static str,
    /// What an operator should know, such as `warning`.
    #[serde(flatten)]
    remarks: Map<String, Value>,
}

#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    summary = "Whether the process runs",
    responses((status = 200, description = "It runs", body = Health))
)]
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health {
        status: "ok",
        version: build_info::VERSION,
        commit: build_info::COMMIT,
    })
}

#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    summary = "Whether the service can do its work",
    responses((status = 200, description = "It is ready", body = Ready), Problems<503>)
)]
async fn readyz(
    readiness: Data<Readiness>,
    remarks: Option<Data<Remarks>>,
) -> Result<HttpResponse, Problem> {
    if let Err((code, missing)) = readiness().await {
        return Err(Problem::new(code, missing));
    }
    let remarks = match remarks {
        Some(remarks) => remarks().await,
        None => Map::new(),
    };
    let status = "ready";
    Ok(HttpResponse::Ok().json(Ready { status, remarks }))
}

#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    summary = "Metrics in Prometheus' text format",
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"))
)]
async fn render_metrics(metrics: Data<PrometheusHandle>) -> HttpResponse {
    metrics_process::Collector::default().collect();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(metrics.render())
}
