//! A browser over plain HTTP: cookies, and nothing else that a test doesn't ask for.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::{
    Client, Method, Response, StatusCode,
    header::{COOKIE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE},
};
use serde_json::Value;

use crate::deadline::{PATIENCE, eventually};

/// The site's cookie of the attempt, without https.
pub const ATTEMPT_COOKIE: &str = "wechat-login";
/// The site's cookie of the session, without https.
pub const SESSION_COOKIE: &str = "wechat-session";

/// Processes that do the same, which requests reach in turn, as through an edge.
#[derive(Debug)]
pub struct Replicas {
    urls: Vec<String>,
    turn: AtomicUsize,
}

impl Replicas {
    /// Those at these addresses, which have no path.
    pub fn new(urls: Vec<String>) -> Self {
        Self {
            urls,
            turn: AtomicUsize::new(0),
        }
    }

    /// Each of them once, beginning with the one whose turn it is: one that takes no connection is
    /// passed over.
    pub fn in_turn(&self) -> impl Iterator<Item = &str> {
        self.urls.iter().map(|_| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            self.urls[turn % self.urls.len()].as_str()
        })
    }
}

/// A browser of its own.
#[derive(Debug, Clone)]
pub struct Visitor {
    http: Client,
    site: Arc<Replicas>,
    cookies: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

impl Answer {
    /// The seconds of `Retry-After`.
    pub fn retry_after(&self) -> Option<u64> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
    }
}

impl Visitor {
    /// Visits the site at this address.
    pub fn new(site: &str) -> Self {
        let http = service_kit::http_client::build(PATIENCE).expect("a client can be made");
        Self::behind(http, Arc::new(Replicas::new(vec![site.to_owned()])))
    }

    /// Visits the replicas of a site in turn, over connections that it shares with others.
    pub fn behind(http: Client, site: Arc<Replicas>) -> Self {
        Self {
            http,
            site,
            cookies: BTreeMap::new(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Goes on at another replica with the same cookies.
    pub fn move_to(&mut self, site: &str) {
        self.site = Arc::new(Replicas::new(vec![site.to_owned()]));
    }

    /// Sends this header from now on.
    pub fn set_header(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(HeaderName::from_static(name), value);
    }

    /// The cookies it holds, by name.
    pub fn cookies(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.cookies
    }

    /// Sends a request and returns the answer with its body unread.
    pub async fn send(&mut self, method: Method, path: &str) -> Response {
        let response = self.try_send(method, path).await;
        response.expect("the site answers")
    }

    /// Sends a request to the next replica that takes the connection; `None` when no answer comes,
    /// as from a site that dies.
    pub async fn try_send(&mut self, method: Method, path: &str) -> Option<Response> {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let replicas = Arc::clone(&self.site);
        for site in replicas.in_turn() {
            let mut request = self
                .http
                .request(method.clone(), format!("{site}{path}"))
                .headers(self.headers.clone());
            if !cookies.is_empty() {
                request = request.header(COOKIE, cookies.join("; "));
            }
            if let Some(body) = &self.body {
                request = request.body(body.clone());
            }
            match request.send().await {
                Ok(response) => {
                    self.keep_cookies(&response);
                    return Some(response);
                }
                Err(error) if error.is_connect() => {}
                Err(_) => return None,
            }
        }
        None
    }

    fn keep_cookies(&mut self, response: &Response) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("cookies are plain");
            let (name, value) = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a cookie is a pair");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Sends a request and reads the answer.
    pub async fn call(&mut self, method: Method, path: &str) -> Answer {
        let answer = self.try_call(method, path).await;
        answer.expect("the site answers")
    }

    /// Sends a form as pressing a button does, and reads the answer.
    pub async fn post_form(&mut self, path: &str, fields: String) -> Answer {
        let answer = self.try_post_form(path, fields).await;
        answer.expect("the site answers")
    }

    /// The same; `None` when no answer comes, or not all of it.
    pub async fn try_post_form(&mut self, path: &str, fields: String) -> Option<Answer> {
        let before = self.headers.clone();
        self.set_header("content-type", "application/x-www-form-urlencoded");
        self.body = Some(fields);
        let answer = self.try_call(Method::POST, path).await;
        (self.headers, self.body) = (before, None);
        answer
    }

    /// Sends a request and reads the answer; `None` when none comes, or not all of it.
    pub async fn try_call(&mut self, method: Method, path: &str) -> Option<Answer> {
        let response = self.try_send(method, path).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.ok()?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Answer {
            status,
            headers,
            text,
            json,
        })
    }

    /// Opens the modal and returns what the QR code encodes.
    pub async fn start_login(&mut self) -> String {
        let answer = self.call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json["qr"]["content"]
            .as_str()
            .expect("the answer holds the code's content")
            .to_owned()
    }

    /// Where the attempt stands.
    pub async fn status(&mut self) -> String {
        let answer = self.call(Method::GET, "/api/login").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["status"]
            .as_str()
            .expect("the answer holds the status")
            .to_owned()
    }

    /// Waits for this status by asking.
    pub async fn status_becomes(&mut self, expected: &str) {
        eventually(&format!("the attempt is {expected}"), async || {
            (self.status().await == expected).then_some(())
        })
        .await;
    }

    /// Completes the login and returns who is signed in.
    pub async fn complete(&mut self) -> Value {
        let answer = self.call(Method::POST, "/api/login/complete").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["user"].clone()
    }

    /// Who is signed in.
    pub async fn session(&mut self) -> Option<Value> {
        let answer = self.call(Method::GET, "/api/session").await;
        (answer.status == 200).then(|| answer.json["user"].clone())
    }

    /// Opens the event stream.
    pub async fn events(&mut self) -> Events {
        let events = self.try_events().await;
        events.expect("the site opens a stream")
    }

    /// Opens the event stream; `None` when it is refused or nobody answers.
    pub async fn try_events(&mut self) -> Option<Events> {
        let response = self.try_send(Method::GET, "/api/login/events").await?;
        (response.status() == 200).then_some(Events {
            response,
            unread: String::new(),
        })
    }
}

/// An open event stream.
#[derive(Debug)]
pub struct Events {
    response: Response,
    unread: String,
}

impl Events {
    /// The next status; `None` when the stream has ended.
    pub async fn next_status(&mut self) -> Option<String> {
        loop {
            while let Some(end) = self.unread.find("\n\n") {
                let event: String = self.unread.drain(..end + 2).collect();
                let data = event
                    .lines()
                    .find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
                if let Some(data) = data {
                    let data: Value = serde_json::from_str(&data).expect("an event's data is JSON");
                    return Some(
                        data["status"]
                            .as_str()
                            .expect("it holds a status")
                            .to_owned(),
                    );
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("news within the deadline");
            let chunk = chunk.ok().flatten()?;
            self.unread
                .push_str(std::str::from_utf8(&chunk).expect("events are text"));
        }
    }
}
