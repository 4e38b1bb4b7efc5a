//! `GET /login/forward-auth?return_to&browser`: leads a visitor on to the host that asked about
//! them, once they are signed in here and follow the account where that is asked for.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::Data,
};
use service_kit::{
    pages::{Link, LinkKind, Mark, Notice},
    problem::Problem,
    random,
};

use super::{forward_auth_page, query::parameter};
use crate::{
    cookies::Cookies,
    forward_auth::{
        self, ForwardAuth, Target,
        marks::{ReturnCode, is_hash},
    },
    public_url::PublicUrl,
    sessions::{identifier::SessionId, store::Sessions},
};

/// Leads on, or says what is missing.
pub(super) async fn lead_on(
    request: HttpRequest,
    forward_auth: Data<ForwardAuth>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
    public_url: Data<PublicUrl>,
) -> Result<HttpResponse, Problem> {
    let Ok(target) = forward_auth.returning_to(&parameter(&request, "return_to")) else {
        return Ok(forward_auth_page::unknown_host(&public_url));
    };
    let browser = parameter(&request, "browser");
    let browser = is_hash(&browser).then_some(browser.as_str());
    let session = cookies.session(&request);
    let signed_in = match &session {
        Some(session) => sessions.signed_in(session).await?,
        None => None,
    };
    let (Some(session), Some(signed_in)) = (session, signed_in) else {
        let back = forward_auth.way_on(&target, browser);
        return Ok(go_to(forward_auth.hosted_login(&back).as_str()));
    };
    if forward_auth.requires_following() && !signed_in.user.subscribed() {
        let again = forward_auth.way_on(&target, browser);
        return Ok(follow_first(again.as_str(), &public_url));
    }
    let url = match browser {
        Some(browser) if !target.is_own() => {
            with_code(&sessions, &session, &target, browser).await?
        }
        // Without a mark the host asks again, and sets one.
        _ => target.url().to_string(),
    };
    Ok(go_to(&url))
}

async fn with_code(
    sessions: &Sessions,
    session: &SessionId,
    target: &Target,
    browser: &str,
) -> Result<String, Problem> {
    let code = ReturnCode::from_random(random::bytes()?);
    sessions
        .issue_return_code(session, target, &code, browser)
        .await?;
    Ok(forward_auth::return_url(target, code.expose()).into())
}

fn go_to(url: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url))
        .finish()
}

fn follow_first(again: &str, public_url: &PublicUrl) -> HttpResponse {
    let notice = Notice {
        mark: Mark::Stopped,
        title: "请先关注公众号",
        text: "关注公众号后才能打开这个页面。关注之后，点下面的“继续”。",
        english: "Only followers of the official account can open this page. Follow it, then continue.",
        link: Some(Link {
            kind: LinkKind::More,
            url: again,
            text: "继续",
            english: "Continue",
        }),
    };
    forward_auth_page::page(StatusCode::OK, &notice, public_url)
}
