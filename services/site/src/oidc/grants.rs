//! Grants at work: codes become tokens, refresh tokens become the next ones, and access tokens tell
//! who somebody is.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use login_protocol::{
    member::Member,
    site::SiteId,
    steps::oidc::{
        ClientUse, CodeExchange, ExchangeCode, FoundByCode, FoundByRefreshToken, NoteClientUses,
        ReadByAccessToken, ReadByCode, ReadByRefreshToken, RefreshRotation, RotateRefreshToken,
    },
};
use serde::Serialize;
use service_kit::{random::NoRandomness, redis::StoreError};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{
    claims::{self, Told},
    clients::Client,
    grant_record::GrantRecord,
    id_token,
    provider::Provider,
    sealing::Sealed,
    signing_keys::NoKeys,
    tokens::{Kind, Token},
};

/// Why a code or a refresh token brings nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum GrantError {
    /// There is none, or its time is up.
    #[error("unknown or expired")]
    Unknown,
    /// It belongs to another client.
    #[error("of another client")]
    OtherClient,
    /// The redirect URI isn't the request's.
    #[error("of another redirect URI")]
    OtherRedirectUri,
    /// The verifier isn't the challenge's, or there is one and no challenge, or the other way
    /// round.
    #[error("not the verifier")]
    Verifier,
    /// It was used before. What came of it has ended.
    #[error("used before")]
    Reused,
    /// Its person signed out everywhere, was deleted, or doesn't follow any more.
    #[error("its login has ended")]
    Ended,
    /// It doesn't have this scope.
    #[error("not this scope")]
    Scope,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error(transparent)]
    Keys(#[from] NoKeys),
    /// There are no random bytes to seal the answer.
    #[error("can't be sealed")]
    Sealing,
}

/// The answer of the token endpoint (OpenID Connect Core 1.0, section 3.1.3.3).
#[derive(Serialize)]
pub(super) struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    id_token: String,
    scope: String,
}

/// Whom an access token stands for.
pub(super) struct Person {
    pub(super) client: Arc<Client>,
    pub(super) record: GrantRecord,
    /// The subject that the client sees.
    pub(super) sub: String,
    known: Option<Member>,
    /// When the token's time is up.
    pub(super) expires_at: Timestamp,
}

impl Person {
    /// What the client may know.
    pub(super) fn told(&self) -> Told<'_> {
        Told {
            client: &self.client,
            sub: &self.sub,
            member: &self.record.member,
            known: self.known.as_ref(),
        }
    }
}

/// What is sent with a code.
pub(super) struct Presented<'a> {
    pub(super) code: &'a str,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) code_verifier: Option<&'a str>,
}

fn record(data: &str) -> Result<GrantRecord, GrantError> {
    serde_json::from_str(data).map_err(|error| {
        tracing::error!(%error, "a grant can't be read");
        GrantError::Unknown
    })
}

/// Whether the verifier is the one whose hash was sent before (RFC 7636, section 4.6). One that
/// nobody asked for is wrong as well: somebody may have removed the challenge (RFC 9700, section
/// 4.8.2).
fn verifies(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let well_formed = (43..=128).contains(&verifier.len())
                && verifier.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
                });
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
            well_formed && bool::from(hash.as_bytes().ct_eq(challenge.as_bytes()))
        }
        _ => false,
    }
}

impl Provider {
    fn site(&self) -> SiteId {
        self.site.clone()
    }

    /// Exchanges a code.
    ///
    /// # Errors
    ///
    /// Why it brings nothing.
    pub(super) async fn exchange(
        &self,
        client: &Client,
        presented: &Presented<'_>,
    ) -> Result<Issued, GrantError> {
        let code = Token::parse(Kind::Code, presented.code).ok_or(GrantError::Unknown)?;
        let read = ReadByCode {
            site: self.site(),
            grant: code.grant().clone(),
            code_sha256: code.sha256(),
        };
        let (found, asked_along) = self.read_grant(code.grant(), &read).await?;
        let FoundByCode { data, is_spent } = found.ok_or(GrantError::Unknown)?;
        let record = record(&data)?;
        if record.client != client.name.as_str() {
            return Err(GrantError::OtherClient);
        }
        if is_spent {
            self.end_grant(&code).await?;
            return Err(GrantError::Reused);
        }
        if presented.redirect_uri != Some(&record.redirect_uri) {
            return Err(GrantError::OtherRedirectUri);
        }
        if !verifies(record.code_challenge.as_deref(), presented.code_verifier) {
            return Err(GrantError::Verifier);
        }
        self.check(client, &record, &code, asked_along).await?;
        let access = Token::new(Kind::Access, code.grant())?;
        let refresh = record
            .is_offline()
            .then(|| Token::new_refresh(code.grant(), &self.sealing))
            .transpose()?;
        let issued = self.issued(client, &record, &access, refresh.as_ref())?;
        let exchange = ExchangeCode {
            site: self.site(),
            grant: code.grant().clone(),
            code_sha256: read.code_sha256,
            access_sha256: access.sha256(),
            access_lifetime: self.access_token_lifetime,
            refresh_sha256: refresh.as_ref().map(Token::sha256),
            lifetime: match refresh {
                Some(_) => self.offline_lifetime(),
                None => self.access_token_lifetime,
            },
        };
        // Before it: a ban or a deletion that comes between both finds it.
        let note = refresh
            .is_some()
            .then(|| self.note_of_grant(&record, &code));
        let (_, exchanged) = self.store.run_together((note.as_ref(), &exchange)).await?;
        match exchanged {
            CodeExchange::Exchanged => Ok(issued),
            CodeExchange::Reused => Err(GrantError::Reused),
            CodeExchange::Unknown => Err(GrantError::Unknown),
        }
    }

