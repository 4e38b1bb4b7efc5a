//! The gateway as the site knows it: somebody who makes QR codes and knows who came back from
//! WeChat.

use std::time::Duration;

use hyper::{
    HeaderMap, Response, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
};
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
use service_kit::{http_client, request_id};
use tokio::time::timeout;
use url::{Host, Position, Url};

use crate::gateway_connections::{self, ExchangeError, GatewayConnections};

/// How long the gateway may take: longer than it waits for WeChat, so that its own error arrives.
const TIMEOUT: Duration = Duration::from_secs(9);

/// A client of the gateway's internal API.
pub struct GatewayClient {
    url: Url,
    headers: HeaderMap,
    transport: Transport,
}

/// How requests get there.
enum Transport {
    /// Over warm connections of each worker's own.
    Http(Box<GatewayConnections>),
    /// Encrypted, and so over networks that cost more than what is saved here.
    Https(reqwest::Client),
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
    /// The connection failed.
    #[error(transparent)]
    Http(#[from] ExchangeError),
    /// The encrypted connection failed.
    #[error("{0}")]
    Https(reqwest::Error),
    /// The answer isn't a gateway's.
    #[error("the answer can't be read: {0}")]
    Json(serde_json::Error),
    /// There was none in time.
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
}

impl From<reqwest::Error> for Unreachable {
    fn from(error: reqwest::Error) -> Self {
        Self::Https(error.without_url())
    }
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
    /// When no HTTP client can be created.
    pub fn new(url: Url, api_key: &SecretString) -> reqwest::Result<Self> {
        let transport = match (url.scheme(), url.host(), url.port_or_known_default()) {
            ("http", Some(host), Some(port)) => {
                // Brackets are for addresses with a port behind them.
                let host = match host {
                    Host::Ipv6(address) => address.to_string(),
                    host => host.to_string(),
                };
                Transport::Http(Box::new(GatewayConnections::new(host, port)))
            }
            _ => Transport::Https(http_client::build(TIMEOUT)?),
        };
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", api_key.expose_secret()));
        if let Ok(key) = &mut bearer {
            key.set_sensitive(true);
        }
        let values = [
            (AUTHORIZATION, bearer.ok()),
            (
                HOST,
                HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).ok(),
            ),
            (
                USER_AGENT,
                Some(HeaderValue::from_static(http_client::AGENT)),
            ),
            (
                CONTENT_TYPE,
                Some(HeaderValue::from_static("application/json")),
            ),
        ];
        // Settings have no key and no host that a header couldn't hold.
        headers.extend(
            values
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Ok(Self {
            url,
            headers,
            transport,
        })
    }

    /// Asks for a QR code.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`].
    pub async fn create_qr_code(&self, request: &CreateQrCode) -> Result<QrCode, GatewayError> {
        let response = self.send(QR_CODES, request).await?;
        if request.client_logins.is_some() && response.status() == StatusCode::BAD_REQUEST {
            // A gateway of a version that doesn't know this member refuses the request for it.
            let as_before = CreateQrCode {
                client_logins: None,
                ..request.clone()
            };
            return self.post(QR_CODES, &as_before).await;
        }
        answer(QR_CODES, &response)
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
            Ok(response) if response.status() == StatusCode::ACCEPTED => {}
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::debug!(status, "the gateway didn't discard a code");
            }
            Err(error) => {
                tracing::debug!(%error, "a code can't be discarded: the gateway can't be reached");
            }
        }
    }

    async fn send(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Response<Bytes>, Unreachable> {
        let body = serde_json::to_vec(body).map_err(Unreachable::Json)?;
        let path = [self.url.path().trim_end_matches('/'), path].concat();
        let mut headers = self.headers.clone();
        if let Some(id) = request_id::current()
            && let Ok(id) = HeaderValue::from_bytes(id.as_bytes())
        {
            headers.insert(HeaderName::from_static(request_id::NAME), id);
        }
        let sending = async {
            match &self.transport {
                Transport::Http(connections) => Ok(connections.post(&path, headers, body).await?),
                Transport::Https(client) => {
                    let mut url = self.url.clone();
                    url.set_path(&path);
                    let sent = client.post(url).headers(headers).body(body).send();
                    // In a box, since it is large and rare.
                    let (head, body) = Response::from(Box::pin(sent).await?).into_parts();
                    let body = gateway_connections::whole(body).await?;
                    Ok(Response::from_parts(head, body))
                }
            }
        };
        let sent = timeout(TIMEOUT, sending).await;
        sent.unwrap_or(Err(Unreachable::Timeout))
    }

    async fn post<Answer: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<Answer, GatewayError> {
        let response = self.send(path, body).await?;
        answer(path, &response)
    }
}

fn answer<Answer: DeserializeOwned>(
    path: &'static str,
    response: &Response<Bytes>,
) -> Result<Answer, GatewayError> {
    match response.status() {
        StatusCode::OK | StatusCode::CREATED => {
            Ok(serde_json::from_slice(response.body()).map_err(Unreachable::Json)?)
        }
        StatusCode::UNAUTHORIZED => Err(GatewayError::ApiKey),
        _ => Err(refused(path, response)),
    }
}

fn refused(path: &'static str, response: &Response<Bytes>) -> GatewayError {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let reason = serde_json::from_slice::<Reason>(response.body()).ok();
    match reason.map(|reason| reason.code) {
        Some(ProblemCode::TooManyLogins) => GatewayError::TooManyLogins { retry_after },
        Some(ProblemCode::AuthorizationCodeSpent) => GatewayError::SpentCode,
        Some(ProblemCode::SnapshotPage) => GatewayError::Snapshot,
        Some(ProblemCode::ConsentMissing) => GatewayError::ConsentMissing,
        Some(ProblemCode::LoginExpired) => GatewayError::AttemptOver,
        code => GatewayError::Refused {
            path,
            status,
            code,
            retry_after,
        },
    }
}
