//! WeChat's server API, with WeChat's habits: failures inside HTTP 200, escaped slashes, a request
//! id at the end of every error text.

mod access_token;
mod answer;
mod callback_check;
mod change_openid;
mod custom_message;
mod gate;
mod operations;
mod qr_code;
mod sns;
mod user;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, Resource};
use service_kit::endpoint;

use answer::{Refusal, refusal};

/// Adds the API's addresses.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let api = web::scope("/cgi-bin")
        .wrap(from_fn(gate::pass))
        .wrap(from_fn(gate::dated))
        .service(at("/token").route(web::get().to(access_token::classic)))
        .service(at("/stable_token").route(web::post().to(access_token::stable)))
        .service(at("/qrcode/create").route(web::post().to(qr_code::create)))
        .service(at("/showqrcode").route(web::get().to(qr_code::show)))
        .service(at("/user/info").route(web::get().to(user::info)))
        .service(at("/user/info/batchget").route(web::post().to(user::batch)))
        .service(at("/changeopenid").route(web::post().to(change_openid::change)))
        .service(at("/message/custom/send").route(web::post().to(custom_message::send)))
        .service(at("/getcallbackip").route(web::get().to(operations::callback_addresses)))
        .service(at("/get_api_domain_ip").route(web::get().to(operations::api_addresses)))
        .service(at("/clear_quota").route(web::post().to(operations::clear_quota)))
        .service(at("/clear_quota/v2").route(web::post().to(operations::clear_quota_with_secret)))
        .service(at("/openapi/quota/get").route(web::post().to(operations::quota)))
        .service(at("/callback/check").route(web::post().to(callback_check::check)))
        .default_service(web::to(unknown));
    let sns = web::scope("/sns")
        .wrap(from_fn(gate::pass))
        .wrap(from_fn(gate::as_plain_text))
        .wrap(from_fn(gate::dated))
        .service(at("/oauth2/access_token").route(web::get().to(sns::access_token)))
        .service(at("/oauth2/refresh_token").route(web::get().to(sns::refresh_token)))
        .service(at("/auth").route(web::get().to(sns::auth)))
        .service(at("/userinfo").route(web::get().to(sns::user_info)))
        .default_service(web::to(unknown));
    config.service(api).service(sns);
}

/// A resource that refuses every other method as WeChat does.
fn at(path: &str) -> Resource {
    endpoint::named(path).default_service(web::to(wrong_method))
}

async fn wrong_method(request: HttpRequest) -> Refusal {
    if request.method() == Method::GET {
        refusal(43002)
    } else {
        refusal(43001)
    }
}

async fn unknown() -> Refusal {
    refusal(40066)
}
