//! Logging in inside WeChat: off to its consent, and back from there.

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use jiff::Timestamp;
use login_protocol::attempt::AttemptStatus;
use serde::Serialize;
use service_kit::{client_address::TrustedProxies, problem::Problem};
use url::{Url, form_urlencoded};

use super::{
    login::{seconds_until, visit},
    login_stopped,
};
use crate::{
    allowed_origins::AllowedOrigins, cookies::Cookies, login::Logins, return_to::ReturnTo,
};

/// The address to which WeChat sends visitors back.
pub(super) const RETURN: &str = "/login/wechat";

/// The site's own address, as WeChat and browsers see it.
#[derive(Debug, Clone)]
pub struct ReturnAddress(pub Url);

impl ReturnAddress {
    /// Where WeChat sends a visitor who is to go on there.
    fn of(&self, return_to: &ReturnTo) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{RETURN}", url.path().trim_end_matches('/')));
        url.query_pairs_mut()
            .append_pair("return_to", return_to.as_str());
        url
    }
}

#[derive(Serialize)]
struct Departed {
    status: AttemptStatus,
    expires_at: Timestamp,
    expires_in_seconds: i64,
    authorize_url: String,
}

/// `POST /api/login/web-authorization?return_to=…`: starts an attempt without a code.
pub(super) async fn depart(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
    allowed: Data<AllowedOrigins>,
    address: Data<ReturnAddress>,
) -> Result<HttpResponse, Problem> {
    let visit = visit(&request, &proxies);
    let return_to = ReturnTo::parse(&parameter(&request, "return_to"), &allowed);
    let redirect_uri = address.of(&return_to);
    let departure = logins
        .depart(visit, cookies.attempt(&request), &redirect_uri)
        .await?;
    Ok(HttpResponse::Created()
        .cookie(cookies.set_attempt(&departure.secret, logins.cookie_lifetime()))
        .json(Departed {
            status: AttemptStatus::Pending,
            expires_at: departure.expires_at,
            expires_in_seconds: seconds_until(departure.expires_at),
            authorize_url: departure.authorize_url,
        }))
}

/// `GET /login/wechat?return_to&code&state`: back from WeChat. Always answers with a redirect, so that
/// the address with the code stays neither in the history nor in what the visitor might share.
pub(super) async fn arrive(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
    allowed: Data<AllowedOrigins>,
) -> HttpResponse {
    let return_to = ReturnTo::parse(&parameter(&request, "return_to"), &allowed);
    let arrived = logins
        .arrive(
            cookies.attempt(&request).as_ref(),
            proxies.client(&request),
            &parameter(&request, "state"),
            &parameter(&request, "code"),
        )
        .await;
    let stopped = match arrived {
        Ok(session) => {
            count("signed_in");
            // The attempt's cookie stays, so that the same return works again.
            return HttpResponse::SeeOther()
                .insert_header((LOCATION, return_to.location()))
                .cookie(cookies.set_session(&session, logins.session_lifetime()))
                .finish();
        }
        Err(stopped) => stopped,
    };
    if is_signed_in(&request, &logins, &cookies).await {
        count("already_signed_in");
        return redirect(&return_to.location());
    }
    count(login_stopped::name(stopped));
    redirect(&login_stopped::address(stopped, &return_to))
}

async fn is_signed_in(request: &HttpRequest, logins: &Logins, cookies: &Cookies) -> bool {
    match cookies.session(request) {
        Some(session) => matches!(logins.signed_in(&session).await, Ok(Some(_))),
        None => false,
    }
}

fn redirect(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}

/// A parameter of the query; empty without it. A visitor's address may say anything, and is answered
/// with a page.
pub(super) fn parameter(request: &HttpRequest, name: &str) -> String {
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn count(outcome: &'static str) {
    metrics::counter!("login_returns_total", "outcome" => outcome).increment(1);
}