    /// That a person has a grant that outlives their session.
    fn note_of_grant(&self, record: &GrantRecord, token: &Token) -> NoteClientUses {
        let left = ClientUse::Grant(self.site(), token.grant().clone());
        NoteClientUses {
            member: record.member.clone(),
            uses: vec![(left, self.offline_lifetime())],
        }
    }

    fn issued(
        &self,
        client: &Client,
        record: &GrantRecord,
        access: &Token,
        refresh: Option<&Token>,
    ) -> Result<Issued, GrantError> {
        let sub = claims::subject(client, &self.sealing, &record.subject);
        let now = self.clock.now();
        Ok(Issued {
            id_token: id_token::sign(self, client, record, &sub, access, now)?,
            access_token: access.expose().to_owned(),
            token_type: "Bearer",
            expires_in: self.access_token_lifetime.as_secs(),
            refresh_token: refresh.map(|refresh| refresh.expose().to_owned()),
            scope: record.scope.clone(),
        })
    }

    /// Exchanges a refresh token for the next tokens: JSON, which a repeat gets again.
    ///
    /// # Errors
    ///
    /// Why it brings nothing.
    pub(super) async fn refresh(
        &self,
        client: &Client,
        refresh_token: &str,
        scope: Option<&str>,
    ) -> Result<String, GrantError> {
        let token = Token::parse(Kind::Refresh, refresh_token).ok_or(GrantError::Unknown)?;
        let read = ReadByRefreshToken {
            site: self.site(),
            grant: token.grant().clone(),
            refresh_sha256: token.sha256(),
        };
        let (found, asked_along) = self.read_grant(token.grant(), &read).await?;
        let data = match &found {
            FoundByRefreshToken::Current { data, .. }
            | FoundByRefreshToken::Repeated { data, .. }
            | FoundByRefreshToken::Reused { data } => data,
            // Used so long ago that nobody remembers it.
            FoundByRefreshToken::Other { data } if token.was_ours(&self.sealing) => data,
            FoundByRefreshToken::Other { .. } | FoundByRefreshToken::Unknown => {
                return Err(GrantError::Unknown);
            }
        };
        let mut record = record(data)?;
        if record.client != client.name.as_str() {
            return Err(GrantError::OtherClient);
        }
        if matches!(
            found,
            FoundByRefreshToken::Reused { .. } | FoundByRefreshToken::Other { .. }
        ) {
            self.end_grant(&token).await?;
            return Err(GrantError::Reused);
        }
        check_scope(&record, scope)?;
        self.check(client, &record, &token, asked_along).await?;
        if let FoundByRefreshToken::Repeated { answer, .. } = found {
            return self.open_answer(&read.refresh_sha256, &answer);
        }
        // OpenID Connect Core 1.0, section 12.2: the nonce belongs to the first one.
        record.nonce = None;
        let access = Token::new(Kind::Access, token.grant())?;
        let next = Token::new_refresh(token.grant(), &self.sealing)?;
        let issued = self.issued(client, &record, &access, Some(&next))?;
        let answer = serde_json::to_string(&issued).unwrap_or_default();
        let what = Sealed::Answer(&read.refresh_sha256);
        let sealed = self.sealing.seal(what, &answer);
        let rotate = RotateRefreshToken {
            site: self.site(),
            grant: token.grant().clone(),
            refresh_sha256: read.refresh_sha256.clone(),
            next_sha256: next.sha256(),
            access_sha256: access.sha256(),
            access_lifetime: self.access_token_lifetime,
            lifetime: self.offline_lifetime(),
            answer: sealed.map_err(|_| GrantError::Sealing)?,
        };
        let note = self.note_of_grant(&record, &token);
        let (rotation, ()) = self.store.run_both(&rotate, &note).await?;
        match rotation {
            RefreshRotation::Rotated => Ok(answer),
            // The same token at the same time, at another replica.
            RefreshRotation::Repeated(sealed) => self.open_answer(&rotate.refresh_sha256, &sealed),
            RefreshRotation::Reused => Err(GrantError::Reused),
            RefreshRotation::Unknown => Err(GrantError::Unknown),
        }
    }

