//! Sessions that end here end at the clients of the OpenID Connect provider, too, if there is one.

use actix_web::{HttpRequest, web::Data};
use service_kit::redis::StoreError;

use crate::{oidc::provider::Provider, sessions::identifier::SessionId};

fn provider(request: &HttpRequest) -> Option<&Data<Provider>> {
    request.app_data::<Data<Provider>>()
}

/// A login replaced the session that the browser had. The login stands, whatever becomes of this.
pub(super) async fn replaced(
    request: &HttpRequest,
    previous: Option<&SessionId>,
    session: &SessionId,
) {
    let previous = previous.filter(|previous| *previous != session);
    if let (Some(provider), Some(previous)) = (provider(request), previous)
        && let Err(error) = provider.session_ended(&previous.sha256()).await
    {
        error.log();
    }
}

/// A session was ended: the one whose identifier has this SHA-256.
///
/// # Errors
///
/// Redis is unavailable.
pub(super) async fn ended(request: &HttpRequest, session_sha256: &str) -> Result<(), StoreError> {
    match provider(request) {
        Some(provider) => {
            // Others of the same person may have ended with it.
            provider.look_for_endings();
            provider.session_ended(session_sha256).await
        }
        None => Ok(()),
    }
}
