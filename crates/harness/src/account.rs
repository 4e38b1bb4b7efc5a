//! A made-up Official Account. It exists in the simulator and in other stand-ins for WeChat only,
//! so nothing here is a secret.

/// Its AppID.
pub const APP_ID: &str = "wx00000000000000ee";
/// Its AppSecret.
pub const APP_SECRET: &str = "testsecret00testsecret00testsecr";
/// Its callback token.
pub const TOKEN: &str = "testtokentesttoken";
/// Its EncodingAESKey.
pub const ENCODING_AES_KEY: &str = "testkeytestkeytestkeytestkeytestkeytestkey0";
/// Its original id, as pushes name it where the simulator doesn't make them.
pub const ORIGINAL_ID: &str = "gh_0123456789ab";
/// The bearer key between site and gateway.
pub const API_KEY: &str = "test-api-key-test-api-key-test-api-key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_up_account_has_the_shape_of_a_real_one() {
        assert!(APP_ID.starts_with("wx") && APP_ID.len() == 18);
        assert_eq!(APP_SECRET.len(), 32);
        assert!((3..=32).contains(&TOKEN.len()));
        assert_eq!(ENCODING_AES_KEY.len(), 43);
    }
}
