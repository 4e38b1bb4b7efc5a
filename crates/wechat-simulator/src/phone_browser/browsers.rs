//! Everybody's browser: loads addresses with its person's cookies.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response};

use super::cookies::CookieJar;
use super::open_error::OpenError;
use super::visit::Visit;
use crate::people::Person;

/// What WeChat's browser calls itself.
const USER_AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) \
    AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60 Language/zh_CN";

/// How long one page is awaited.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many people's cookies are kept.
const BROWSERS: usize = 5_000;

/// Everybody's browser.
#[derive(Debug)]
pub(crate) struct PhoneBrowsers {
    http: Client,
    cookies: Mutex<HashMap<String, CookieJar>>,
}

impl PhoneBrowsers {
    /// Browsers without cookies.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let http = service_kit::http_client::builder()
            .user_agent(USER_AGENT)
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            cookies: Mutex::default(),
        })
    }

    /// Loads an address, and twice at once where the phone would.
    pub(super) async fn load(&self, person: &Person, visit: &Visit) -> Result<Response, OpenError> {
        if visit.twice {
            let both = tokio::join!(self.load_once(person, visit), self.load_once(person, visit));
            // The first call is one that the phone gives up; what it shows is the second.
            both.1
        } else {
            self.load_once(person, visit).await
        }
    }

    async fn load_once(&self, person: &Person, visit: &Visit) -> Result<Response, OpenError> {
        let mut request = self
            .http
            .request(visit.method.clone(), visit.url.clone())
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header(ACCEPT_LANGUAGE, "zh-CN,zh-Hans;q=0.9");
        let cookies = self.jar(person, |jar| jar.header(&visit.url));
        if let Some(cookies) = cookies {
            request = request.header(COOKIE, cookies);
        }
        if let Some((fields, origin)) = &visit.fields {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(ORIGIN, origin)
                .body(fields.clone());
        }
        let response = request.send().await.map_err(|_| OpenError::Unreachable)?;
        self.jar(person, |jar| {
            for cookie in response.headers().get_all(SET_COOKIE) {
                jar.store(&visit.url, cookie.to_str().unwrap_or_default());
            }
        });
        Ok(response)
    }

    fn jar<T>(&self, person: &Person, action: impl FnOnce(&mut CookieJar) -> T) -> T {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        if cookies.len() >= BROWSERS && !cookies.contains_key(&person.id) {
            cookies.clear();
        }
        action(cookies.entry(person.id.clone()).or_default())
    }
}
