//! Work that a browser does before a login begins, where logins begin faster than people begin them.
//! A code of WeChat's costs one of the account's 100,000 a day, and without this a few thousand
//! addresses use them up within the hour. A person notices nothing: it is a fraction of a second.
//!
//! Challenge and proof have the form of ALTCHA (<https://altcha.org/docs/v2/server-integration/>), with
//! SHA-256: find the number that, behind the salt, has this digest. The challenge is signed, so
//! nothing is stored until a proof comes; each is good once and for this site alone.

use std::time::Duration;

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use login_protocol::site::SiteId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use service_kit::{
    clock::Clock,
    random::{self, NoRandomness},
};
use tokio::time::Instant;

use super::pace::Pace;

/// Up to which number a browser tries. On average it finds the right one half-way, after 25,000
/// digests.
const MOST: u32 = 50_000;

/// For how long a challenge can be met.
const CHALLENGE_LIFETIME: Duration = Duration::from_mins(2);

/// For how long it is known that one was met: two minutes longer, for replicas whose clocks differ.
pub(super) const SPENT_FOR: Duration = Duration::from_mins(4);

/// A proof is about 300 bytes.
const LONGEST_PROOF: usize = 1024;

const ALGORITHM: &str = "SHA-256";

/// What of a salt follows its random part: until when it is good, in seconds since 1970. The last
/// character keeps digits of the number from being read as digits of the time.
const EXPIRES: &str = "?expires=";
const END: char = '&';

/// What a browser has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Challenge {
    algorithm: &'static str,
    /// Of salt and number, in hexadecimal digits.
    #[serde(rename = "challenge")]
    digest: String,
    maxnumber: u32,
    salt: String,
    signature: String,
}

/// That a browser did it.
#[derive(Deserialize)]
struct Proof {
    algorithm: String,
    challenge: String,
    number: u32,
    salt: String,
    signature: String,
}

/// Asks for work, and knows what was done.
pub struct ProofsOfWork {
    key: hmac::Key,
    clock: Clock,
    pace: Option<Pace>,
}

impl ProofsOfWork {
    /// At this site, from so many logins a minute on; 0: never. Whoever holds the secret can make
    /// challenges: all replicas do.
    pub fn new(
        site: &SiteId,
        secret: &SecretString,
        clock: Clock,
        without_per_minute: u32,
    ) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let purpose = format!("proof of work\0{}", site.as_str());
        let key = hmac::sign(&key, purpose.as_bytes());
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()),
            clock,
            pace: (without_per_minute > 0).then(|| Pace::new(without_per_minute, Instant::now())),
        }
    }

    /// Whether work is ever asked for.
    pub(super) const fn is_on(&self) -> bool {
        self.pace.is_some()
    }

    /// Counts a login that begins, with work done for it or without.
    ///
    /// # Errors
    ///
    /// It begins too fast for people, and would without work after this time.
    pub(super) fn begin(&self, now: Instant, is_done: bool) -> Result<(), Duration> {
        let pace = self.pace.as_ref();
        pace.map_or(Ok(()), |pace| pace.begin(now, is_done))
    }

    /// A login that was counted was completed, or didn't begin.
    pub(super) fn forget(&self) {
        if let Some(pace) = &self.pace {
            pace.forget();
        }
    }

    /// Work for a browser.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub(super) fn challenge(&self) -> Result<Challenge, NoRandomness> {
        let [salt, number] = random::bytes::<16>().map(|bytes| {
            let (salt, number) = bytes.split_at(8);
            [salt, number].map(|half| half.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        })?;
        // Of 2^64 the remainder is as good as even.
        let number = u32::try_from(number % u64::from(MOST + 1)).unwrap_or_default();
        let lifetime = SignedDuration::try_from(CHALLENGE_LIFETIME).unwrap_or_default();
        let expires = self
            .clock
            .now()
            .checked_add(lifetime)
            .unwrap_or(Timestamp::MAX);
        let salt = format!("{salt:016x}{EXPIRES}{}{END}", expires.as_second());
        let digest = digest_of(&salt, number);
        let signature = hexadecimal(hmac::sign(&self.key, digest.as_bytes()).as_ref());
        Ok(Challenge {
            algorithm: ALGORITHM,
            digest,
            maxnumber: MOST,
            salt,
            signature,
        })
    }

    /// The challenge of ours that a proof meets in time. Whether it was met before isn't known here.
    pub(super) fn met_by(&self, proof: &str) -> Option<String> {
        if proof.len() > LONGEST_PROOF {
            return None;
        }
        let proof = STANDARD.decode(proof).ok()?;
        let proof: Proof = serde_json::from_slice(&proof).ok()?;
        let expires = proof.salt.strip_suffix(END)?.split_once(EXPIRES)?.1;
        let is_in_time = self.clock.now().as_second() < expires.parse().ok()?;
        let is_met =
            proof.algorithm == ALGORITHM && digest_of(&proof.salt, proof.number) == proof.challenge;
        let signature = bytes_of(&proof.signature)?;
        let is_ours = hmac::verify(&self.key, proof.challenge.as_bytes(), &signature).is_ok();
        (is_in_time && is_met && is_ours).then_some(proof.challenge)
    }
}

