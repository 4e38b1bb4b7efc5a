//! One address on a browser's way, and how it is loaded.

use reqwest::header::LOCATION;
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::open_error::OpenError;

/// An address to load.
#[derive(Debug)]
pub(super) struct Visit {
    /// `GET` or `POST`, unless a redirect keeps another one.
    pub(super) method: Method,
    /// The address.
    pub(super) url: Url,
    /// A form's fields and the `Origin` that goes with them.
    pub(super) fields: Option<(String, String)>,
    /// Whether the phone loads it twice at once.
    pub(super) twice: bool,
}

impl Visit {
    /// Loads a page, once.
    pub(super) fn page(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            fields: None,
            twice: false,
        }
    }

    /// Where a redirect leads; none for a page.
    pub(super) fn redirected(&self, response: &Response) -> Result<Option<Self>, OpenError> {
        let location = response.headers().get(LOCATION);
        let Some(location) = location.filter(|_| response.status().is_redirection()) else {
            return Ok(None);
        };
        let location = location.to_str().map_err(|_| OpenError::Address)?;
        let url = self.url.join(location).map_err(|_| OpenError::Address)?;
        let keeps_method = matches!(
            response.status(),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        );
        Ok(Some(Self {
            method: if keeps_method {
                self.method.clone()
            } else {
                Method::GET
            },
            url,
            fields: self.fields.clone().filter(|_| keeps_method),
            twice: false,
        }))
    }
}
