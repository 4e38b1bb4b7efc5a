//! The gateway as the site knows it: somebody who makes QR codes and knows who came back from WeChat.

use std::time::Duration;

use actix_web::http::StatusCode;
use login_protocol::{
    gateway_api::{
        BeginWebAuthorization, COMPLETE_WEB_AUTHORIZATION, CompleteWebAuthorization, CreateQrCode,
        DISCARD_WEB_AUTHORIZATION, DiscardWebAuthorization, QR_CODES, QrCode, WEB_AUTHORIZATIONS,
        WebAuthorizationBegun, WebAuthorizationCompleted,
    },
    problem::ProblemCode,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use service_kit::{
    problem::Problem,
    request_id::{self, REQUEST_ID},
};
use url::Url;

/// How long the gateway may take: longer than it waits for WeChat, so that its own words arrive.
const TIMEOUT: Duration = Duration::from_secs(9);

/// A client of the gateway's internal API.
pub struct GatewayClient {
    http: reqwest::Client,
    url: Url,
    api_key: SecretString,
}

/// What is read of the gateway's problems.
#[derive(Deserialize)]
struct Reason {
    code: ProblemCode,
}

impl GatewayClient {
    /// A client for the gateway at this address. Nothing connects yet.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(url: Url, api_key: SecretString) -> reqwest::Result<Self> {
        Ok(Self {
            http: service_kit::http_client::build(TIMEOUT)?,
            url,
            api_key,
        })
    }

    /// Asks for a QR code.
    ///
    /// # Errors
    ///
    /// A problem for the browser; the log says what the operator should know.
    pub async fn create_qr_code(&self, request: &CreateQrCode) -> Result<QrCode, Problem> {
        let sent = self.send(QR_CODES, request).await;
        let response = sent.map_err(|error| unreachable(&error.without_url()))?;
        if request.client_logins.is_some() && response.status() == StatusCode::BAD_REQUEST.as_u16()
        {
            // A gateway of a version that doesn't know this member refuses the request for it.
            let as_before = CreateQrCode {
                client_logins: None,
                ..request.clone()
            };
            return self.post(QR_CODES, &as_before).await;
        }
        self.answer(QR_CODES, response).await
    }

    /// Asks where to send a browser that runs inside WeChat.
    ///
    /// # Errors
    ///
    /// A problem for the browser; the log says what the operator should know.
    pub async fn begin_web_authorization(
        &self,
        request: &BeginWebAuthorization,
    ) -> Result<WebAuthorizationBegun, Problem> {
        self.post(WEB_AUTHORIZATIONS, request).await
    }

    /// Has the attempt confirmed for the person who came back with a code.
    ///
    /// # Errors
    ///
    /// A problem whose code says why not; the log says what the operator should know.
    pub async fn complete_web_authorization(
        &self,
        request: &CompleteWebAuthorization,
    ) -> Result<WebAuthorizationCompleted, Problem> {
        self.post(COMPLETE_WEB_AUTHORIZATION, request).await
    }

    /// Has a code made good for nobody that logs nobody in. Nobody waits for it, and strangers can bring
    /// any number, so failures are told at the level of debugging: what needs the gateway says them aloud.
    /// A gateway of an older version answers 404, and the code ends by itself within five minutes.
    pub async fn discard_web_authorization(&self, request: &DiscardWebAuthorization) {
        match self.send(DISCARD_WEB_AUTHORIZATION, request).await {
            Ok(response) if response.status() == StatusCode::ACCEPTED.as_u16() => {}
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::debug!(status, "the gateway didn't discard a code");
            }
            Err(error) => {
                let error = error.without_url();
                tracing::debug!(%error, "a code can't be discarded: the gateway can't be reached");
            }
        }
    }

    async fn send(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let mut post = self
            .http
            .post(url)
            .bearer_auth(self.api_key.expose_secret())
            .json(body);
        if let Some(id) = request_id::current() {
            post = post.header(REQUEST_ID.as_str(), id.as_bytes());
        }
        post.send().await
    }

    async fn post<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, Problem> {
        let sent = self.send(path, body).await;
        let response = sent.map_err(|error| unreachable(&error.without_url()))?;
        self.answer(path, response).await
    }

    async fn answer<Answer: DeserializeOwned>(
        &self,
        path: &str,
        response: reqwest::Response,
    ) -> Result<Answer, Problem> {
        match response.status().as_u16() {
            200 | 201 => response
                .json()
                .await
                .map_err(|error| unreachable(&error.without_url())),
            401 => {
                tracing::error!(
                    "the gateway refused the API key: compare gateway.api_key with its internal.api_key"
                );
                Err(unavailable(ProblemCode::GatewayUnavailable, None))
            }
            status => Err(refused(path, status, response).await),
        }
    }
}

async fn refused(path: &str, status: u16, response: reqwest::Response) -> Problem {
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let code = response
        .json::<Reason>()
        .await
        .map(|reason| reason.code)
        .ok();
    // What a visitor can bring about by himself is no fault of the gateway's.
    if let Some(
        code @ (ProblemCode::AuthorizationCodeSpent
        | ProblemCode::SnapshotPage
        | ProblemCode::ConsentMissing
        | ProblemCode::LoginExpired
        | ProblemCode::TooManyLogins),
    ) = code
    {
        let detail = if code == ProblemCode::TooManyLogins {
            "Too many logins were started from this address. Wait a moment and try again."
        } else {
            "This login can't be completed. Start again."
        };
        let problem = Problem::new(code, detail);
        return match retry_after {
            Some(seconds) => problem.retry_after(Duration::from_secs(seconds)),
            None => problem,
        };
    }
    tracing::error!(path, status, ?code, "the gateway refused a request");
    let code = code.filter(|code| {
        matches!(
            code,
            ProblemCode::WechatUnavailable
                | ProblemCode::WechatAnswerUnusable
                | ProblemCode::WechatRefused
                | ProblemCode::DailyCodesUsedUp
        )
    });
    unavailable(
        code.unwrap_or(ProblemCode::GatewayUnavailable),
        retry_after.map(Duration::from_secs),
    )
}

fn unreachable(error: &reqwest::Error) -> Problem {
    tracing::error!(%error, "the gateway can't be reached");
    unavailable(ProblemCode::GatewayUnavailable, None)
}

fn unavailable(code: ProblemCode, retry_after: Option<Duration>) -> Problem {
    let detail = "Logging in with WeChat isn't possible right now. Try again later.";
    Problem::new(code, detail)
        .with_status(StatusCode::SERVICE_UNAVAILABLE)
        .retry_after(retry_after.unwrap_or(Duration::from_secs(5)))
}