fn digest_of(salt: &str, number: u32) -> String {
    hexadecimal(digest(&SHA256, format!("{salt}{number}").as_bytes()).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let pairs = bytes
        .iter()
        .map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    pairs.flatten().collect()
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use service_kit::clock::Hands;

    use super::*;

    const NOON: &str = "2026-11-27T12:00:00Z";

    fn at(site: &str, secret: &str) -> (ProofsOfWork, Hands) {
        let (clock, hands) = Clock::standing(NOON.parse().unwrap());
        let site = SiteId::of(&site.parse().unwrap());
        (ProofsOfWork::new(&site, &secret.into(), clock, 1), hands)
    }

    fn ours() -> (ProofsOfWork, Hands) {
        at("https://www.example.com", "a secret of the replicas")
    }

    fn solve(challenge: &Challenge) -> Value {
        let number = (0..=challenge.maxnumber)
            .find(|number| digest_of(&challenge.salt, *number) == challenge.digest);
        json!({
            "algorithm": challenge.algorithm,
            "challenge": challenge.digest,
            "number": number.unwrap(),
            "salt": challenge.salt,
            "signature": challenge.signature,
        })
    }

    fn encoded(proof: &Value) -> String {
        STANDARD.encode(proof.to_string())
    }

    #[test]
    fn a_challenge_that_was_met_is_known_at_each_replica_until_its_time_is_over() {
        let ((work, hands), (replica, _)) = (ours(), ours());
        let challenge = work.challenge().unwrap();
        let proof = encoded(&solve(&challenge));
        assert_eq!(work.met_by(&proof).as_ref(), Some(&challenge.digest));
        assert_eq!(replica.met_by(&proof), Some(challenge.digest));
        let noon: Timestamp = NOON.parse().unwrap();
        hands.put(noon + SignedDuration::from_secs(119));
        assert!(work.met_by(&proof).is_some());
        hands.put(noon + SignedDuration::from_secs(120));
        assert_eq!(work.met_by(&proof), None);
    }

    #[test]
    fn nothing_else_is_a_proof() {
        let (work, _) = ours();
        let proof = solve(&work.challenge().unwrap());
        let with = |name: &str, value: Value| {
            let mut proof = proof.clone();
            proof[name] = value;
            encoded(&proof)
        };
        let number = proof["number"].as_u64().unwrap();
        let salt = proof["salt"].as_str().unwrap();
        let expires = salt.split_once(EXPIRES).unwrap().1;
        let later = salt.replace(expires, "9999999999&");
        let forged_challenge = digest_of(&later, 7);
        let forged = json!({
            "algorithm": ALGORITHM,
            "challenge": forged_challenge,
            "number": 7,
            "salt": later,
            "signature": proof["signature"],
        });
        for refused in [
            String::new(),
            "no base64!".to_owned(),
            STANDARD.encode("{}"),
            "A".repeat(LONGEST_PROOF + 1),
            with("number", json!(number + 1)),
            with("number", json!(-1)),
            with("algorithm", json!("SHA-1")),
            with("salt", json!(later)),
            with("signature", json!("")),
            with("signature", json!("é0")),
            with("signature", json!("00".repeat(32))),
            encoded(&forged),
        ] {
            assert_eq!(work.met_by(&refused), None, "{refused}");
        }
        assert!(work.met_by(&encoded(&proof)).is_some());
    }

    #[test]
    fn digits_of_the_number_dont_make_the_time_longer() {
        let (work, hands) = ours();
        let proof = (0..100)
            .map(|_| solve(&work.challenge().unwrap()))
            .find(|proof| proof["number"].as_u64().unwrap() >= 10);
        let mut proof = proof.unwrap();
        let number = proof["number"].to_string();
        let salt = proof["salt"].as_str().unwrap();
        let moved = json!(format!("{salt}{}", &number[..1]));
        proof["salt"] = moved;
        proof["number"] = json!(number[1..].parse::<u32>().unwrap());
        hands.put("2027-11-27T12:00:00Z".parse().unwrap());
        assert_eq!(work.met_by(&encoded(&proof)), None);
    }

    #[test]
    fn another_sites_or_anybodys_challenge_isnt_ours() {
        let (work, _) = ours();
        for (site, secret) in [
            ("https://www.example.org", "a secret of the replicas"),
            ("https://www.example.com", "another secret"),
        ] {
            let (other, _) = at(site, secret);
            let proof = encoded(&solve(&other.challenge().unwrap()));
            assert!(other.met_by(&proof).is_some());
            assert_eq!(work.met_by(&proof), None, "{site} {secret}");
        }
    }
}
