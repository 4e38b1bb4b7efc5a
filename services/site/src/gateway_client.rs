//! The gateway as the site knows it: somebody who makes QR codes and knows who came back from
//! WeChat.

use std::time::Duration;

use actix_web::web::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use login_protocol::{
    account_picture::{ACCOUNT_PICTURE, LARGEST as LARGEST_PICTURE, PictureName},
    gateway_api::{
        BeginWebAuthorization, COMPLETE_WEB_AUTHORIZATION, CompleteWebAuthorization, CreateQrCode,
        DISCARD_WEB_AUTHORIZATION, DiscardWebAuthorization, QR_CODES, QrCode, WEB_AUTHORIZATIONS,
        WebAuthorizationBegun, WebAuthorizationCompleted,
    },
    login_prompt::{CreateLoginPrompt, LOGIN_PROMPTS, LoginPrompt},
    problem::ProblemCode,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use service_kit::{
    http_calls::{Answer, CallError, HttpCalls},
    request_id,
    trace_context::TRACEPARENT,
    traces,
};
use url::Url;

/// How long the gateway may take: longer than it waits for WeChat, so that its own error arrives.
const TIMEOUT: Duration = Duration::from_secs(9);

/// As much as is read of an answer, in bytes.
const LARGEST: usize = 64 * 1024;

/// A client of the gateway's internal API.
pub struct GatewayClient {
    calls: HttpCalls,
    headers: HeaderMap,
}

/// Why the gateway didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Too many logins began, from this client or for this attempt.
    #[error("too many requests to the gateway")]
    TooManyLogins {
        /// Until it may be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The code was spent or is too old.
    #[error("the code was already used or has expired")]
    SpentCode,
    /// The page was opened as a snapshot.
    #[error("the page was opened as a snapshot")]
    Snapshot,
    /// The person wasn't asked for what a login needs.
    #[error("there is no consent")]
    ConsentMissing,
    /// The attempt is over, or somebody else's.
    #[error("the attempt is over")]
    AttemptOver,
    /// The owner banned the person.
    #[error("the user is banned")]
    Banned,
    /// The account has no web authorisation.
    #[error("the account has no web authorisation")]
    NoWebAuthorization,
    /// It refused for a reason that isn't the visitor's doing.
    #[error("the gateway refused a request")]
    Refused {
        /// What it was asked for.
        path: &'static str,
        /// The answer's status.
        status: StatusCode,
        /// Its problem's code, if there is one that this version knows.
        code: Option<ProblemCode>,
        /// Until it may be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// It doesn't know the API key.
    #[error("the gateway refused the API key: compare gateway.api_key with its internal.api_key")]
    ApiKey,
    /// It can't be reached, or its answer can't be read.
    #[error("the gateway can't be reached: {0}")]
    Unreachable(#[from] Unreachable),
}

/// Why there is no answer, or none that could be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// There is none.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer isn't a gateway's.
    #[error("the answer can't be read: {0}")]
    Json(serde_json::Error),
}

/// What is read of the gateway's problems.
#[derive(Deserialize)]
struct Reason {
    code: ProblemCode,
}

impl GatewayClient {
    /// A client for the gateway at this URL. Connects lazily.
    ///
    /// # Errors
    ///
    /// When the system's certificates can't be read, which an `https` URL needs.
    pub fn new(
        url: &Url,
        api_key: &SecretString,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", api_key.expose_secret()))?;
        bearer.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        Ok(Self {
            calls: HttpCalls::new(url, None, TIMEOUT)?,
            headers: HeaderMap::from_iter([(AUTHORIZATION, bearer), (CONTENT_TYPE, json)]),
        })
    }

    /// Asks for a QR code.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn create_qr_code(&self, request: &CreateQrCode) -> Result<QrCode, GatewayError> {
        let response = self.send(QR_CODES, request).await?;
        if request.client_logins.is_some() && response.status == StatusCode::BAD_REQUEST {
            // A gateway of a version that doesn't know this member refuses the request for it.
            let as_before = CreateQrCode {
                client_logins: None,
                ..request.clone()
            };
            return self.post(QR_CODES, &as_before).await;
        }
        answer(QR_CODES, &response)
    }

    /// Asks what the visitor of an attempt is shown.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn create_login_prompt(
        &self,
        request: &CreateLoginPrompt,
    ) -> Result<LoginPrompt, GatewayError> {
        self.post(LOGIN_PROMPTS, request).await
    }

    /// Asks where to send a browser that runs inside WeChat.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn begin_web_authorization(
        &self,
        request: &BeginWebAuthorization,
    ) -> Result<WebAuthorizationBegun, GatewayError> {
        self.post(WEB_AUTHORIZATIONS, request).await
    }

    /// Has the attempt confirmed for the person who came back with a code.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn complete_web_authorization(
        &self,
        request: &CompleteWebAuthorization,
    ) -> Result<WebAuthorizationCompleted, GatewayError> {
        self.post(COMPLETE_WEB_AUTHORIZATION, request).await
    }

    /// Has a code invalidated that logs nobody in. Nobody waits for it, and strangers can submit
    /// any number, so failures are logged at debug level: calls that need the gateway report them.
    /// A gateway of an older version answers 404, and the code expires by itself within five
    /// minutes.
    pub async fn discard_web_authorization(&self, request: &DiscardWebAuthorization) {
        match self.send(DISCARD_WEB_AUTHORIZATION, request).await {
            Ok(response) if response.status == StatusCode::ACCEPTED => {}
            Ok(response) => {
                let status = response.status.as_u16();
                tracing::debug!(status, "the gateway didn't discard a code");
            }
            Err(error) => {
                tracing::debug!(%error, "a code can't be discarded: the gateway can't be reached");
            }
        }
    }

    /// The picture of an account's own QR code that has this name. `None`: the gateway has none.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn account_picture(&self, name: &PictureName) -> Result<Option<Bytes>, GatewayError> {
        let path = ACCOUNT_PICTURE.replace("{name}", &name.to_string());
        let body = Bytes::new();
        let response = self
            .call(Method::GET, ACCOUNT_PICTURE, &path, body, LARGEST_PICTURE)
            .await?;
        match response.status {
            StatusCode::OK => Ok(Some(response.body)),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => Err(GatewayError::ApiKey),
            _ => Err(refused(ACCOUNT_PICTURE, &response)),
        }
    }

    async fn send(&self, path: &'static str, body: &impl Serialize) -> Result<Answer, Unreachable> {
        let body = serde_json::to_vec(body).map_err(Unreachable::Json)?;
        self.call(Method::POST, path, path, body.into(), LARGEST)
            .await
    }

    async fn call(
        &self,
        method: Method,
        template: &'static str,
        path: &str,
        body: Bytes,
        limit: usize,
    ) -> Result<Answer, Unreachable> {
        let mut headers = self.headers.clone();
        if let Some(id) = request_id::current()
            && let Ok(id) = HeaderValue::from_bytes(id.as_bytes())
        {
            headers.insert(HeaderName::from_static(request_id::NAME), id);
        }
        let span = traces::call(template);
        if let Some(span) = &span
            && let Ok(trace) = HeaderValue::try_from(span.traceparent())
        {
            headers.insert(HeaderName::from_static(TRACEPARENT), trace);
        }
        let answered = self.calls.call(method, path, headers, body, limit).await;
        if let Some(span) = span {
            let span = span.with("peer.service", "wechat-gateway");
            let span = span.with("url.template", template);
            match &answered {
                Ok(answer) => {
                    let status = answer.status;
                    let span = span.with_number("http.response.status_code", status.as_u16());
                    if status.is_client_error() || status.is_server_error() {
                        span.failed();
                    } else {
                        span.succeeded();
                    }
                }
                Err(_) => span.with("error.type", "unreachable").failed(),
            }
        }
        Ok(answered?)
    }

    async fn post<Body: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<Body, GatewayError> {
        let response = self.send(path, body).await?;
        answer(path, &response)
    }
}

