//! `GET /.well-known/openid-configuration` (Discovery 1.0, section 4; RFC 8414).

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Data};
use serde_json::json;

use super::{claims::SCOPES, paths, provider::Provider};

/// How long a document may be kept, in seconds.
pub(super) const KEPT: &str = "public, max-age=3600";

/// The document.
pub(super) async fn document(provider: Data<Provider>) -> HttpResponse {
    let at = |path| format!("{}{path}", provider.issuer);
    let authentication = ["client_secret_basic", "client_secret_post"];
    let document = json!({
        "issuer": provider.issuer,
        "authorization_endpoint": at(paths::AUTHORIZE),
        "token_endpoint": at(paths::TOKEN),
        "userinfo_endpoint": at(paths::USERINFO),
        "jwks_uri": at(paths::JWKS),
        "introspection_endpoint": at(paths::INTROSPECTION),
        "revocation_endpoint": at(paths::REVOCATION),
        "end_session_endpoint": at(paths::LOGOUT),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": [authentication[0], authentication[1], "none"],
        "revocation_endpoint_auth_methods_supported": [authentication[0], authentication[1], "none"],
        "introspection_endpoint_auth_methods_supported": authentication,
        "code_challenge_methods_supported": ["S256"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "sid", "name", "nickname",
            "preferred_username", "picture", "updated_at", "email", "email_verified", "wechat_openid",
            "wechat_unionid", "wechat_app_id", "wechat_subscribed",
        ],
        "ui_locales_supported": ["zh-CN", "en"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
    });
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, KEPT))
        .json(document)
}
