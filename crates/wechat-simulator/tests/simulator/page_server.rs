//! A page's server: what a phone comes back to from web authorisation.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use url::Url;

/// One request: the method, the address and some headers.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) user_agent: String,
    pub(crate) origin: Option<String>,
    pub(crate) body: String,
}

/// A server on a free port; it ends with the test.
pub(crate) struct PageServer {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl PageServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let record = Data::from(Arc::clone(&seen));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(record.clone())
                .default_service(web::to(answer))
        });
        let server = server.workers(1).listen(listener).unwrap().run();
        tokio::spawn(server);
        Self { address, seen }
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The codes that arrived at `/return`.
    pub(crate) fn codes(&self) -> Vec<String> {
        let seen = self.seen();
        let returned = seen.iter().filter(|seen| seen.url.path() == "/return");
        returned
            .map(|seen| parameter(&seen.url, "code").unwrap())
            .collect()
    }
}

/// A parameter of an address.
pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

async fn answer(request: HttpRequest, body: Bytes, seen: Data<Mutex<Vec<Seen>>>) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let url = Url::parse(&format!(
        "http://{}{}",
        header("host").unwrap(),
        request.uri()
    ))
    .unwrap();
    seen.lock().unwrap().push(Seen {
        method: request.method().to_string(),
        url: url.clone(),
        user_agent: header("user-agent").unwrap_or_default(),
        origin: header("origin"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let signed_in = header("cookie").is_some_and(|cookies| cookies.contains("session=1"));
    match (url.path(), request.method().as_str()) {
        ("/start", _) => found(&parameter(&url, "to").unwrap()),
        ("/return", _) => {
            let mut response = found("page");
            let cookie = actix_web::cookie::Cookie::new("session", "1");
            response.add_cookie(&cookie).unwrap();
            response
        }
        ("/page", "GET") if signed_in => HttpResponse::Ok()
            .insert_header(("Referrer-Policy", "no-referrer"))
            .body(
                "<form method=\"post\" action=\"\"><input type=\"hidden\" name=\"ticket\" value=\"T\">\
                 <button name=\"decision\" value=\"confirm\">确认</button></form>",
            ),
        ("/page", "POST") if signed_in => found("/done"),
        ("/done", _) => HttpResponse::Ok().body("done"),
        ("/loop", _) => found("/loop"),
        _ => HttpResponse::Forbidden().body("nobody"),
    }
}

fn found(to: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header(("Location", to))
        .finish()
}
