//! Codes, access tokens and refresh tokens: opaque texts that name their grant.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::steps::oidc::GrantId;
use service_kit::random::{self, NoRandomness};
use sha2::{Digest as _, Sha256};

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
}
