//! Codes of web authorisation that log nobody in.

use std::sync::Arc;

use login_protocol::{account::AccountName, gateway_api::DiscardWebAuthorization, scene::Scene};
use service_kit::request_id;
use tokio::sync::Semaphore;

use super::AuthorizationResponse;
use crate::gateway_client::GatewayClient;

/// How many are discarded concurrently. Nobody waits for it, and strangers can submit many.
const AT_ONCE: usize = 8;

/// Has the gateway invalidate them, in the background.
pub(super) struct StrayCodes {
    account: AccountName,
    gateway: Arc<GatewayClient>,
    places: Arc<Semaphore>,
}

impl StrayCodes {
    pub(super) fn new(account: AccountName, gateway: Arc<GatewayClient>) -> Self {
        Self {
            account,
            gateway,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Discards the code of this callback. `scene`: the attempt's, if it came back to the browser
    /// that began it.
    pub(super) fn discard(&self, response: &AuthorizationResponse<'_>, scene: Option<Scene>) {
        if response.code.is_empty() {
            return;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let gateway = Arc::clone(&self.gateway);
        let request = DiscardWebAuthorization {
            code: response.code.to_owned(),
            client: response.visit.client,
            scene,
            account: self.account.clone(),
        };
        tokio::spawn(request_id::carried(async move {
            gateway.discard_web_authorization(&request).await;
            drop(place);
        }));
    }
}
