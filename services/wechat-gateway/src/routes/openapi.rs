//! The descriptions of both listeners for programs: `GET /openapi.json` of the internal one, and
//! `GET /openapi-public.json` of the public one, as far as it isn't pages.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use service_kit::{
    api_description::{self, finished},
    operations,
    static_file::StaticFile,
};
use utoipa::OpenApi;

use super::{
    access_token, account_pictures, callback, events, login_prompts, member_sessions, members,
    qr_codes, web_authorizations, webhooks,
};

/// What the routes of the internal listener say; a test compares it with them.
static INTERNAL: StaticFile = StaticFile::new("application/json", include_str!("openapi.json"));

/// What the routes of the public one say.
static PUBLIC: StaticFile =
    StaticFile::new("application/json", include_str!("openapi-public.json"));

#[derive(OpenApi)]
#[openapi(
    info(
        title = "wechat-gateway, internal API",
        version = "1",
        description = "For the site and the owner's other backends. Served on the internal listener only."
    ),
    paths(
        qr_codes::create,
        login_prompts::create,
        account_pictures::read,
        access_token::current,
        access_token::invalidate,
        members::list,
        members::export,
        members::read,
        members::erase,
        members::ban,
        members::lift_ban,
        member_sessions::list,
        member_sessions::end_all,
        member_sessions::end_one,
        events::read,
        webhooks::list,
        webhooks::redeliver,
        web_authorizations::begin,
        web_authorizations::complete,
        web_authorizations::discard,
        read,
        read_public,
    )
)]
struct Internal;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "wechat-gateway, public listener",
        version = "1",
        description = "What WeChat calls. What else is below /wechat/ are pages that phones open."
    ),
    paths(callback::verify, callback::receive)
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
    let mut description = finished(Public::openapi(), false);
    // The same for an account with a name.
    let mut named = description["paths"]["/wechat/callback"].clone();
    named["parameters"] = json!([{
        "name": "account",
        "in": "path",
        "required": true,
        "description": "The account's name in the gateway's settings",
        "schema": { "type": "string" },
    }]);
    description["paths"]["/wechat/{account}/callback"] = named;
    description
}

/// Reads the description of the internal listener.
#[utoipa::path(
    get,
    path = api_description::OF_THE_INTERNAL_LISTENER,
    tag = "operations",
    summary = "This description",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(super) async fn read(request: HttpRequest) -> HttpResponse {
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
pub(super) async fn read_public(request: HttpRequest) -> HttpResponse {
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
