//! The ring of signing keys: which there are, which signs, and when the next one is due.
//!
//! A key signs for 90 days. Its successor is published a day before, so that clients that keep the
//! key set know it in time; and it stays published until its last token is over. Its public half is
//! kept for longer: a client may sign its visitor out with an ID token that is over.

use std::time::Duration;

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    error::Unspecified,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};

use crate::settings::oidc::SigningAlgorithm;

/// How long a key signs.
const SIGNS_FOR: Duration = Duration::from_hours(90 * 24);

/// How long before it signs a key is published.
const PUBLISHED_BEFORE: Duration = Duration::from_hours(24);

/// How much longer than its last token a key stays published: clocks differ.
const STAYS_LONGER: Duration = Duration::from_mins(5);

const ALGORITHMS: [SigningAlgorithm; 2] = [SigningAlgorithm::Rs256, SigningAlgorithm::Es256];

/// For how long a key that isn't published any more tells an ID token of ours: as long as browsers
/// keep a cookie.
const RECOGNIZES_FOR: Duration = Duration::from_hours(400 * 24);

/// All keys that are published, and what is left of earlier ones.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyRing {
    keys: Vec<RingKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retired: Vec<RetiredKey>,
}

/// The public half of a key that signs nothing any more.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RetiredKey {
    pub(super) algorithm: Algorithm,
    pub(super) public: Jwk,
    /// Until when it is kept, in seconds since 1970.
    kept_until: i64,
}

/// A key with its time.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RingKey {
    pub(super) algorithm: Algorithm,
    /// The private key in PKCS#8 (DER), in base64.
    pub(super) pkcs8: String,
    /// When it begins to sign, in seconds since 1970.
    signs_from: i64,
}

/// How [`SigningAlgorithm`] is written in the ring.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::Es256 => Self::Es256,
        }
    }
}

/// A key that has to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    algorithm: SigningAlgorithm,
    signs_from: i64,
}

impl Due {
    /// Makes the key. RSA takes a while: keep it off threads that serve requests.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub(super) fn make(self) -> Result<RingKey, Unspecified> {
        let pkcs8 = match self.algorithm {
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                STANDARD.encode(der.as_ref())
            }
            SigningAlgorithm::Es256 => {
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())?;
                STANDARD.encode(document.as_ref())
            }
        };
        Ok(RingKey {
            algorithm: self.algorithm.into(),
            pkcs8,
            signs_from: self.signs_from,
        })
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

impl KeyRing {
    /// All keys that are published.
    pub(super) fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    fn of(&self, algorithm: SigningAlgorithm) -> impl Iterator<Item = &RingKey> {
        let algorithm = Algorithm::from(algorithm);
        self.keys
            .iter()
            .filter(move |key| key.algorithm == algorithm)
    }

    /// The keys that only recognize what they signed.
    pub(super) fn retired(&self) -> &[RetiredKey] {
        &self.retired
    }

    /// The key that signs now.
    pub(super) fn signing(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&RingKey> {
        let begun = self
            .of(algorithm)
            .filter(|key| key.signs_from <= now.as_second());
        // The first one may have been made by a replica whose clock is ahead of this one's.
        let first = || self.of(algorithm).min_by_key(|key| key.signs_from);
        begun.max_by_key(|key| key.signs_from).or_else(first)
    }

    /// The keys that have to be made now: the first ones, or the next ones.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Due> {
        let now = now.as_second();
        let due = |algorithm| {
            let last = self.of(algorithm).map(|key| key.signs_from).max();
            let signs_from = match last {
                None => now,
                Some(last) => {
                    let next = last + seconds(SIGNS_FOR);
                    if now < next - seconds(PUBLISHED_BEFORE) {
                        return None;
                    }
                    // Nobody ran when it was due: it is published for a day nevertheless.
                    next.max(now + seconds(PUBLISHED_BEFORE))
                }
            };
            Some(Due {
                algorithm,
                signs_from,
            })
        };
        ALGORITHMS.into_iter().filter_map(due).collect()
    }

