//! The signing keys at work: shared by all replicas through Redis, encrypted there, and replaced in
//! time by whichever replica notices first.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use jsonwebtoken::{
    DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use login_protocol::{
    site::SiteId,
    steps::oidc::{ReadSigningKeys, ReplaceSigningKeys, SigningKeysRecord},
};
use serde::{Serialize, de::DeserializeOwned};
use service_kit::{
    clock::Clock,
    redis::{Store, StoreError},
};

use super::{
    kept_pairs,
    key_ring::{Algorithm, Due, KeyRing, RingKey},
    sealing::{Sealed, Sealing},
};
use crate::settings::oidc::SigningAlgorithm;

/// How often a replica looks for what another one did, and for what is due.
const LOOKS_EVERY: Duration = Duration::from_mins(1);

/// How often it looks while it has no keys at all.
const LOOKS_WITHOUT_KEYS_EVERY: Duration = Duration::from_secs(1);

/// The site's signing keys.
pub struct SigningKeys {
    site: SiteId,
    store: Arc<Store>,
    sealing: Arc<Sealing>,
    clock: Clock,
    token_lifetime: Duration,
    ready: RwLock<Option<Arc<Ready>>>,
}

/// Why there are no signing keys.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// Redis failed; it may be asked again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They are encrypted under another secret.
    #[error(
        "the signing keys in Redis can't be decrypted: SITE__OIDC__SECRET (oidc.secret) isn't the one that they \
         were encrypted under → Set it back, or delete the key wechat-login:oidc-keys:{{{0}}} in Redis, which voids \
         all ID tokens, and gives everybody another subject at clients with SUBJECT_TYPE=pairwise, for \
         good"
    )]
    OtherSecret(String),
    /// A key can't be made or read.
    #[error("a signing key can't be used: {0}")]
    Key(String),
}

/// Keys that are ready to sign.
struct Ready {
    revision: u64,
    ring: KeyRing,
    encoding: HashMap<String, (Algorithm, EncodingKey)>,
    decoding: HashMap<String, (Algorithm, DecodingKey)>,
    /// The name of each key of the ring, in its order.
    ids: Vec<String>,
    set: JwkSet,
}

/// There is no key yet: Redis has been away since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are no signing keys yet")]
pub struct NoKeys;

impl SigningKeys {
    /// Those of this site. There are none until [`SigningKeys::refresh`] was called.
    pub(super) fn new(
        site: SiteId,
        store: Arc<Store>,
        sealing: Arc<Sealing>,
        clock: Clock,
        token_lifetime: Duration,
    ) -> Self {
        kept_pairs::install();
        Self {
            site,
            store,
            sealing,
            clock,
            token_lifetime,
            ready: RwLock::default(),
        }
    }

    /// Reads the ring, makes what is due, and removes what is over.
    ///
    /// # Errors
    ///
    /// See [`SigningKeysError`].
    pub async fn refresh(&self) -> Result<(), SigningKeysError> {
        let read = ReadSigningKeys {
            site: self.site.clone(),
        };
        let found = self.store.run(&read).await?;
        let revision = found.as_ref().map_or(0, |found| found.revision);
        let mut ring = match &found {
            Some(found) => self.open(found)?,
            None => KeyRing::default(),
        };
        let now = self.clock.now();
        let due = ring.due(now);
        let old = ring.take_old(self.token_lifetime, now);
        if due.is_empty() && old.is_empty() {
            return self.take(revision, ring);
        }
        let made =
            tokio::task::spawn_blocking(move || due.into_iter().map(Due::make).collect::<Vec<_>>());
        let made = made.await.map_err(|error| key_error(&error))?;
        for key in made {
            ring.add([key.map_err(|error| key_error(&error))?]);
        }
        retire(&mut ring, old, now)?;
        let text = serde_json::to_string(&ring).map_err(|error| key_error(&error))?;
        let what = Sealed::SigningKeys(self.site.as_str());
        let replace = ReplaceSigningKeys {
            site: self.site.clone(),
            read: revision,
            sealed: self
                .sealing
                .seal(what, &text)
                .map_err(|error| key_error(&error))?,
        };
        // Another replica may have been first. Then its ring is the one.
        let current = self.store.run(&replace).await?;
        if current.sealed == replace.sealed {
            tracing::info!("signing keys were made or removed");
        }
        let ring = self.open(&current)?;
        self.take(current.revision, ring)
    }

    fn open(&self, record: &SigningKeysRecord) -> Result<KeyRing, SigningKeysError> {
        let what = Sealed::SigningKeys(self.site.as_str());
        let text = self.sealing.open(what, &record.sealed);
        let text =
            text.ok_or_else(|| SigningKeysError::OtherSecret(self.site.as_str().to_owned()))?;
        serde_json::from_str(&text).map_err(|error| key_error(&error))
    }

