//! The gateway as the site knows it: somebody who makes QR codes.

use std::time::Duration;

use actix_web::http::{StatusCode, header::HeaderValue};
use login_protocol::{
    gateway_api::{CreateQrCode, QR_CODES, QrCode},
    problem::ProblemCode,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use service_kit::{access_log::REQUEST_ID, problem::Problem};
use url::Url;

/// How long the gateway may take: longer than it waits for WeChat, so that its own words arrive.
const TIMEOUT: Duration = Duration::from_secs(9);

/// A client of the gateway's internal API.
pub struct GatewayClient {
    http: reqwest::Client,
    qr_codes: Url,
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
    pub fn new(mut url: Url, api_key: SecretString) -> reqwest::Result<Self> {
        url.set_path(&format!("{}{QR_CODES}", url.path().trim_end_matches('/')));
        Ok(Self {
            http: service_kit::http_client::build(TIMEOUT)?,
            qr_codes: url,
            api_key,
        })
    }

    /// Asks for a QR code.
    ///
    /// # Errors
    ///
    /// A problem for the browser; the log says what the operator should know.
    pub async fn create_qr_code(
        &self,
        request: &CreateQrCode,
        request_id: HeaderValue,
    ) -> Result<QrCode, Problem> {
        let sent = self
            .http
            .post(self.qr_codes.clone())
            .bearer_auth(self.api_key.expose_secret())
            .header(REQUEST_ID.as_str(), request_id.as_bytes())
            .json(request)
            .send()
            .await;
        let response = sent.map_err(|error| unreachable(&error.without_url()))?;
        match response.status().as_u16() {
            201 => response
                .json()
                .await
                .map_err(|error| unreachable(&error.without_url())),
            401 => {
                tracing::error!(
                    "the gateway refused the API key: compare gateway.api_key with its internal.api_key"
                );
                Err(unavailable(ProblemCode::GatewayUnavailable, None))
            }
            status => Err(self.refused(status, response).await),
        }
    }

    async fn refused(&self, status: u16, response: reqwest::Response) -> Problem {
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let code = response
            .json::<Reason>()
            .await
            .map(|reason| reason.code)
            .ok();
        tracing::error!(status, ?code, "the gateway made no QR code");
        let code = code.filter(|code| {
            matches!(
                code,
                ProblemCode::WechatUnavailable | ProblemCode::WechatRefused
            )
        });
        unavailable(
            code.unwrap_or(ProblemCode::GatewayUnavailable),
            retry_after.map(Duration::from_secs),
        )
    }
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
