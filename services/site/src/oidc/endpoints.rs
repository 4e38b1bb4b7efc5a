//! The provider's routes.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route,
    guard::{GuardContext, fn_guard},
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue},
    },
    web::{self, ServiceConfig},
};
use service_kit::endpoint;

use super::{
    authorize, discovery, introspection, jwks, login_page, logout, paths, refusal::Refusal,
    revocation, token, userinfo,
};

const READ: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

/// Adds the routes.
///
/// Where a GET has effects, HEAD isn't answered like it (RFC 9110, section 9.1): it would make a
/// code, keep a request, or sign out, for an answer whose address or page nobody reads. Answering
/// without the effect would announce what a GET doesn't do. So those say 405, with what they allow.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at(paths::DISCOVERY, &[Method::GET, Method::HEAD], || {
            web::to(discovery::document)
        }))
        .service(at(paths::JWKS, &[Method::GET, Method::HEAD], || {
            web::to(jwks::keys)
        }))
        .service(at(paths::AUTHORIZE, &[Method::GET, Method::POST], || {
            web::to(authorize::authorize)
        }))
        .service(at(paths::LOGIN_PAGE, &[Method::GET], || {
            web::to(login_page::page)
        }))
        .service(at(paths::TOKEN, &[Method::POST], || web::to(token::token)))
        .service(at(paths::USERINFO, &READ, || web::to(userinfo::userinfo)))
        .service(at(paths::INTROSPECTION, &[Method::POST], || {
            web::to(introspection::introspect)
        }))
        .service(at(paths::REVOCATION, &[Method::POST], || {
            web::to(revocation::revoke)
        }))
        .service(at(paths::LOGOUT, &[Method::GET, Method::POST], || {
            web::to(logout::logout)
        }))
        .service(at(paths::LOGOUT_CONFIRMED, &[Method::POST], || {
            web::to(logout::confirmed)
        }));
}

/// A route for these methods. The refusal of others is OAuth's JSON, as all of the provider's are.
fn at(template: &str, methods: &[Method], handler: impl Fn() -> Route) -> Resource {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let allowed = names.join(", ");
    let refuse = move |_: HttpRequest| {
        let allowed = allowed.clone();
        async move { method_not_allowed(&allowed) }
    };
    methods.iter().fold(
        endpoint::named(template).default_service(web::to(refuse)),
        |resource, method| {
            let method = method.clone();
            let is_this = move |context: &GuardContext<'_>| context.head().method == method;
            resource.route(handler().guard(fn_guard(is_this)))
        },
    )
}

fn method_not_allowed(allowed: &str) -> HttpResponse {
    let wrong = format!("this endpoint accepts these methods: {allowed}");
    let refusal = Refusal::invalid_request("method", wrong);
    let mut response = refusal
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .to_json();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
