//! A route of a listener: its handlers, the rejection of other methods, and its name in logs and
//! metrics.

use std::{cell::RefCell, rc::Rc};

use actix_web::{
    HttpRequest, Resource, Route,
    guard::{GuardContext, fn_guard},
    http::Method,
    web,
};
use metrics::{Counter, Histogram};

use crate::problem;

/// A resource with a handler for each of these methods, which refuses all others and says in
/// `Allow` which it has.
pub fn at<const COUNT: usize>(template: &str, handlers: [(Method, Route); COUNT]) -> Resource {
    let methods: Vec<&str> = handlers.iter().map(|(method, _)| method.as_str()).collect();
    let allowed: Rc<str> = methods.join(", ").into();
    let refuse = move || {
        let allowed = Rc::clone(&allowed);
        async move { problem::method_not_allowed(&allowed) }
    };
    let resource = named(template).default_service(web::to(refuse));
    handlers
        .into_iter()
        .fold(resource, |resource, (method, handler)| {
            // actix-web's own guard keeps a list of the methods that were tried in each request's
            // extensions, which costs three allocations a method.
            let is_this = move |context: &GuardContext<'_>| context.head().method == method;
            resource.route(handler.guard(fn_guard(is_this)))
        })
}

/// A resource that logs and metrics identify by its template.
pub fn named(template: &str) -> Resource {
    web::resource(template).app_data(Rc::new(Endpoint::new(template)))
}

/// What a request without an endpoint is counted under.
pub(crate) const UNMATCHED: &str = "unmatched";

/// Counts a request that was answered before it reached an endpoint: by a middleware in front of
/// all, or because there is none. These are rare enough to be looked up each time. Returns the
/// route that it asked for.
pub(crate) fn count_unrouted(
    request: &HttpRequest,
    method: &'static str,
    status: u16,
    seconds: f64,
) -> String {
    let route = request.match_pattern();
    let route = route.unwrap_or_else(|| UNMATCHED.to_owned());
    Endpoint::new(&route).count(method, status, seconds);
    route
}

/// What all requests of a route on one worker share.
pub(crate) struct Endpoint {
    template: String,
    series: RefCell<Vec<Series>>,
}

/// The metrics of requests with the same outcome. Looking them up by labels is a considerable part
/// of a short request, so it is done once.
struct Series {
    method: &'static str,
    status: u16,
    requests: Counter,
    duration: Histogram,
}

impl Endpoint {
    /// A route with this template, as in `/v1/members/{openid}`.
    pub(crate) fn new(template: &str) -> Self {
        Self {
            template: template.to_owned(),
            series: RefCell::default(),
        }
    }

    /// Its template.
    pub(crate) fn template(&self) -> &str {
        &self.template
    }

    /// Counts a request that was answered.
    pub(crate) fn count(&self, method: &'static str, status: u16, seconds: f64) {
        let mut all = self.series.borrow_mut();
        let known = all
            .iter()
            .position(|series| series.status == status && series.method == method);
        let position = known.unwrap_or_else(|| {
            all.push(self.series(method, status));
            all.len() - 1
        });
        let series = &all[position];
        series.requests.increment(1);
        series.duration.record(seconds);
    }

    fn series(&self, method: &'static str, status: u16) -> Series {
        let labels = [
            ("method", method.to_owned()),
            ("route", self.template.clone()),
            ("status", status.to_string()),
        ];
        Series {
            method,
            status,
            requests: metrics::counter!("http_requests_total", &labels),
            duration: metrics::histogram!("http_request_duration_seconds", &labels),
        }
    }
}
