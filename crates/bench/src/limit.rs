//! The least work that could serve a request: the same framework on the same core, and nothing of
//! ours.

use std::time::Duration;

use actix_web::{
    App, HttpResponse, HttpServer,
    http::header::ContentType,
    rt::System,
    web::{self, Data},
};
use deadpool_redis::redis::{Client, aio::MultiplexedConnection, cmd};

use crate::{output::say, stand_in};

/// The key that the limit with one Redis command reads; it holds [`stand_in::BODY`].
pub(crate) const KEY: &str = "bench-limit";

/// Where the handler without any work is.
pub(crate) const STATIC: &str = "/static";
/// Where the handler with one command is.
pub(crate) const REDIS: &str = "/redis";
/// Where the handler with one request is.
pub(crate) const HOP: &str = "/hop";

/// How long an answer of the stand-in may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Serves until it is killed. Prints its address first.
pub(crate) fn serve(redis_url: &str, stand_in_url: &str) -> Result<(), String> {
    System::new().block_on(async {
        let client = Client::open(redis_url).map_err(|error| error.to_string())?;
        let connection = client.get_multiplexed_async_connection().await;
        let connection = connection.map_err(|error| format!("Redis can't be reached: {error}"))?;
        let http = service_kit::http_client::build(TIMEOUT).map_err(|error| error.to_string())?;
        let hop = Hop {
            http,
            url: format!("{stand_in_url}{}", stand_in::HOP),
        };
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(connection.clone()))
                .app_data(Data::new(hop.clone()))
                .route(STATIC, web::get().to(nothing))
                .route(REDIS, web::get().to(one_command))
                .route(HOP, web::get().to(one_request))
        });
        let server = server
            .bind(("127.0.0.1", 0))
            .map_err(|error| format!("the limit can't listen: {error}"))?;
        for address in server.addrs() {
            say(&format!("limit ready http://{address}"));
        }
        server.run().await.map_err(|error| error.to_string())
    })
}

#[derive(Clone)]
struct Hop {
    http: reqwest::Client,
    url: String,
}

async fn nothing() -> HttpResponse {
    json(stand_in::BODY)
}

async fn one_command(connection: Data<MultiplexedConnection>) -> HttpResponse {
    let mut connection = connection.as_ref().clone();
    let value: Result<String, _> = cmd("GET").arg(KEY).query_async(&mut connection).await;
    value.map_or_else(|_| HttpResponse::BadGateway().finish(), json)
}

async fn one_request(hop: Data<Hop>) -> HttpResponse {
    let body = async { hop.http.get(&hop.url).send().await?.bytes().await };
    body.await
        .map_or_else(|_| HttpResponse::BadGateway().finish(), json)
}

fn json(body: impl actix_web::body::MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(body)
}
