//! WeChat's server API, with WeChat's habits: failures inside HTTP 200, escaped slashes, a request
//! id at the end of every error text.

mod access_token;
mod answer;
mod custom_message;
mod gate;
mod operations;
mod qr_code;
mod user;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, Resource};

use answer::{Refusal, refusal};

/// Adds the API's addresses. Web authorisation (`/sns/*`) has no addresses yet.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let api = web::scope("/cgi-bin")
        .wrap(from_fn(gate::pass))
        .service(at("/token").route(web::get().to(access_token::classic)))
        .service(at("/stable_token").route(web::post().to(access_token::stable)))
        .service(at("/qrcode/create").route(web::post().to(qr_code::create)))
        .service(at("/showqrcode").route(web::get().to(qr_code::show)))
        .service(at("/user/info").route(web::get().to(user::info)))
        .service(at("/user/info/batchget").route(web::post().to(user::batch)))
        .service(at("/message/custom/send").route(web::post().to(custom_message::send)))
        .service(at("/getcallbackip").route(web::get().to(operations::callback_addresses)))
        .service(at("/get_api_domain_ip").route(web::get().to(operations::api_addresses)))
        .service(at("/clear_quota").route(web::post().to(operations::clear_quota)))
        .service(at("/clear_quota/v2").route(web::post().to(operations::clear_quota_with_secret)))
        .service(at("/openapi/quota/get").route(web::post().to(operations::quota)))
        .default_service(web::to(unknown));
    config.service(api);
}

/// A resource that refuses every other method as WeChat does.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(wrong_method))
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
