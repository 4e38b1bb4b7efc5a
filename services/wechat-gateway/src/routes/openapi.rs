//! `GET /openapi.json`: the internal API, described for programs.

use actix_web::{HttpRequest, HttpResponse};
use service_kit::static_file::StaticFile;

/// The description, which a test compares with the running service.
static OPENAPI: StaticFile = StaticFile::new("application/json", include_str!("openapi.json"));

/// Reads the description.
pub(super) async fn read(request: HttpRequest) -> HttpResponse {
    OPENAPI.answer(&request, "no-cache")
}
