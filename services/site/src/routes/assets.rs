//! The page and the modal's files, which are part of the binary.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue},
    web::Path,
};
use login_protocol::problem::ProblemCode;
use service_kit::{pages, problem::Problem, static_file::StaticFile};

use super::security_headers;
use crate::{login_page, public_url::PublicUrl};

/// Kept, but asked for again each time: a new version is there at once.
const ASKED_FOR_AGAIN: &str = "no-cache";

/// For the modal's stable address, which is on every page of a website: not asked for again for
/// five minutes, and for a day after that only behind the page's back.
const KEPT_FOR_MINUTES: &str = "public, max-age=300, stale-while-revalidate=86400";

/// For an address that names its content.
pub(super) const KEPT_FOR_EVER: &str = "public, max-age=31536000, immutable";

static PAGE: LazyLock<StaticFile> =
    LazyLock::new(|| StaticFile::named("index.html", include_str!("../assets/index.html")));

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../assets/", $name)))),*]
    };
}

/// What the page consists of.
static OF_THE_PAGE: LazyLock<Vec<(&'static str, StaticFile)>> = LazyLock::new(|| {
    // Not named after what it is today: owners' reverse proxies let this path through.
    let mut files = vec![
        ("login-stopped.css", pages::STYLE_SHEET),
        ("login-page.css", login_page::STYLE_SHEET),
        ("login-page.js", login_page::SCRIPT),
    ];
    files.extend(files![
        "icon.svg",
        "oidc-login.js",
        "oidc-post.js",
        "page.css",
        "page.js",
        "session-watch.js"
    ]);
    named(files)
});

/// A file of the modal: `wechat-login.js`, or `wechat-login/<piece>.<digest>.<extension>`.
struct ModalFile {
    piece: &'static str,
    extension: &'static str,
    digest: &'static str,
    file: StaticFile,
}

/// What the modal consists of: its bundle, and the pieces that the bundle fetches, by names that
/// hold a digest of their content. `modal/tools/bundle.js` makes them.
static OF_THE_MODAL: LazyLock<Vec<ModalFile>> = LazyLock::new(|| {
    let files: &[(&str, &str)] = &include!("../../modal/dist/files.rs");
    files
        .iter()
        .filter_map(|(name, content)| {
            let (piece, digest, extension) = parts_of(name)?;
            let file = StaticFile::named(name, content);
            Some(ModalFile {
                piece,
                extension,
                digest: digest.unwrap_or_default(),
                file,
            })
        })
        .collect()
});

/// The piece, digest and extension in the name of a file of the modal. Of the bundle, whose piece
/// is empty, `wechat-login.<digest>.js` is an immutable name.
fn parts_of(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let (piece, rest) = match name.strip_prefix("wechat-login/") {
        Some(name) => name.split_once('.')?,
        None => ("", name.strip_prefix("wechat-login.")?),
    };
    match rest.split_once('.') {
        Some((digest, extension)) => Some((piece, Some(digest), extension)),
        None if piece.is_empty() => Some((piece, None, rest)),
        None => None,
    }
}

fn named(files: Vec<(&'static str, &'static str)>) -> Vec<(&'static str, StaticFile)> {
    files
        .into_iter()
        .map(|(name, content)| (name, StaticFile::named(name, content)))
        .collect()
}

/// The file at this path below `/assets/`, and how long it may be kept.
fn find(path: &str) -> Option<(&'static StaticFile, &'static str)> {
    if let Some((_, file)) = OF_THE_PAGE.iter().find(|(name, _)| *name == path) {
        return Some((file, ASKED_FOR_AGAIN));
    }
    let (piece, wanted, extension) = parts_of(path)?;
    let found = OF_THE_MODAL
        .iter()
        .find(|file| file.piece == piece && file.extension == extension)?;
    let digest = match found.digest {
        "" => found.file.digest(),
        digest => digest,
    };
    let caching = match wanted {
        None => KEPT_FOR_MINUTES,
        Some(wanted) if wanted == digest => KEPT_FOR_EVER,
        // While replicas of two versions stand side by side, a browser that got the bundle from one
        // asks the other for the pieces: each version's pieces go with any other's bundle.
        Some(wanted) if is_digest(wanted) => ASKED_FOR_AGAIN,
        Some(_) => return None,
    };
    Some((&found.file, caching))
}

/// Whether it may be a digest in a name of some version's.
fn is_digest(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The demonstration: a page with the login modal.
pub(super) fn page(request: &HttpRequest, public_url: &PublicUrl) -> HttpResponse {
    let mut response = answer(&PAGE, request, ASKED_FOR_AGAIN);
    security_headers::add_for_front_page(response.headers_mut(), public_url.url());
    response
}

/// `GET /assets/…`.
pub(super) async fn asset(
    path: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Some((file, caching)) = find(path.as_str()) else {
        let detail = "No route matches this path.";
        return Err(Problem::new(ProblemCode::NotFound, detail));
    };
    let mut response = answer(file, &request, caching);
    // Pages of other origins show the modal.
    let anybody = HeaderValue::from_static("cross-origin");
    response
        .headers_mut()
        .insert(CROSS_ORIGIN_RESOURCE_POLICY, anybody);
    Ok(response)
}

/// What is in the binary is the same for every visitor and every page.
fn answer(file: &'static StaticFile, request: &HttpRequest, caching: &'static str) -> HttpResponse {
    let mut response = file.answer(request, caching);
    // A module script of another origin needs the permission.
    let anybody = HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    response
}
