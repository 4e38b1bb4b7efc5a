//! `GET /oidc/jwks`: the public keys (RFC 7517).

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Data};

use super::{discovery::KEPT, provider::Provider, refusal::Refusal};

/// The key set. The next key is in it a day before it signs, so it may be kept for an hour.
pub(super) async fn keys(provider: Data<Provider>) -> HttpResponse {
    match provider.keys.public() {
        Ok(set) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, KEPT))
            .json(set),
        Err(error) => {
            let refusal = Refusal::from(error);
            refusal.note("jwks", None);
            refusal.to_json()
        }
    }
}
