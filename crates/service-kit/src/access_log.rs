//! One log line and one set of figures a request, none of which says who asked for what: routes are
//! given as templates, and query strings, bodies and cookies never appear.

use std::{
    rc::Rc,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use tracing::Instrument as _;

use crate::endpoint::{self, Endpoint};

/// The header that carries a request's name from the browser's edge to the gateway.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's name, for extractors that pass it on.
#[derive(Debug, Clone)]
pub struct RequestId(pub HeaderValue);

/// Middleware: see the module's text.
///
/// # Errors
///
/// Passes on those of the handlers.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    use actix_web::HttpMessage as _;

    let began = Instant::now();
    let id = request
        .headers()
        .get(REQUEST_ID)
        .filter(|value| is_plain(value))
        .cloned()
        .unwrap_or_else(new_id);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = label(request.method());
    let span = tracing::info_span!("request", request_id = id.to_str().unwrap_or_default());
    let mut response = next.call(request).instrument(span.clone()).await?;

    let status = response.status().as_u16();
    let seconds = began.elapsed().as_secs_f64();
    response.headers_mut().insert(REQUEST_ID, id);
    let request = response.request();
    let unrouted;
    let route = if let Some(endpoint) = request.app_data::<Rc<Endpoint>>() {
        endpoint.count(method, status, seconds);
        endpoint.template()
    } else {
        unrouted = endpoint::count_unrouted(request, method, status, seconds);
        &unrouted
    };
    let _entered = span.enter();
    if status >= 500 {
        tracing::warn!(method, route, status, seconds, "request failed");
    } else {
        tracing::debug!(method, route, status, seconds, "request answered");
    }
    Ok(response)
}

/// A method as the figures name it. Anybody can invent methods, and every name would be a series of
/// its own for as long as the process runs.
fn label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn is_plain(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A name that no other request of any process is likely to have: a counter, scrambled from where chance put
/// its beginning.
fn new_id() -> HeaderValue {
    static BEGINNING: LazyLock<u64> = LazyLock::new(|| {
        let mut bytes = [0; 8];
        // A request without a random name is still answered.
        let _ = getrandom::fill(&mut bytes);
        u64::from_be_bytes(bytes)
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = BEGINNING.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
    // One to one, since the factor is odd: no two counts have the same name.
    let scrambled = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    HeaderValue::try_from(format!("{:016x}", scrambled ^ (scrambled >> 32)))
        .unwrap_or_else(|_| HeaderValue::from_static("unnamed"))
}
