//! The made-up account that all processes share. It exists in the simulator only.

/// Its AppID.
pub(crate) const APP_ID: &str = "wx00000000000050ac";
/// Its AppSecret.
pub(crate) const APP_SECRET: &str = "soaksecret00soaksecret00soaksecr";
/// Its callback token.
pub(crate) const TOKEN: &str = "soaktokensoaktoken";
/// Its EncodingAESKey.
pub(crate) const ENCODING_AES_KEY: &str = "soakkeysoakkeysoakkeysoakkeysoakkeysoakkey0";
/// Its original id, as pushes name it.
pub(crate) const ORIGINAL_ID: &str = "gh_0123456789ab";
/// The key between sites and gateways.
pub(crate) const API_KEY: &str = "soak-api-key-soak-api-key-soak-api-key";
