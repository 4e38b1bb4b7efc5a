//! The page and the modal's files, which are part of the binary.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CROSS_ORIGIN_RESOURCE_POLICY, ETAG,
        HeaderValue, IF_NONE_MATCH,
    },
    web::{Data, Path},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::problem::ProblemCode;
use service_kit::{pages, problem::Problem};
use sha2::{Digest as _, Sha256};

use super::security_headers;
use crate::public_url::PublicUrl;

struct Asset {
    path: &'static str,
    media_type: &'static str,
    content: &'static str,
    etag: LazyLock<String, Box<dyn FnOnce() -> String + Send>>,
}

impl Asset {
    fn new(path: &'static str, content: &'static str) -> Self {
        let media_type = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        };
        let etag = Box::new(move || {
            format!(
                "\"{}\"",
                URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..12])
            )
        });
        Self {
            path,
            media_type,
            content,
            etag: LazyLock::new(etag),
        }
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = request
            .headers()
            .get(IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok());
        let mut response =
            if known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == *self.etag)) {
                HttpResponse::NotModified()
            } else {
                HttpResponse::Ok()
            };
        response
            .content_type(self.media_type)
            .insert_header((ETAG, self.etag.as_str()))
            // Kept, but asked for again each time: a new version is there at once.
            .insert_header((CACHE_CONTROL, "no-cache"))
            // A module script of another origin needs the permission.
            .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .body(self.content)
    }
}

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        LazyLock::new(|| vec![
            // Not named after what it is today: owners' reverse proxies let this path through.
            Asset::new("login-stopped.css", pages::STYLE_SHEET),
            $(Asset::new($path, include_str!(concat!("../assets/", $path)))),*
        ])
    };
}

static PAGE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("index.html", include_str!("../assets/index.html")));

static ASSETS: LazyLock<Vec<Asset>> = assets![
    "icon.svg",
    "oidc-login.js",
    "oidc-post.js",
    "page.css",
    "page.js",
    "wechat-login.js",
    "wechat-login/client.js",
    "wechat-login/code-picture.js",
    "wechat-login/covers.js",
    "wechat-login/flow.js",
    "wechat-login/icons.js",
    "wechat-login/status-watch.js",
    "wechat-login/styles.js",
    "wechat-login/texts.js",
    "wechat-login/view.js",
    "wechat-login/web-authorization.js",
];

/// `GET /`: a page with the login modal.
pub(super) async fn page(request: HttpRequest, public_url: Data<PublicUrl>) -> HttpResponse {
    let mut response = PAGE.answer(&request);
    security_headers::add_for_front_page(response.headers_mut(), public_url.url());
    response
}

/// `GET /assets/…`.
pub(super) async fn asset(
    path: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = ASSETS.iter().find(|asset| asset.path == path.as_str());
    let Some(asset) = found else {
        let detail = "No route matches this path.";
        return Err(Problem::new(ProblemCode::NotFound, detail));
    };
    let mut response = asset.answer(&request);
    // Pages of other origins show the modal.
    let anybody = HeaderValue::from_static("cross-origin");
    response
        .headers_mut()
        .insert(CROSS_ORIGIN_RESOURCE_POLICY, anybody);
    Ok(response)
}