fn answer<Body: DeserializeOwned>(
    path: &'static str,
    response: &Answer,
) -> Result<Body, GatewayError> {
    match response.status {
        StatusCode::OK | StatusCode::CREATED => {
            Ok(serde_json::from_slice(&response.body).map_err(Unreachable::Json)?)
        }
        StatusCode::UNAUTHORIZED => Err(GatewayError::ApiKey),
        _ => Err(refused(path, response)),
    }
}

fn refused(path: &'static str, response: &Answer) -> GatewayError {
    let status = response.status;
    let retry_after = response
        .headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let reason = serde_json::from_slice::<Reason>(&response.body).ok();
    match reason.map(|reason| reason.code) {
        Some(ProblemCode::TooManyLogins) => GatewayError::TooManyLogins { retry_after },
        Some(ProblemCode::AuthorizationCodeSpent) => GatewayError::SpentCode,
        Some(ProblemCode::SnapshotPage) => GatewayError::Snapshot,
        Some(ProblemCode::ConsentMissing) => GatewayError::ConsentMissing,
        Some(ProblemCode::LoginExpired) => GatewayError::AttemptOver,
        Some(ProblemCode::Banned) => GatewayError::Banned,
        Some(ProblemCode::NoWebAuthorization) => GatewayError::NoWebAuthorization,
        code => GatewayError::Refused {
            path,
            status,
            code,
            retry_after,
        },
    }
}
