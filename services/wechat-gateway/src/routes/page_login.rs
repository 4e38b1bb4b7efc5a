//! `/wechat/oauth/login`: what a code of ours opens.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use login_protocol::scene::Scene;

use super::{
    account::AccountInPath,
    phone::{redirect, to_wechat, unauthorized},
};
use crate::phone::{
    browser::PhoneVisit,
    page_authorization::{AuthorizationResponse, Authorized, last_parameter},
    page_login::{OpenError, OpenedCode},
    pages,
};

fn scene(request: &HttpRequest) -> Option<Scene> {
    Scene::parse(&last_parameter(request.query_string(), "scene")).ok()
}

/// `GET`: WeChat identifies the phone's user silently.
pub(super) async fn begin(
    request: HttpRequest,
    visit: PhoneVisit,
    account: AccountInPath,
) -> HttpResponse {
    match account.page_logins.begin(&visit, scene(&request).as_ref()) {
        Ok(to) => to_wechat(&to),
        Err(error) => leads_nowhere(&error),
    }
}

/// `GET …/return`: the first phone gets a ticket to decide with.
pub(super) async fn open(
    request: HttpRequest,
    visit: PhoneVisit,
    account: AccountInPath,
) -> HttpResponse {
    let response = AuthorizationResponse::of(request.query_string());
    let opened = account
        .page_logins
        .open(&visit, scene(&request), &response)
        .await;
    match opened {
        Ok(Authorized::Done(OpenedCode::Asked { ticket })) => {
            redirect(&format!("../confirm/decision?ticket={ticket}"))
        }
        Ok(Authorized::Done(OpenedCode::FollowFirst)) => {
            pages::message(StatusCode::OK, pages::FOLLOW_TO_LOG_IN)
        }
        Ok(Authorized::Done(OpenedCode::Banned)) => pages::message(StatusCode::OK, pages::BANNED),
        Ok(Authorized::Done(OpenedCode::Taken)) => {
            pages::message(StatusCode::OK, pages::OPENED_BY_ANOTHER)
        }
        Ok(Authorized::Done(OpenedCode::Over)) => pages::message(StatusCode::OK, pages::OVER),
        Ok(Authorized::Retry(to)) => to_wechat(&to),
        Err(error) => leads_nowhere(&error),
    }
}

fn leads_nowhere(error: &OpenError) -> HttpResponse {
    match error {
        OpenError::Broken => pages::message(StatusCode::BAD_REQUEST, pages::OVER),
        OpenError::Over => pages::message(StatusCode::OK, pages::OVER),
        OpenError::Authorization(error) => unauthorized(error),
    }
}
