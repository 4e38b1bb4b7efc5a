//! Codes, access tokens and refresh tokens: opaque texts that name their grant.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::steps::oidc::GrantId;
use service_kit::random::{self, NoRandomness};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::sealing::Sealing;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Access,
    Refresh,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "wlc_",
            Self::Access => "wla_",
            Self::Refresh => "wlr_",
        }
    }
}

/// A token: its kind, the grant's name, and 256 random bits. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    text: String,
    grant: GrantId,
}

/// How many characters the random part has.
const SECRET_CHARACTERS: usize = 43;

/// A new grant's name.
///
/// # Errors
///
/// There are no random bytes.
pub(super) fn new_grant() -> Result<GrantId, NoRandomness> {
    let name = URL_SAFE_NO_PAD.encode(random::bytes::<16>()?);
    Ok(GrantId::parse(&name).expect("16 bytes are 22 characters of base64url"))
}

impl Token {
    /// A new token of a grant.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub(super) fn new(kind: Kind, grant: &GrantId) -> Result<Self, NoRandomness> {
        let secret = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
        Ok(Self {
            text: format!("{}{}{secret}", kind.prefix(), grant.as_str()),
            grant: grant.clone(),
        })
    }

    /// A new refresh token of a grant. Half of its random part proves that it is ours: one that was
    /// used long ago is known for what it is, though nobody keeps it.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub(super) fn new_refresh(grant: &GrantId, sealing: &Sealing) -> Result<Self, NoRandomness> {
        let random = random::bytes::<16>()?;
        let proof = sealing.proof_of_refresh_token(grant.as_str(), &random);
        let secret = URL_SAFE_NO_PAD.encode([random, proof].concat());
        Ok(Self {
            text: format!("{}{}{secret}", Kind::Refresh.prefix(), grant.as_str()),
            grant: grant.clone(),
        })
    }

    /// Whether this is a refresh token that we made at some time. Those that an
    /// older version made prove nothing.
    pub(super) fn was_ours(&self, sealing: &Sealing) -> bool {
        let secret = self.text.len().saturating_sub(SECRET_CHARACTERS);
        let Ok(secret) = URL_SAFE_NO_PAD.decode(&self.text[secret..]) else {
            return false;
        };
        let Some((random, proof)) = secret.split_first_chunk::<16>() else {
            return false;
        };
        let expected = sealing.proof_of_refresh_token(self.grant.as_str(), random);
        self.text.starts_with(Kind::Refresh.prefix()) && bool::from(expected.ct_eq(proof))
    }

    /// Reads a token of this kind; `None` of what can't be one.
    pub(super) fn parse(kind: Kind, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(kind.prefix())?;
        let (grant, secret) = rest.split_at_checked(22)?;
        let well_formed = secret.len() == SECRET_CHARACTERS
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        well_formed.then_some(())?;
        Some(Self {
            text: text.to_owned(),
            grant: GrantId::parse(grant)?,
        })
    }

    /// The token as its holder has it.
    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    /// The grant that it belongs to.
    pub(super) fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// What Redis knows it by: its SHA-256 in base64url.
    pub(super) fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.text))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn a_token_is_read_as_what_it_is_and_as_nothing_else() {
        let grant = new_grant().unwrap();
        let token = Token::new(Kind::Access, &grant).unwrap();
        let read = Token::parse(Kind::Access, token.expose()).unwrap();
        assert!(read == token);
        assert_eq!(read.grant(), &grant);
        assert_eq!(format!("{token:?}"), "Token(…)");
        let text = token.expose();
        assert!(Token::parse(Kind::Refresh, text).is_none());
        for broken in ["", "wla_", &text[..text.len() - 1], &format!("{text}A")] {
            assert!(Token::parse(Kind::Access, broken).is_none(), "{broken}");
        }
        assert!(Token::parse(Kind::Access, &format!("wla_{}", "花".repeat(22))).is_none());
    }

    #[test]
    fn a_refresh_token_of_ours_is_known_by_itself() {
        let sealing = |secret: &str| Sealing::new(&SecretString::from(secret)).unwrap();
        let own = sealing("0123456789abcdefghijklmnopqrstuv");
        let [grant, other] = [(); 2].map(|()| new_grant().unwrap());
        let token = Token::new_refresh(&grant, &own).unwrap();
        let read = Token::parse(Kind::Refresh, token.expose()).unwrap();
        assert!(read.was_ours(&own));
        assert!(!read.was_ours(&sealing("another secret of thirty-two char")));
        let moved = token.expose().replace(grant.as_str(), other.as_str());
        let moved = Token::parse(Kind::Refresh, &moved).unwrap();
        assert!(!moved.was_ours(&own), "of another grant");
        let random = Token::new(Kind::Refresh, &grant).unwrap();
        assert!(!random.was_ours(&own));
    }
}
