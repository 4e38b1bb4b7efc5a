//! Creating QR codes.

use std::sync::Arc;

use jiff::SignedDuration;
use login_protocol::gateway_api::{CreateQrCode, QrCode};
use service_kit::clock::Clock;

use super::{
    access_tokens::AccessTokens,
    api::Api,
    error::WechatError,
    patience::{FOR_ALL, patiently},
};

/// Creates temporary codes with a string scene.
pub struct QrCodes {
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    clock: Clock,
}

impl QrCodes {
    /// Codes of this account.
    pub const fn new(api: Arc<Api>, tokens: Arc<AccessTokens>, clock: Clock) -> Self {
        Self { api, tokens, clock }
    }

    /// Asks WeChat for a code.
    pub async fn create(&self, request: CreateQrCode) -> Result<QrCode, WechatError> {
        let CreateQrCode {
            scene, ttl_seconds, ..
        } = request;
        let asked_at = self.clock.now();
        let create = async |token: &str| {
            self.api
                .create_qr_code(token, scene.as_str(), ttl_seconds)
                .await
        };
        // A repeat costs one of the day's codes at most.
        let created = patiently(FOR_ALL, || self.tokens.with_token(create)).await?;
        // WeChat may grant less than it was asked for.
        let granted = created
            .expire_seconds
            .unwrap_or(ttl_seconds.into())
            .min(ttl_seconds.into());
        let lifetime =
            SignedDuration::from_secs(granted.try_into().unwrap_or(i64::from(ttl_seconds)));
        Ok(QrCode {
            scene,
            image_url: self.api.qr_code_image(&created.ticket).into(),
            ticket: created.ticket,
            content: created.url,
            expires_at: asked_at + lifetime,
        })
    }
}
