//! A visitor with a browser and a phone, as HTTP requests to the published ports.

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::Failure;

/// A browser's side of a login: the site's address and the cookies it has set.
pub(crate) struct Visitor {
    agent: ureq::Agent,
    site: String,
    simulator: String,
    cookies: Vec<(String, String)>,
}

/// What a request was answered.
struct Answer {
    status: u16,
    body: Value,
}

impl Visitor {
    pub(crate) fn new(site: &str, simulator: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            // The ports are this machine's, whatever HTTP_PROXY says.
            .proxy(None)
            .build()
            .into();
        Self {
            agent,
            site: site.to_owned(),
            simulator: simulator.to_owned(),
            cookies: Vec::new(),
        }
    }

    /// Starts an attempt, scans its code with a follower's phone, and completes it. Returns the
    /// openid.
    pub(crate) fn log_in(&mut self, nickname: &str) -> Result<String, Failure> {
        let attempt = self.site("POST", "/api/login", 201)?;
        let content = text(&attempt, "/qr/content")?;
        self.hears_the_status()?;

        let person = json!({"nickname": nickname, "follows": true});
        let person = self.simulator("/simulator/people", &person, 201)?;
        // Not the nickname: that comes with a link which leads to this machine's ports, where the
        // simulated phone in its container can't go.
        let openid = text(&person, "/openid")?;
        let scan = format!(
            "/simulator/people/{}/scan?wait=answered",
            text(&person, "/id")?
        );
        self.simulator(&scan, &json!({"code": content}), 200)?;

        let attempt = self.site("GET", "/api/login", 200)?;
        expect(&attempt, "/status", "confirmed")?;
        let completed = self.site("POST", "/api/login/complete", 200)?;
        expect(&completed, "/user/openid", &openid)?;
        self.is_logged_in_as(&openid)?;
        Ok(openid)
    }

    /// Whether the session cookie is still good for this person.
    pub(crate) fn is_logged_in_as(&mut self, openid: &str) -> Result<(), Failure> {
        let session = self.site("GET", "/api/session", 200)?;
        expect(&session, "/user/openid", openid)
    }

    /// Whether the page itself is served, and WeChat's door is behind the same address: an unsigned
    /// request to it is refused by the gateway, not answered by the site.
    pub(crate) fn finds_page_and_callback(&mut self) -> Result<(), Failure> {
        self.site("GET", "/", 200)?;
        self.site(
            "GET",
            "/wechat/callback?signature=0&timestamp=0&nonce=0&echostr=0",
            403,
        )?;
        Ok(())
    }

    /// Whether server-sent events come through the edge at once: a proxy that collected them would
    /// answer only when the attempt ends, long after the limit for this request.
    fn hears_the_status(&self) -> Result<(), Failure> {
        let address = format!("{}/api/login/events", self.site);
        let response = self
            .agent
            .get(&address)
            .header("cookie", self.cookie_header())
            .call();
        let silent =
            |error: &dyn Display| Failure::new(format!("no event from {address}: {error}"));
        let mut body = response.map_err(|error| silent(&error))?.into_body();
        for line in BufReader::new(body.as_reader()).lines() {
            let line = line.map_err(|error| silent(&error))?;
            if line.starts_with("data:") && line.contains("pending") {
                return Ok(());
            }
        }
        Err(silent(&"the stream ended"))
    }

    fn cookie_header(&self) -> String {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        cookies.join("; ")
    }

    fn site(&mut self, method: &str, path: &str, expected: u16) -> Result<Value, Failure> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.site));
        if !self.cookies.is_empty() {
            request = request.header("cookie", self.cookie_header());
        }
        let answer = self.send(request, None)?;
        answer.expect(expected, &format!("{method} {path}"))
    }

    fn simulator(&mut self, path: &str, body: &Value, expected: u16) -> Result<Value, Failure> {
        let uri = format!("{}{path}", self.simulator);
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(uri)
            .header("content-type", "application/json");
        let answer = self.send(request, Some(body))?;
        answer.expect(expected, &format!("POST {path}"))
    }

    fn send(
        &mut self,
        request: ureq::http::request::Builder,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request
            .body(body)
            .map_err(|error| Failure::new(format!("could not build a request: {error}")))?;
        let address = request.uri().to_string();
        let unreachable =
            |error: ureq::Error| Failure::new(format!("no answer from {address}: {error}"));
        let mut response = self.agent.run(request).map_err(unreachable)?;
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie
                .to_str()
                .unwrap_or_default()
                .split(';')
                .next()
                .unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let text = response.body_mut().read_to_string().map_err(unreachable)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer {
            status: response.status().as_u16(),
            body,
        })
    }
}

impl Answer {
    fn expect(self, status: u16, request: &str) -> Result<Value, Failure> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(Failure::new(format!(
            "{request} was answered {} instead of {status}: {}",
            self.status, self.body
        )))
    }
}

fn text(body: &Value, pointer: &str) -> Result<String, Failure> {
    let value = body
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned);
    value.ok_or_else(|| Failure::new(format!("an answer has no text at {pointer}")))
}

fn expect(body: &Value, pointer: &str, expected: &str) -> Result<(), Failure> {
    let found = text(body, pointer)?;
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{pointer} is \"{found}\" instead of \"{expected}\""
    )))
}
