//! The provider's paths. Clients find them by the discovery document.

/// The discovery document (Discovery 1.0, section 4).
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
/// The key set.
pub(crate) const JWKS: &str = "/oidc/jwks";
/// The authorization endpoint.
pub(crate) const AUTHORIZE: &str = "/oidc/authorize";
/// The page on which a visitor logs in.
pub(crate) const LOGIN_PAGE: &str = "/oidc/login";
/// The token endpoint.
pub(crate) const TOKEN: &str = "/oidc/token";
/// The userinfo endpoint.
pub(crate) const USERINFO: &str = "/oidc/userinfo";
/// The introspection endpoint.
pub(crate) const INTROSPECTION: &str = "/oidc/introspect";
/// The revocation endpoint.
pub(crate) const REVOCATION: &str = "/oidc/revoke";
/// The end-session endpoint.
pub(crate) const LOGOUT: &str = "/oidc/logout";
/// Where the page posts that asks whether to sign out.
pub(crate) const LOGOUT_CONFIRMED: &str = "/oidc/logout/confirmed";

/// A path as another one of the provider's refers to it: its last part.
pub(crate) fn beside(path: &'static str) -> &'static str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether pages of other sites may post to a path: all but the form of ours.
pub(crate) fn is_for_anybody(path: &str) -> bool {
    matches!(
        path,
        AUTHORIZE | TOKEN | USERINFO | INTROSPECTION | REVOCATION | LOGOUT
    )
}

/// Whether a path takes a form.
pub(crate) fn takes_forms(path: &str) -> bool {
    is_for_anybody(path) || path == LOGOUT_CONFIRMED
}
