//! The middleware around every request: normalised path, body limit, request ID, log line and
//! metrics. Neither log nor metrics say who requested what: routes appear as templates, and query
//! strings, bodies and cookies never appear.

use std::{rc::Rc, time::Instant};

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
};

use crate::{
    endpoint::{self, Endpoint},
    held_connection::Handover,
    request_bodies,
    request_id::{self, REQUEST_ID},
    slashes,
    traces::{self, Reach, RequestSpan},
    unknown_paths,
};

/// Keeps browsers from guessing another content type.
const NO_GUESSES: HeaderValue = HeaderValue::from_static("nosniff");

/// Middleware around everything: assigns a request ID, logs and counts the request, [normalises its
/// path](slashes), limits its [body](request_bodies), and distinguishes [slow
/// clients](crate::slow_clients) from waiting ones.
///
/// # Errors
///
/// Those of the handlers.
pub(crate) async fn observe<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
    reach: Reach,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    if let Some(connection) = request.conn_data::<Rc<Handover>>() {
        connection.pace.request_began();
    }
    let slashes_at_the_end = slashes::tidy(&mut request);
    let unread = request_bodies::bound(&mut request, began);
    let id = request_id::of(request.headers());
    let method = label(request.method());
    let span = traces::request(request.path(), request.headers(), reach);
    let trace = span.as_ref().map(RequestSpan::context);
    let answering = request_id::named(id.clone(), trace, next.call(request));
    let mut response = request_bodies::answer(answering.await?, unread);
    if let Some(connection) = response.request().conn_data::<Rc<Handover>>() {
        connection.pace.answered();
    }
    slashes::mend_redirect(&mut response, slashes_at_the_end);

    let status = response.status().as_u16();
    let seconds = began.elapsed().as_secs_f64();
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_GUESSES);
    let request = response.request();
    let unrouted;
    let route = if let Some(endpoint) = request.app_data::<Rc<Endpoint>>() {
        endpoint.count(method, status, seconds);
        endpoint.template()
    } else {
        unrouted = endpoint::count_unrouted(request, method, status, seconds);
        &unrouted
    };
    if let Some(span) = span {
        let route = Some(route).filter(|route| *route != endpoint::UNMATCHED);
        span.answered(method, route, status, id.to_str().unwrap_or_default());
    }
    request_id::named_now(id, || {
        if status >= 500 {
            tracing::warn!(method, route, status, seconds, "request failed");
        } else {
            tracing::debug!(method, route, status, seconds, "request answered");
        }
        if route == endpoint::UNMATCHED {
            unknown_paths::note(method, request.path());
        }
    });
    Ok(response)
}

/// A method's label in the metrics. Anybody can invent methods, and every name would be a series of
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
