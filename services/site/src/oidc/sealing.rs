//! What is derived of `oidc.secret`: keys for what Redis keeps encrypted, and pairwise subjects.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

/// Derived keys, each for one purpose.
pub(super) struct Sealing {
    signing_keys: RandomizedNonceKey,
    answers: RandomizedNonceKey,
    pairwise: hmac::Key,
    refresh_tokens: hmac::Key,
}

/// What is sealed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sealed<'a> {
    /// The ring of signing keys of this site.
    SigningKeys(&'a str),
    /// The answer to the refresh token with this hash.
    Answer(&'a str),
}

impl Sealing {
    /// Of this secret.
    ///
    /// # Errors
    ///
    /// Never; the library's form allows for lengths that aren't these.
    pub(super) fn new(secret: &SecretString) -> Result<Self, Unspecified> {
        let salt = Salt::new(HKDF_SHA256, b"wechat-login OpenID Connect");
        let derived = salt.extract(secret.expose_secret().as_bytes());
        let key = |purpose: &str| {
            let mut key = [0; 32];
            derived
                .expand(&[purpose.as_bytes()], HKDF_SHA256)?
                .fill(&mut key)?;
            Ok::<_, Unspecified>(key)
        };
        Ok(Self {
            signing_keys: RandomizedNonceKey::new(&AES_256_GCM, &key("signing keys")?)?,
            answers: RandomizedNonceKey::new(&AES_256_GCM, &key("answers")?)?,
            pairwise: hmac::Key::new(hmac::HMAC_SHA256, &key("pairwise subjects")?),
            refresh_tokens: hmac::Key::new(hmac::HMAC_SHA256, &key("refresh tokens")?),
        })
    }

    fn key<'a>(&'a self, what: Sealed<'a>) -> (&'a RandomizedNonceKey, &'a str) {
        match what {
            Sealed::SigningKeys(of) => (&self.signing_keys, of),
            Sealed::Answer(of) => (&self.answers, of),
        }
    }

    /// The text, encrypted and bound to what it is: base64url of nonce, ciphertext and tag.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub(super) fn seal(&self, what: Sealed<'_>, text: &str) -> Result<String, Unspecified> {
        let (key, of) = self.key(what);
        let mut sealed = text.as_bytes().to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(of.as_bytes()), &mut sealed)?;
        let mut whole = nonce.as_ref().to_vec();
        whole.append(&mut sealed);
        Ok(URL_SAFE_NO_PAD.encode(whole))
    }

    /// The text; `None` if it was sealed under another secret, as something else, or was changed.
    pub(super) fn open(&self, what: Sealed<'_>, sealed: &str) -> Option<String> {
        let (key, of) = self.key(what);
        let mut whole = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = key
            .open_in_place(nonce, Aad::from(of.as_bytes()), sealed)
            .ok()?;
        String::from_utf8(text.to_vec()).ok()
    }

    /// What proves that a refresh token of this grant, with these random bytes, was made by us: half
    /// of an HMAC.
    pub(super) fn proof_of_refresh_token(&self, grant: &str, random: &[u8; 16]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.refresh_tokens);
        context.update(grant.as_bytes());
        context.update(random);
        let mut half = [0; 16];
        half.copy_from_slice(&context.sign().as_ref()[..16]);
        half
    }

    /// A subject that only this client sees (OpenID Connect Core 1.0, section 8.1): 43 characters
    /// of base64url.
    pub(super) fn pairwise(&self, client_id: &str, subject: &str) -> String {
        let mut context = hmac::Context::with_key(&self.pairwise);
        context.update(client_id.as_bytes());
        // No client's id contains it.
        context.update(b"\0");
        context.update(subject.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(secret: &str) -> Sealing {
        Sealing::new(&SecretString::from(secret)).unwrap()
    }

    #[test]
    fn only_the_same_secret_opens_the_same_thing() {
        let sealing = of("0123456789abcdefghijklmnopqrstuv");
        let keys = Sealed::SigningKeys("site");
        let sealed = sealing.seal(keys, "secret text").unwrap();
        assert_ne!(sealed, sealing.seal(keys, "secret text").unwrap());
        let open = |by: &Sealing, what| by.open(what, &sealed);
        assert_eq!(open(&sealing, keys).as_deref(), Some("secret text"));
        assert_eq!(open(&sealing, Sealed::SigningKeys("other")), None);
        assert_eq!(open(&sealing, Sealed::Answer("site")), None);
        assert_eq!(open(&of("another secret of thirty-two char"), keys), None);
        for broken in ["", "AAAA", &sealed[1..]] {
            assert_eq!(sealing.open(keys, broken), None);
        }
    }

    #[test]
    fn a_pairwise_subject_differs_by_client_and_person_and_stays() {
        let sealing = of("0123456789abcdefghijklmnopqrstuv");
        let one = sealing.pairwise("wiki", "a");
        assert_eq!(one, sealing.pairwise("wiki", "a"));
        assert_eq!(one.len(), 43);
        assert_ne!(one, sealing.pairwise("wiki", "b"));
        assert_ne!(one, sealing.pairwise("forum", "a"));
    }
}
