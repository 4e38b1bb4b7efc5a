//! `GET /login?return_to=…`: the hosted login page; and `GET /`, which leads there.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_LANGUAGE, LOCATION, VARY},
    web::Data,
};

use super::{assets, query::parameter, security_headers};
use crate::{
    allowed_origins::AllowedOrigins,
    cookies::Cookies,
    login_page::{self, Branding, FrontPage, Language, View},
    public_url::PublicUrl,
    return_to::ReturnTo,
    sessions::store::{Sessions, SignedIn},
};

/// The page's path.
pub(super) const PATH: &str = "/login";

/// The page. Whoever is signed in goes on at once.
pub(super) async fn page(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
    allowed: Data<AllowedOrigins>,
    public_url: Data<PublicUrl>,
    branding: Data<Branding>,
) -> HttpResponse {
    let return_to = parameter(&request, "return_to");
    let return_to = ReturnTo::of_page(&return_to, &allowed, public_url.url());
    if who(&request, &cookies, &sessions).await.is_some() {
        return HttpResponse::SeeOther()
            .insert_header((LOCATION, return_to.as_str()))
            .finish();
    }
    let view = View::LogIn {
        return_to: return_to.as_str(),
    };
    let mut response = answer(&request, &branding, &public_url, view);
    security_headers::add_for_page(response.headers_mut());
    response
}

/// `GET /`: the demonstration, or the login page. Whoever is signed in stays here, since this is
/// where the login page sends them who came from nowhere else.
pub(super) async fn front(
    request: HttpRequest,
    front: Data<FrontPage>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
    public_url: Data<PublicUrl>,
    branding: Data<Branding>,
) -> HttpResponse {
    if **front == FrontPage::Demonstration {
        return assets::page(&request, &public_url);
    }
    let mut response = match who(&request, &cookies, &sessions).await {
        Some(SignedIn { user, .. }) => {
            let view = View::SignedIn {
                nickname: user.nickname(),
            };
            let mut response = answer(&request, &branding, &public_url, view);
            security_headers::add_for_page(response.headers_mut());
            response
        }
        None => HttpResponse::SeeOther()
            .insert_header((LOCATION, public_url.path_of(PATH)))
            .finish(),
    };
    security_headers::add_for_host(response.headers_mut(), public_url.url());
    response
}

/// Who is signed in. Without Redis there is no telling, and the modal says what is wrong.
async fn who(request: &HttpRequest, cookies: &Cookies, sessions: &Sessions) -> Option<SignedIn> {
    let session = cookies.session(request)?;
    match sessions.signed_in(&session).await {
        Ok(found) => found,
        Err(error) => {
            error.log();
            None
        }
    }
}

fn answer(
    request: &HttpRequest,
    branding: &Branding,
    public_url: &PublicUrl,
    view: View<'_>,
) -> HttpResponse {
    let language = Language::of(request.headers());
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_LANGUAGE, language.tag()))
        .insert_header((VARY, "Accept-Language, Cookie"))
        .body(login_page::render(branding, public_url, language, view))
}