    fn take(&self, revision: u64, ring: KeyRing) -> Result<(), SigningKeysError> {
        // A ring that was made anew, in an empty Redis, counts its revisions from the beginning.
        let is_known = |ready: Arc<Ready>| ready.revision == revision && ready.ring == ring;
        if self.ready().is_ok_and(is_known) {
            return Ok(());
        }
        let ready = Arc::new(Ready::of(revision, ring)?);
        *self.ready.write().unwrap_or_else(PoisonError::into_inner) = Some(ready);
        Ok(())
    }

    fn ready(&self) -> Result<Arc<Ready>, NoKeys> {
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        ready.clone().ok_or(NoKeys)
    }

    /// Keeps the keys fresh for as long as the site runs.
    ///
    /// # Errors
    ///
    /// The keys are encrypted under another secret, or can't be used: the site can't go on.
    pub async fn keep_fresh(&self) -> SigningKeysError {
        loop {
            let wait = if self.ready().is_ok() {
                LOOKS_EVERY
            } else {
                LOOKS_WITHOUT_KEYS_EVERY
            };
            tokio::time::sleep(wait).await;
            match self.refresh().await {
                Ok(()) => {}
                Err(SigningKeysError::Store(error)) => {
                    tracing::warn!(%error, "the signing keys can't be looked after: Redis failed");
                }
                Err(error) => return error,
            }
        }
    }

    /// The public keys (RFC 7517).
    ///
    /// # Errors
    ///
    /// There are none yet.
    pub(super) fn public(&self) -> Result<JwkSet, NoKeys> {
        Ok(self.ready()?.set.clone())
    }

    /// Signs claims with the key that signs now.
    ///
    /// # Errors
    ///
    /// There is none yet.
    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        media_type: &str,
        claims: &impl Serialize,
    ) -> Result<String, NoKeys> {
        self.ready()?
            .sign(algorithm, media_type, claims, self.clock.now())
    }

    /// The claims of an ID token that this site signed, however long ago; `None` of anything else.
    pub(super) fn verify<Claims: DeserializeOwned + Clone>(
        &self,
        issuer: &str,
        token: &str,
    ) -> Option<Claims> {
        self.ready().ok()?.verify(issuer, token)
    }
}

/// Keeps the public halves of keys.
fn retire(ring: &mut KeyRing, keys: Vec<RingKey>, now: Timestamp) -> Result<(), SigningKeysError> {
    for key in keys {
        let public = public_key(key.algorithm, &encoding_key(&key)?)?;
        ring.retire(key.algorithm, public, now);
    }
    Ok(())
}

fn key_error(error: &impl ToString) -> SigningKeysError {
    SigningKeysError::Key(error.to_string())
}

fn jose(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
    }
}

impl Ready {
    fn verify<Claims: DeserializeOwned + Clone>(
        &self,
        issuer: &str,
        token: &str,
    ) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let (algorithm, key) = self.decoding.get(&header.kid?)?;
        let mut validation = Validation::new(jose(*algorithm));
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["iss", "sub", "aud"]);
        // A hint says who somebody was; the caller knows the audience.
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, key, &validation).ok()?;
        // A logout token is none, though it is signed with the same key.
        (decoded.header.typ.as_deref() == Some("JWT")).then_some(decoded.claims)
    }

    fn of(revision: u64, ring: KeyRing) -> Result<Self, SigningKeysError> {
        let mut ready = Self {
            revision,
            encoding: HashMap::new(),
            decoding: HashMap::new(),
            ids: Vec::new(),
            set: JwkSet { keys: Vec::new() },
            ring,
        };
        for key in ready.ring.keys() {
            let encoding = encoding_key(key)?;
            let public = public_key(key.algorithm, &encoding)?;
            let (id, decoding) = decoding_key(&public)?;
            ready.encoding.insert(id.clone(), (key.algorithm, encoding));
            ready.decoding.insert(id.clone(), (key.algorithm, decoding));
            ready.set.keys.push(public);
            ready.ids.push(id);
        }
        for key in ready.ring.retired() {
            let (id, decoding) = decoding_key(&key.public)?;
            ready.decoding.insert(id, (key.algorithm, decoding));
        }
        Ok(ready)
    }

    fn sign(
        &self,
        algorithm: SigningAlgorithm,
        media_type: &str,
        claims: &impl Serialize,
        now: Timestamp,
    ) -> Result<String, NoKeys> {
        let id = self.signing(algorithm, now).ok_or(NoKeys)?;
        let (algorithm, key) = self.encoding.get(id).ok_or(NoKeys)?;
        let mut header = Header::new(jose(*algorithm));
        header.typ = Some(media_type.to_owned());
        header.kid = Some(id.to_owned());
        jsonwebtoken::encode(&header, claims, key).map_err(|error| {
            tracing::error!(%error, "a token can't be signed");
            NoKeys
        })
    }

    fn signing(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&str> {
        let signing = self.ring.signing(algorithm, now)?;
        let position = self
            .ring
            .keys()
            .iter()
            .position(|key| std::ptr::eq(key, signing))?;
        self.ids.get(position).map(String::as_str)
    }
}

