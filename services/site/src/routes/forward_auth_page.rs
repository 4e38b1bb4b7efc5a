//! The pages of forward authentication that lead nowhere.

use actix_web::{HttpResponse, http::StatusCode};
use service_kit::pages::{self, Assets, Mark, Notice};

use super::security_headers;
use crate::public_url::PublicUrl;

/// A page of the site's own host.
pub(super) fn page(
    status: StatusCode,
    notice: &Notice<'_>,
    public_url: &PublicUrl,
) -> HttpResponse {
    let assets = Assets {
        style_sheet: &public_url.path_of("/assets/login-stopped.css"),
        icon: Some(&public_url.path_of("/assets/icon.svg")),
    };
    render(status, notice, assets)
}

/// A page with these assets.
pub(super) fn render(status: StatusCode, notice: &Notice<'_>, assets: Assets<'_>) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(pages::render(notice.title, assets, notice));
    security_headers::add_for_page(response.headers_mut());
    response
}

/// Somebody wants to be led to a host that the settings don't name.
pub(super) fn unknown_host(public_url: &PublicUrl) -> HttpResponse {
    page(StatusCode::FORBIDDEN, &UNKNOWN_HOST, public_url)
}

/// What it says.
pub(super) const UNKNOWN_HOST: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "不能前往这个网站",
    text: "这里的登录不用于您要打开的网站。如果它是您自己的，请在设置里写上它的源。",
    english: "This login isn\u{2019}t for the website that you want to open.",
    link: None,
};
