//! What nobody has to think up.

use service_kit::random::{self, NoRandomness};

/// The secrets of an installation.
pub(super) struct Secrets {
    pub(super) api_key: String,
    pub(super) token: String,
    pub(super) encoding_aes_key: String,
    pub(super) oidc: String,
    /// The passwords of Redis' users, whose names are in upper case.
    pub(super) redis: [(&'static str, String); 4],
}

impl Secrets {
    pub(super) fn new() -> Result<Self, NoRandomness> {
        let long =
            || -> Result<String, NoRandomness> { Ok([random::name()?, random::name()?].concat()) };
        // 43 of WeChat's letters and digits: hexadecimal ones are among them. Every one of 172
        // random bits is in the key.
        let mut encoding_aes_key = long()?;
        encoding_aes_key.truncate(43);
        Ok(Self {
            api_key: long()?,
            token: random::name()?,
            encoding_aes_key,
            oidc: long()?,
            redis: [
                ("GATEWAY", random::name()?),
                ("SITE", random::name()?),
                ("BACKUP", random::name()?),
                ("OPERATOR", random::name()?),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_new_and_usable() {
        let (first, second) = (Secrets::new().unwrap(), Secrets::new().unwrap());
        assert_ne!(first.api_key, second.api_key);
        assert_eq!(first.api_key.len(), 64);
        assert_ne!(first.encoding_aes_key, second.encoding_aes_key);
        wechat_wire::message_crypto::EncodingAesKey::parse(&first.encoding_aes_key).unwrap();
        // WeChat takes 3 to 32 letters and digits.
        assert_eq!(first.token.len(), 32);
    }
}