/// The public half of a key. Its name is its thumbprint (RFC 7638).
fn public_key(algorithm: Algorithm, key: &EncodingKey) -> Result<Jwk, SigningKeysError> {
    let wrong = |error: jsonwebtoken::errors::Error| key_error(&error);
    let mut public = Jwk::from_encoding_key(key, jose(algorithm)).map_err(wrong)?;
    let id = public.thumbprint(ThumbprintHash::SHA256).map_err(wrong)?;
    public.common.key_id = Some(id);
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(public)
}

fn decoding_key(public: &Jwk) -> Result<(String, DecodingKey), SigningKeysError> {
    let decoding = DecodingKey::from_jwk(public).map_err(|error| key_error(&error))?;
    let id = public.common.key_id.clone().unwrap_or_default();
    Ok((id, decoding))
}

fn encoding_key(key: &RingKey) -> Result<EncodingKey, SigningKeysError> {
    let wrong = |error: jsonwebtoken::errors::Error| key_error(&error);
    match key.algorithm {
        Algorithm::Rs256 => {
            // The library takes PKCS#8 of RSA keys as PEM alone.
            let begin = "-----BEGIN PRIVATE KEY-----";
            let end = "-----END PRIVATE KEY-----";
            let mut pem = format!("{begin}\n");
            for line in key.pkcs8.as_bytes().chunks(64) {
                pem.extend(line.iter().map(|byte| char::from(*byte)));
                pem.push('\n');
            }
            pem.push_str(end);
            EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(wrong)
        }
        Algorithm::Es256 => {
            let der = STANDARD
                .decode(&key.pkcs8)
                .map_err(|error| key_error(&error))?;
            Ok(EncodingKey::from_ec_der(&der))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const HOUR: Duration = Duration::from_hours(1);
    const ISSUER: &str = "https://login.example.com";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// What a site does when it looks after its keys; the ring as another site reads it.
    fn looked_after(ring: &mut KeyRing, now: Timestamp) -> Ready {
        kept_pairs::install();
        let due = ring.due(now);
        let old = ring.take_old(HOUR, now);
        ring.add(due.into_iter().map(|due| due.make().unwrap()));
        retire(ring, old, now).unwrap();
        let text = serde_json::to_string(ring).unwrap();
        Ready::of(1, serde_json::from_str(&text).unwrap()).unwrap()
    }

    #[test]
    fn an_id_token_of_a_replaced_key_is_recognized_for_four_hundred_days() {
        for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Es256] {
            let mut ring = KeyRing::default();
            let first = looked_after(&mut ring, at(1000));
            let claims = json!({ "iss": ISSUER, "sub": "s", "aud": "wiki", "exp": 4600 });
            let token = first.sign(algorithm, "JWT", &claims, at(1000)).unwrap();
            let private = serde_json::to_string(&ring).unwrap();
            assert!(private.contains("pkcs8") && !private.contains("retired"));
            looked_after(&mut ring, at(1000 + 89 * DAY));
            let retired_at = 1000 + 90 * DAY + 4000;
            let later = looked_after(&mut ring, at(retired_at));
            assert_eq!(later.verify::<Value>(ISSUER, &token), Some(claims.clone()));
            // It isn't published any more, and nothing of it can sign.
            let [before, after] = [&first, &later].map(|ready| &ready.set);
            for old in &before.keys {
                let id = &old.common.key_id;
                assert!(!after.keys.iter().any(|key| key.common.key_id == *id));
                assert!(!later.encoding.contains_key(id.as_deref().unwrap()));
            }
            // Nobody else's is recognized.
            let other = looked_after(&mut KeyRing::default(), at(1000));
            let foreign = other.sign(algorithm, "JWT", &claims, at(1000)).unwrap();
            assert_eq!(later.verify::<Value>(ISSUER, &foreign), None);
            // It is forgotten with a rotation after its time.
            let mut now = retired_at;
            while now <= retired_at + 401 * DAY {
                now += 89 * DAY;
                looked_after(&mut ring, at(now));
            }
            let last = looked_after(&mut ring, at(now + 2 * DAY));
            assert_eq!(last.verify::<Value>(ISSUER, &token), None);
        }
    }
}
