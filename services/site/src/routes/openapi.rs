//! The descriptions of both listeners for programs, on the internal one: `GET /openapi.json` of the
//! internal one, and `GET /openapi-public.json` of the public one, as far as it isn't pages.

use actix_web::{
    HttpRequest, HttpResponse,
    http::Method,
    web::{self, ServiceConfig},
};
use serde_json::Value;
use service_kit::{
    api_description::{self, finished},
    endpoint, operations,
    static_file::StaticFile,
};
use utoipa::OpenApi;

use super::{
    forward_auth, login, login_complete, login_events, session, session_events, tickets,
    web_authorization,
};

/// What the routes of the internal listener say; a test compares it with them.
static INTERNAL: StaticFile = StaticFile::new("application/json", include_str!("openapi.json"));

/// What the routes of the public one say.
static PUBLIC: StaticFile =
    StaticFile::new("application/json", include_str!("openapi-public.json"));

#[derive(OpenApi)]
#[openapi(
    info(
        title = "site, internal API",
        version = "1",
        description = "For the owner's other backends. Served on the internal listener only."
    ),
    paths(tickets::redeem, read, read_public)
)]
struct Internal;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "site, public listener",
        version = "1",
        description = "For browsers. Cookies hold the browser's login and session. What changes something \
                       is refused to pages of other origins."
    ),
    external_docs(
        url = "/.well-known/openid-configuration",
        description = "The endpoints of the OpenID Connect provider, if clients are set up"
    ),
    paths(
        login::start,
        login::status,
        login::cancel,
        login_events::follow,
        login_complete::complete,
        web_authorization::begin,
        session::read,
        session_events::follow,
        session::end,
        session::list,
        session::end_all,
        session::end_one,
        forward_auth::ask,
    )
)]
struct Public;

/// The description of the internal listener.
pub fn internal() -> Value {
    let mut routes = Internal::openapi();
    routes.merge(operations::Description::openapi());
    finished(routes, true)
}

/// The description of the public one.
pub fn public() -> Value {
    finished(Public::openapi(), false)
}

/// Adds the descriptions to the internal listener.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::at(
            api_description::OF_THE_INTERNAL_LISTENER,
            [(Method::GET, web::to(read))],
        ))
        .service(endpoint::at(
            api_description::OF_THE_PUBLIC_LISTENER,
            [(Method::GET, web::to(read_public))],
        ));
}

/// Reads the description of the internal listener.
#[utoipa::path(
    get,
    path = api_description::OF_THE_INTERNAL_LISTENER,
    tag = "operations",
    summary = "This description",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
async fn read(request: HttpRequest) -> HttpResponse {
    INTERNAL.answer(&request, "no-cache")
}

/// Reads the description of the public one.
#[utoipa::path(
    get,
    path = api_description::OF_THE_PUBLIC_LISTENER,
    tag = "operations",
    summary = "The description of the public listener",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
async fn read_public(request: HttpRequest) -> HttpResponse {
    PUBLIC.answer(&request, "no-cache")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use service_kit::api_description::assert_current;

    use super::*;

    #[test]
    fn the_files_hold_what_the_routes_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
        assert_current(&folder.join("openapi.json"), &internal());
        assert_current(&folder.join("openapi-public.json"), &public());
    }
}