    /// Ends all that came of the authorization that a refresh token belongs to, whether it was
    /// replaced or not.
    ///
    /// # Errors
    ///
    /// It is unknown or another client's, or Redis is unavailable.
    pub(super) async fn give_back(
        &self,
        client: &Client,
        refresh_token: &Token,
    ) -> Result<(), GrantError> {
        let read = ReadByRefreshToken {
            site: self.site(),
            grant: refresh_token.grant().clone(),
            refresh_sha256: refresh_token.sha256(),
        };
        let data = match self.store.run(&read).await? {
            FoundByRefreshToken::Current { data, .. }
            | FoundByRefreshToken::Repeated { data, .. }
            | FoundByRefreshToken::Reused { data } => data,
            FoundByRefreshToken::Other { data } if refresh_token.was_ours(&self.sealing) => data,
            FoundByRefreshToken::Other { .. } | FoundByRefreshToken::Unknown => {
                return Err(GrantError::Unknown);
            }
        };
        if record(&data)?.client != client.name.as_str() {
            return Err(GrantError::OtherClient);
        }
        Ok(self.end_grant(refresh_token).await?)
    }

    fn open_answer(&self, refresh_sha256: &str, sealed: &str) -> Result<String, GrantError> {
        let opened = self.sealing.open(Sealed::Answer(refresh_sha256), sealed);
        opened.ok_or(GrantError::Unknown)
    }

    /// Whom an access token stands for; `None` if it is none or is over.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub(super) async fn person(&self, access_token: &str) -> Result<Option<Person>, StoreError> {
        let Some(token) = Token::parse(Kind::Access, access_token) else {
            return Ok(None);
        };
        let read = ReadByAccessToken {
            site: self.site(),
            grant: token.grant().clone(),
            access_sha256: token.sha256(),
        };
        let (Some(found), asked_along) = self.read_grant(token.grant(), &read).await? else {
            return Ok(None);
        };
        let Ok(record) = record(&found.data) else {
            return Ok(None);
        };
        let Some(client) = self.clients.named(&record.client).cloned() else {
            return Ok(None);
        };
        let known = match self.check(&client, &record, &token, asked_along).await {
            Ok(known) => known,
            Err(GrantError::Store(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        Ok(Some(Person {
            sub: claims::subject(&client, &self.sealing, &record.subject),
            client,
            record,
            known,
            expires_at: found.expires_at,
        }))
    }

    /// A refresh token that is good, and how long it is.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub(super) async fn offline_person(
        &self,
        refresh_token: &str,
    ) -> Result<Option<Person>, StoreError> {
        let Some(token) = Token::parse(Kind::Refresh, refresh_token) else {
            return Ok(None);
        };
        let read = ReadByRefreshToken {
            site: self.site(),
            grant: token.grant().clone(),
            refresh_sha256: token.sha256(),
        };
        let (found, asked_along) = self.read_grant(token.grant(), &read).await?;
        let FoundByRefreshToken::Current { data, left } = found else {
            return Ok(None);
        };
        let Ok(record) = record(&data) else {
            return Ok(None);
        };
        let Some(client) = self.clients.named(&record.client).cloned() else {
            return Ok(None);
        };
        let known = match self.check(&client, &record, &token, asked_along).await {
            Ok(known) => known,
            Err(GrantError::Store(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        Ok(Some(Person {
            sub: claims::subject(&client, &self.sealing, &record.subject),
            client,
            record,
            known,
            expires_at: self.clock.now() + left,
        }))
    }
}

/// Nobody gets more than was granted (RFC 6749, section 6). Who asks for less gets all of it, and
/// the answer says so: a client has its own tokens alone.
fn check_scope(record: &GrantRecord, asked: Option<&str>) -> Result<(), GrantError> {
    let mut asked = asked.unwrap_or_default().split(' ');
    if asked.all(|scope| scope.is_empty() || record.has_scope(scope)) {
        Ok(())
    } else {
        Err(GrantError::Scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_the_one_that_was_hashed_and_is_there_if_and_only_if_a_challenge_was() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies(Some(challenge), Some(verifier)));
        assert!(verifies(None, None));
        assert!(!verifies(None, Some(verifier)));
        assert!(!verifies(Some(challenge), None));
        assert!(!verifies(Some(challenge), Some(challenge)));
        assert!(!verifies(Some(verifier), Some(verifier)), "plain is none");
        let short = "a".repeat(42);
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&short));
        assert!(!verifies(Some(&hash), Some(&short)));
    }
}