    /// Removes keys whose last token, which lives for so long, is over.
    pub(super) fn take_old(&mut self, token_lifetime: Duration, now: Timestamp) -> Vec<RingKey> {
        let stays = seconds(token_lifetime + STAYS_LONGER);
        let now = now.as_second();
        let is_old = |key: &RingKey, keys: &[RingKey]| {
            let successor = keys.iter().filter(|other| {
                other.algorithm == key.algorithm && other.signs_from > key.signs_from
            });
            successor
                .map(|successor| successor.signs_from)
                .min()
                .is_some_and(|signed_until| now > signed_until + stays)
        };
        let old: Vec<bool> = self
            .keys
            .iter()
            .map(|key| is_old(key, &self.keys))
            .collect();
        let mut old = old.into_iter();
        self.keys
            .extract_if(.., |_| old.next().unwrap_or(false))
            .collect()
    }

    /// Keeps the public half of a key that was taken out, and forgets those that were kept for long.
    pub(super) fn retire(&mut self, algorithm: Algorithm, public: Jwk, now: Timestamp) {
        let now = now.as_second();
        self.retired.retain(|retired| now < retired.kept_until);
        self.retired.push(RetiredKey {
            algorithm,
            public,
            kept_until: now + seconds(RECOGNIZES_FOR),
        });
    }

    /// Adds keys that were made.
    pub(super) fn add(&mut self, keys: impl IntoIterator<Item = RingKey>) {
        self.keys.extend(keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: SigningAlgorithm, signs_from: i64) -> RingKey {
        RingKey {
            algorithm: algorithm.into(),
            pkcs8: String::new(),
            signs_from,
        }
    }

    const DAY: i64 = 24 * 60 * 60;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn both(signs_from: i64) -> Vec<Due> {
        let due = |algorithm| Due {
            algorithm,
            signs_from,
        };
        ALGORITHMS.map(due).to_vec()
    }

    #[test]
    fn the_first_keys_sign_at_once_and_their_successors_are_published_a_day_before() {
        let mut ring = KeyRing::default();
        assert_eq!(ring.due(at(1000)), both(1000));
        ring.add(ALGORITHMS.map(|algorithm| key(algorithm, 1000)));
        assert_eq!(ring.due(at(1000)), []);
        assert_eq!(ring.due(at(1000 + 89 * DAY - 1)), []);
        let next = 1000 + 90 * DAY;
        assert_eq!(ring.due(at(1000 + 89 * DAY)), both(next));
        ring.add(ALGORITHMS.map(|algorithm| key(algorithm, next)));
        assert_eq!(ring.due(at(1000 + 89 * DAY)), []);
        for algorithm in ALGORITHMS {
            let signs = |now| ring.signing(algorithm, at(now)).unwrap().signs_from;
            assert_eq!(signs(next - 1), 1000);
            assert_eq!(signs(next), next);
        }
    }

    #[test]
    fn a_key_stays_until_its_last_token_is_over() {
        let hour = Duration::from_hours(1);
        let next = 1000 + 90 * DAY;
        let mut ring = KeyRing::default();
        ring.add([1000, next].map(|from| key(SigningAlgorithm::Rs256, from)));
        let last = next + 3600 + 300;
        assert!(ring.take_old(hour, at(last)).is_empty());
        assert_eq!(ring.keys().len(), 2);
        let old = ring.take_old(hour, at(last + 1));
        assert_eq!(old.len(), 1);
        assert_eq!(old[0].signs_from, 1000);
        assert_eq!(ring.keys().len(), 1);
        let later = ring.take_old(hour, at(last + 1000 * DAY));
        assert!(later.is_empty(), "the last one");
    }

    #[test]
    fn after_a_long_stop_the_next_key_is_published_for_a_day_all_the_same() {
        let mut ring = KeyRing::default();
        ring.add(ALGORITHMS.map(|algorithm| key(algorithm, 1000)));
        let now = 1000 + 400 * DAY;
        assert_eq!(ring.due(at(now)), both(now + DAY));
        let signs = ring.signing(SigningAlgorithm::Es256, at(now)).unwrap();
        assert_eq!(signs.signs_from, 1000);
    }
}
