//! A page that a browser shows, and the button on it.

use std::collections::HashMap;

use reqwest::header::REFERRER_POLICY;
use reqwest::{Method, Response};
use url::Url;

use super::form::Form;
use super::open_error::OpenError;
use super::visit::Visit;

/// How much of a page is read; the rest is cut.
const LIMIT: usize = 1024 * 1024;

/// What the phone shows.
#[derive(Debug)]
pub(super) struct Page {
    /// Its status; 0 where it wasn't loaded.
    pub(super) status: u16,
    /// Its address.
    pub(super) url: Url,
    /// Its text.
    pub(super) body: String,
    no_referrer: bool,
}

impl Page {
    /// One of WeChat's own.
    pub(super) fn of_wechat(url: Url, body: String) -> Self {
        Self {
            status: 200,
            url,
            body,
            no_referrer: true,
        }
    }

    /// The return address that the phone doesn't load.
    pub(super) fn unread(url: Url) -> Self {
        Self {
            status: 0,
            url,
            body: String::new(),
            no_referrer: true,
        }
    }

    /// Reads the page at this address.
    pub(super) async fn read(mut response: Response, url: Url) -> Result<Self, OpenError> {
        let policy = response.headers().get(REFERRER_POLICY);
        let no_referrer = policy.is_some_and(|policy| policy == "no-referrer");
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| OpenError::Unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() >= LIMIT {
                body.truncate(LIMIT);
                break;
            }
        }
        Ok(Self {
            status,
            url,
            body: String::from_utf8_lossy(&body).into_owned(),
            no_referrer,
        })
    }

    /// The visit that pressing a button of the page's form makes.
    pub(super) fn submission(
        &self,
        form: &Form,
        pressed: &HashMap<String, String>,
    ) -> Result<Visit, OpenError> {
        let fields = form.filled(pressed)?;
        let mut url = self.url.clone();
        url.set_fragment(None);
        // An empty action is the page's own address.
        if !form.action.is_empty() {
            url = url.join(&form.action).map_err(|_| OpenError::Address)?;
        }
        if !form.post {
            url.set_query(Some(&fields));
            return Ok(Visit::page(url));
        }
        // Browsers keep the origin to themselves on a page that allows no referrer (Fetch, "append
        // a request `Origin` header").
        let origin = if self.no_referrer {
            "null".to_owned()
        } else {
            self.url.origin().ascii_serialization()
        };
        Ok(Visit {
            method: Method::POST,
            fields: Some((fields, origin)),
            ..Visit::page(url)
        })
    }
}
