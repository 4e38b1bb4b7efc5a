//! `GET /api/forward-auth`: a proxy asks whether a request may pass, and who sends it.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::header::{ACCEPT, HeaderName, HeaderValue, LOCATION},
    web::Data,
};
use login_protocol::problem::ProblemCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service_kit::{
    api_description::Problems,
    client_address::{Forwarded, TrustedProxies},
    problem::Problem,
    random,
};

use super::query::parameter;
use crate::{
    cookies::Cookies,
    forward_auth::{ForwardAuth, Target, UnknownHost, marks::BrowserMark},
    sessions::store::{Sessions, SignedIn},
    user::User,
};

/// Where a visitor logs in, on a 401.
const LOGIN_URL: HeaderName = HeaderName::from_static("login-url");

/// As `encodeURIComponent` encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Answers the proxy.
#[utoipa::path(
    get,
    path = "/api/forward-auth",
    tag = "forward authentication",
    summary = "A proxy asks whether a request may pass, and who sends it",
    params(("redirect" = Option<String>, Query, description = "`1`: lead browsers to the login")),
    responses(
        (status = 200, description = "It may", headers(
            ("remote-user" = String, description = "The subject"),
            ("remote-name" = String, description = "The nickname, percent-encoded"),
            ("remote-email" = String, description = "Where forward_auth.email_domain is set"),
            ("wechat-openid" = String, description = "The OpenID"),
            ("wechat-unionid" = String, description = "The UnionID"),
            ("wechat-subscribed" = String, description = "`true` or `false`")
        )),
        (status = 302, description = "With `redirect=1`, a page's visitor goes to the login"),
        Problems<401>,
        Problems<403>,
        Problems<503>
    )
)]
pub(super) async fn ask(
    request: HttpRequest,
    forward_auth: Data<ForwardAuth>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
) -> Result<HttpResponse, Problem> {
    let forwarded = proxies.forwarded(&request);
    let target = forward_auth
        .asked(forwarded.as_ref())
        .inspect_err(|_| count("unknown_host"))?;
    let signed_in = who(&request, &target, &sessions, &cookies).await?;
    let must_follow = forward_auth.requires_following();
    match signed_in {
        Some(SignedIn { user, .. }) if user.subscribed() || !must_follow => {
            count("passed");
            Ok(pass(&user, forward_auth.email_domain()))
        }
        signed_in => {
            count(if signed_in.is_some() {
                "not_following"
            } else {
                "not_signed_in"
            });
            refuse(
                &request,
                forwarded.as_ref(),
                &forward_auth,
                &target,
                signed_in.is_some(),
            )
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("forward_auth_total", "outcome" => outcome).increment(1);
}

/// Who sent the request: by the login's own cookie on the site's own origin, and by that of another
/// host on it.
async fn who(
    request: &HttpRequest,
    target: &Target,
    sessions: &Sessions,
    cookies: &Cookies,
) -> Result<Option<SignedIn>, Problem> {
    if target.is_own() {
        return match cookies.session(request) {
            Some(session) => Ok(sessions.signed_in(&session).await?),
            None => Ok(None),
        };
    }
    match Cookies::of_host(request, target) {
        Some(cookie) => Ok(sessions.signed_in_on(target, &cookie).await?),
        None => Ok(None),
    }
}

/// All of these are in every answer, so that a proxy that copies only what is there lets none
/// through that a visitor made up.
fn pass(user: &User, email_domain: Option<&str>) -> HttpResponse {
    let name = user.called();
    let email = email_domain.map(|domain| format!("{}@{domain}", user.sub()));
    let headers = [
        ("remote-user", user.sub()),
        (
            "remote-name",
            &utf8_percent_encode(&name, ENCODED).to_string(),
        ),
        ("remote-email", email.as_deref().unwrap_or_default()),
        ("wechat-openid", user.openid()),
        ("wechat-unionid", user.unionid().unwrap_or_default()),
        (
            "wechat-subscribed",
            if user.subscribed() { "true" } else { "false" },
        ),
    ];
    let mut response = HttpResponse::Ok();
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""));
        response.insert_header((HeaderName::from_static(name), value));
    }
    response.finish()
}

/// Says where the visitor logs in. A browser that opens a page is led there if the proxy wishes so.
fn refuse(
    request: &HttpRequest,
    forwarded: Option<&Forwarded<'_>>,
    forward_auth: &ForwardAuth,
    target: &Target,
    is_signed_in: bool,
) -> Result<HttpResponse, Problem> {
    let mark = if target.is_own() {
        None
    } else {
        Some(match Cookies::mark(request, target) {
            Some(mark) => mark,
            None => BrowserMark::from_random(random::bytes()?),
        })
    };
    let url = if is_signed_in && target.is_own() {
        forward_auth.way_on(target, None)
    } else {
        forward_auth.login_url(target, mark.as_ref())
    };
    let leads = parameter(request, "redirect") == "1" && is_navigation(request, forwarded);
    let mut response = if leads {
        let mut response = HttpResponse::Found();
        response.insert_header((LOCATION, url.as_str())).finish()
    } else {
        Problem::new(ProblemCode::NotSignedIn, NOT_SIGNED_IN).error_response()
    };
    // A URL's text is ASCII.
    if let Ok(url) = HeaderValue::from_str(url.as_str()) {
        response.headers_mut().insert(LOGIN_URL, url);
    }
    if let Some(mark) = &mark {
        // A mark and its attributes fit into a header.
        let _ = response.add_cookie(&Cookies::set_mark(mark, target));
    }
    Ok(response)
}

const NOT_SIGNED_IN: &str =
    "Nobody is signed in with this browser. Login-Url says where to log in.";

/// Whether a browser opens a page, which can go elsewhere first.
fn is_navigation(request: &HttpRequest, forwarded: Option<&Forwarded<'_>>) -> bool {
    let method = forwarded.and_then(|forwarded| forwarded.method);
    if !method.is_none_or(|method| matches!(method, "GET" | "HEAD")) {
        return false;
    }
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        value.to_str().ok()
    };
    match header("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        // Browsers of before 2023.
        None => header(ACCEPT.as_str()).is_some_and(|accepted| accepted.contains("text/html")),
    }
}

impl From<UnknownHost> for Problem {
    fn from(UnknownHost: UnknownHost) -> Self {
        let detail = "The settings name no such host. If it is your own, add its origin to \
                      forward_auth.origins.";
        Self::new(ProblemCode::UnknownHost, detail)
    }
}
