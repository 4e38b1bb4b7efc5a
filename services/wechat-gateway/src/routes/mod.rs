//! The gateway's two HTTP surfaces. Nothing of one is reachable through the other.

use actix_web::{
    HttpRequest, HttpResponse, Resource, ResponseError as _,
    error::{InternalError, UrlencodedError},
    http::{
        Method, StatusCode,
        header::{CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue},
    },
    middleware::from_fn,
    web::{self, Data, FormConfig, QueryConfig, ServiceConfig},
};
use login_protocol::{account_picture::ACCOUNT_PICTURE, gateway_api, login_prompt::LOGIN_PROMPTS};
use service_kit::{
    api_description,
    api_key::{self, ApiKeys},
    endpoint, problem, request_bodies,
    static_file::StaticFile,
};

use crate::{
    phone::{links, pages},
    push::figures,
};

mod access_token;
mod account;
mod account_pictures;
mod actor;
mod callback;
pub mod compat;
mod confirm;
mod console;
mod events;
mod login_prompts;
mod member_sessions;
mod members;
pub mod openapi;
mod page_login;
mod phone;
mod problems;
mod profile;
mod qr_codes;
pub mod verification_file;
mod web_authorizations;
mod webhooks;

/// The largest body that the internal API accepts, in bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// What WeChat and phones reach.
pub fn configure_public(config: &mut ServiceConfig) {
    problem::configure(config, BODY_LIMIT);
    // What can't be parsed can't be signed, and a forger learns nothing.
    let unsigned = QueryConfig::default().error_handler(|error, request| {
        let answer = match account::in_path(request) {
            Some(account) => {
                if request.method() == Method::POST {
                    figures::count(&account.name, "refused", "query");
                }
                HttpResponse::Forbidden().finish()
            }
            None => account::unknown().error_response(),
        };
        InternalError::from_response(error, answer).into()
    });
    // A person who opens a broken link gets a page.
    let broken = QueryConfig::default().error_handler(|error, _| {
        let page = pages::message(StatusCode::BAD_REQUEST, pages::OVER);
        InternalError::from_response(error, page).into()
    });
    // Nor is a pressed button answered with a machine's error.
    let pressed = FormConfig::default().error_handler(|error, _| {
        let status = match &error {
            UrlencodedError::Payload(error) => request_bodies::refusal(error),
            UrlencodedError::Overflow { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        let page = pages::message(status, pages::OVER);
        InternalError::from_response(error, page).into()
    });
    config.app_data(broken).app_data(pressed);
    // Literal paths first: no account is called `oauth`.
    for accounts in [
        links::ACCOUNTS.to_owned(),
        format!("{}/{{{}}}", links::ACCOUNTS, account::PARAMETER),
    ] {
        configure_account(config, &accounts, unsigned.clone());
    }
    config.service(endpoint::at(
        "/{name:MP_verify_[A-Za-z0-9]+[.]txt}",
        [(Method::GET, web::to(verification_file::read))],
    ));
}

/// What WeChat and phones reach of an account, below `base`.
fn configure_account(config: &mut ServiceConfig, base: &str, unsigned: QueryConfig) {
    let at = |path: &str, methods| endpoint::at(&format!("{base}{path}"), methods);
    let callback = [
        (Method::GET, web::to(callback::verify)),
        (Method::POST, web::to(callback::receive)),
    ];
    config
        .service(endpoint::at(&format!("{base}{}", links::CALLBACK), callback).app_data(unsigned))
        .service(at(links::PROFILE, [(Method::GET, web::to(profile::ask))]))
        .service(at(
            links::PROFILE_RETURN,
            [(Method::GET, web::to(profile::store))],
        ))
        .service(at(links::THANKS, [(Method::GET, web::to(profile::thanks))]))
        .service(at(
            links::FOLLOW_FIRST,
            [(Method::GET, web::to(profile::follow_first))],
        ))
        .service(at(links::CONFIRM, [(Method::GET, web::to(confirm::begin))]))
        .service(at(
            links::CONFIRM_RETURN,
            [(Method::GET, web::to(confirm::recognise))],
        ))
        .service(at(
            links::LOGIN,
            [(Method::GET, web::to(page_login::begin))],
        ))
        .service(at(
            links::LOGIN_RETURN,
            [(Method::GET, web::to(page_login::open))],
        ))
        .service(endpoint::at(
            &format!("{base}{}", links::DECISION),
            [
                (Method::GET, web::to(confirm::ask)),
                (Method::POST, web::to(confirm::decide)),
            ],
        ))
        .service(at(
            "/oauth/{folder:.*}style.css",
            [(Method::GET, web::to(style))],
        ));
}

/// The style sheet of the phone's pages.
async fn style(request: HttpRequest) -> HttpResponse {
    static SHEET: StaticFile =
        StaticFile::new("text/css; charset=utf-8", service_kit::pages::STYLE_SHEET);
    let mut response = SHEET.answer(&request, "public, max-age=3600");
    let own = HeaderValue::from_static("same-origin");
    response
        .headers_mut()
        .insert(CROSS_ORIGIN_RESOURCE_POLICY, own);
    response
}

/// What the site and other backends reach.
pub fn configure_internal(config: &mut ServiceConfig, api_keys: Data<ApiKeys>) {
    problem::configure(config, BODY_LIMIT);
    let guarded = |resource: Resource| resource.wrap(from_fn(api_key::require));
    config
        .app_data(api_keys)
        .service(guarded(endpoint::at(
            gateway_api::QR_CODES,
            [(Method::POST, web::to(qr_codes::create))],
        )))
        .service(guarded(endpoint::at(
            LOGIN_PROMPTS,
            [(Method::POST, web::to(login_prompts::create))],
        )))
        .service(guarded(endpoint::at(
            ACCOUNT_PICTURE,
            [(Method::GET, web::to(account_pictures::read))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::ACCESS_TOKEN,
            [(Method::GET, web::to(access_token::current))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::INVALIDATE_ACCESS_TOKEN,
            [(Method::POST, web::to(access_token::invalidate))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::MEMBERS,
            [(Method::GET, web::to(members::list))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::MEMBERS_EXPORT,
            [(Method::GET, web::to(members::export))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::MEMBER_BAN,
            [
                (Method::PUT, web::to(members::ban)),
                (Method::DELETE, web::to(members::lift_ban)),
            ],
        )))
        .service(guarded(endpoint::at(
            gateway_api::MEMBER,
            [
                (Method::GET, web::to(members::read)),
                (Method::DELETE, web::to(members::erase)),
            ],
        )))
        .service(guarded(endpoint::at(
            gateway_api::EVENTS,
            [(Method::GET, web::to(events::read))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::WEBHOOKS,
            [(Method::GET, web::to(webhooks::list))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::WEBHOOK_REDELIVER,
            [(Method::POST, web::to(webhooks::redeliver))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::MEMBER_SESSIONS,
            [
                (Method::GET, web::to(member_sessions::list)),
                (Method::DELETE, web::to(member_sessions::end_all)),
            ],
        )))
        .service(guarded(endpoint::at(
            gateway_api::MEMBER_SESSION,
            [(Method::DELETE, web::to(member_sessions::end_one))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::WEB_AUTHORIZATIONS,
            [(Method::POST, web::to(web_authorizations::begin))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::COMPLETE_WEB_AUTHORIZATION,
            [(Method::POST, web::to(web_authorizations::complete))],
        )))
        .service(guarded(endpoint::at(
            gateway_api::DISCARD_WEB_AUTHORIZATION,
            [(Method::POST, web::to(web_authorizations::discard))],
        )))
        .service(endpoint::at(
            api_description::OF_THE_INTERNAL_LISTENER,
            [(Method::GET, web::to(openapi::read))],
        ))
        .service(endpoint::at(
            api_description::OF_THE_PUBLIC_LISTENER,
            [(Method::GET, web::to(openapi::read_public))],
        ));
    console::configure(config);
}

/// What software reaches that knows wechat-server. It has a token of its own.
pub fn configure_wechat_server(config: &mut ServiceConfig, server: Data<compat::WechatServer>) {
    config
        .app_data(server)
        .service(endpoint::at(
            compat::USER,
            [(Method::GET, web::to(compat::user))],
        ))
        .service(endpoint::at(
            compat::ACCESS_TOKEN,
            [(Method::GET, web::to(compat::access_token))],
        ));
}
