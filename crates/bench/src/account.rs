//! The made-up account that all processes share. It exists in the stand-in only.

/// Its AppID.
pub(crate) const APP_ID: &str = "wx000000000000be9c";
/// Its AppSecret.
pub(crate) const APP_SECRET: &str = "benchsecret0benchsecret0benchsec";
/// Its callback token.
pub(crate) const TOKEN: &str = "benchtokenbenchtoken";
/// Its EncodingAESKey.
pub(crate) const ENCODING_AES_KEY: &str = "benchkeybenchkeybenchkeybenchkeybenchkeybe0";
/// Its original id, as pushes name it.
pub(crate) const ORIGINAL_ID: &str = "gh_0123456789ab";
/// The key between site and gateway.
pub(crate) const API_KEY: &str = "bench-api-key-bench-api-key-bench-api-key";
