//! What is around every request: its name, one log line and one set of figures, and the end of a connection whose
//! request wasn't read. Neither lines nor figures say who asked for what: routes are given as templates, and query
//! strings, bodies and cookies never appear.

use std::{rc::Rc, time::Instant};

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};

use crate::{
    endpoint::{self, Endpoint},
    request_id::{self, REQUEST_ID},
    unread_bodies,
};

/// Middleware around everything: names the request, logs and counts it, and lets no [unread
/// body](unread_bodies) keep its connection.
///
/// # Errors
///
/// Passes on those of the handlers.
pub(crate) async fn observe<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let unread = unread_bodies::keep(&mut request)?;
    let id = request_id::of(request.headers());
    let method = label(request.method());
    let answering = request_id::named(id.clone(), next.call(request));
    let mut response = unread_bodies::answer(answering.await?, unread);

    let status = response.status().as_u16();
    let seconds = began.elapsed().as_secs_f64();
    response.headers_mut().insert(REQUEST_ID, id.clone());
    let request = response.request();
    let unrouted;
    let route = if let Some(endpoint) = request.app_data::<Rc<Endpoint>>() {
        endpoint.count(method, status, seconds);
        endpoint.template()
    } else {
        unrouted = endpoint::count_unrouted(request, method, status, seconds);
        &unrouted
    };
    request_id::named_now(id, || {
        if status >= 500 {
            tracing::warn!(method, route, status, seconds, "request failed");
        } else {
            tracing::debug!(method, route, status, seconds, "request answered");
        }
    });
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
