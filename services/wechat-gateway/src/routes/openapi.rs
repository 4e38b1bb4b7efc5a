//! `GET /openapi.json`: the internal API, described for programs.

use actix_web::{HttpResponse, http::header::ContentType};

/// The description, which a test compares with the running service.
const OPENAPI: &str = include_str!("openapi.json");

/// Reads the description.
pub(super) async fn read() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(OPENAPI)
}
