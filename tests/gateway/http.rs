//! Requests to a gateway's listeners, and what a problem looks like.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::OnceLock,
};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use system_tests::{
    deadline::PATIENCE,
    stack::{API_KEY, Plan, Service, Stack},
    visitor::Answer,
};

/// A system without a site.
pub(crate) async fn start(plan: Plan) -> Stack {
    plan.sites(0).start().await
}

/// One client for all tests. It keeps no connection, since each test has a runtime of its own.
pub(crate) fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        service_kit::http_client::builder()
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .build()
            .expect("a client can be made")
    })
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("the answer has a body");
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        text,
        json,
    }
}

/// Sends a request and reads the answer.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    read(request.send().await.expect("the gateway answers")).await
}

/// A request to the internal listener, with the key.
pub(crate) fn internal(gateway: &Service, method: Method, path: &str) -> RequestBuilder {
    client()
        .request(method, format!("{}{path}", gateway.internal))
        .bearer_auth(API_KEY)
}

/// Gets an internal address, with the key.
pub(crate) async fn get(gateway: &Service, path: &str) -> Answer {
    send(internal(gateway, Method::GET, path)).await
}

/// Posts JSON to an internal address, with the key.
pub(crate) async fn post(gateway: &Service, path: &str, body: &Value) -> Answer {
    send(internal(gateway, Method::POST, path).json(body)).await
}

/// A header's text; empty without it.
pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().expect("headers are plain"))
}

/// Checks that the answer is this problem, in the form of RFC 9457.
#[track_caller]
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(header(answer, "content-type"), "application/problem+json");
    assert_eq!(answer.json["code"], code, "{}", answer.text);
    assert_eq!(answer.json["status"], status, "{}", answer.text);
    for member in ["title", "detail"] {
        let text = answer.json[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{}", answer.text);
    }
    assert_eq!(header(answer, "cache-control"), "no-store");
}

/// The seconds of `Retry-After`; 0 without it.
pub(crate) fn retry_after(answer: &Answer) -> u32 {
    header(answer, "retry-after").parse().unwrap_or(0)
}

/// Sends these bytes to a listener and returns all that comes back until it closes the connection.
pub(crate) async fn exchange(listener: &str, bytes: Vec<u8>) -> String {
    let address = listener.replace("http://", "");
    let exchanged = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // An answer can come before all is sent.
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .expect("the connection is closed in the end");
        String::from_utf8_lossy(&answer).into_owned()
    });
    exchanged.await.expect("the thread ends")
}

/// The gateway's metrics, in Prometheus' text.
pub(crate) async fn figures(gateway: &Service) -> String {
    send(client().get(format!("{}/metrics", gateway.internal)))
        .await
        .text
}
