//! The phone: a page without a build step, made of the files beside this one.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Path, ServiceConfig};

use crate::codes::OWN_CODE;
use crate::picture;
use crate::world::World;

/// Lets the page load nothing but its own files, and pictures from anywhere: a person's avatar may
/// be any address.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' http: https: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// One of the page's files: its path below `/phone/`, its type and its content.
macro_rules! file {
    ($path:literal, $content_type:ident) => {
        (
            concat!("/phone/", $path),
            $content_type,
            include_str!($path),
        )
    };
}

/// The page's files.
const FILES: [(&str, &str, &str); 26] = [
    file!("account.svg", SVG),
    file!("styles/desk.css", CSS),
    file!("styles/sides.css", CSS),
    file!("styles/parts.css", CSS),
    file!("styles/scanner.css", CSS),
    file!("styles/account.css", CSS),
    file!("styles/chat.css", CSS),
    file!("styles/people.css", CSS),
    file!("styles/web_pages.css", CSS),
    file!("browser.js", JAVASCRIPT),
    file!("control.js", JAVASCRIPT),
    file!("dom.js", JAVASCRIPT),
    file!("holder.js", JAVASCRIPT),
    file!("navigation.js", JAVASCRIPT),
    file!("phone.js", JAVASCRIPT),
    file!("reply_text.js", JAVASCRIPT),
    file!("sides.js", JAVASCRIPT),
    file!("state.js", JAVASCRIPT),
    file!("words.js", JAVASCRIPT),
    file!("screens/account.js", JAVASCRIPT),
    file!("screens/browser.js", JAVASCRIPT),
    file!("screens/chat.js", JAVASCRIPT),
    file!("screens/chats.js", JAVASCRIPT),
    file!("screens/new_person.js", JAVASCRIPT),
    file!("screens/people.js", JAVASCRIPT),
    file!("screens/scanner.js", JAVASCRIPT),
];

/// Adds the page, its files and the generated avatars.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(page))
        .route("/healthz", web::get().to(HttpResponse::Ok))
        .route("/avatars/{name}.svg", web::get().to(avatar))
        .route("/account-code.jpg", web::get().to(account_code));
    for (address, content_type, content) in FILES {
        let file = move || async move { answer(content_type, content) };
        config.route(address, web::get().to(file));
    }
}

async fn page() -> HttpResponse {
    answer("text/html; charset=utf-8", include_str!("index.html"))
}

/// The account's own code, as an owner downloads it from WeChat's console.
async fn account_code() -> HttpResponse {
    match picture::qr_code::jpeg(OWN_CODE) {
        Some(jpeg) => HttpResponse::Ok().content_type("image/jpeg").body(jpeg),
        None => HttpResponse::NotFound().finish(),
    }
}

/// A person's avatar, or the one of a bare number, which the page offers for new people.
async fn avatar(world: Data<World>, name: Path<String>) -> HttpResponse {
    let person = world.people.find(&name).map(|person| person.avatar_seed);
    match person.or_else(|| name.strip_prefix("seed-")?.parse().ok()) {
        Some(seed) => answer(SVG, &picture::avatar::svg(seed)),
        None => HttpResponse::NotFound().finish(),
    }
}

fn answer(content_type: &str, content: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(content.to_owned())
}
