//! Banning somebody at an account. Bans stand apart from what is stored of people, so that they
//! outlast its erasure and hold for somebody who was never seen. Instead of openids they keep keyed
//! hashes: HMAC-SHA-256 (RFC 2104) under a key of the account's, drawn with its first ban.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::{Operation, Step, UnexpectedReply};
use crate::{
    identity::{AppId, MemberId, OpenId},
    redis_keys,
};

/// The field of the key among the hashes, which are longer.
const KEY: &str = "key";

/// SHA-256 takes in 64 bytes at once.
const BLOCK: usize = 64;

/// The key of an account's bans.
#[derive(Clone, PartialEq, Eq)]
pub struct BanKey(String);

impl fmt::Debug for BanKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BanKey(…)")
    }
}

impl BanKey {
    /// Of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What is kept of somebody who is banned.
    fn hash(&self, openid: &OpenId) -> String {
        URL_SAFE_NO_PAD.encode(hmac_sha256(self.0.as_bytes(), openid.as_str().as_bytes()))
    }
}

/// RFC 2104, for keys of up to a block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; BLOCK];
        for (byte, of_key) in block.iter_mut().zip(key) {
            *byte ^= of_key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// Who of these is banned?
#[derive(Debug, Clone)]
pub struct ReadBans {
    /// The account.
    pub app_id: AppId,
    /// The key, as far as it is known: `None` asks for it alone.
    pub key: Option<BanKey>,
    /// Whom it is about.
    pub people: Vec<OpenId>,
}

/// The answer to [`ReadBans`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BansRead {
    /// Whether each of them is banned.
    Told(Vec<bool>),
    /// The account has bans, under this key: they have to be asked about again.
    AskWith(BanKey),
}

impl Step for ReadBans {
    type Outcome = BansRead;

    fn operation(&self) -> Operation {
        let hashes = self.key.iter().flat_map(|key| {
            let hashes = self.people.iter().map(|openid| key.hash(openid));
            hashes.collect::<Vec<_>>()
        });
        Operation::Command {
            name: "HMGET",
            key: redis_keys::bans(&self.app_id),
            arguments: std::iter::once(KEY.to_owned()).chain(hashes).collect(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<BansRead, UnexpectedReply> {
        match reply {
            [None, ..] => Ok(BansRead::Told(vec![false; self.people.len()])),
            [Some(key), banned @ ..] => {
                let is_current = self.key.as_ref().is_some_and(|known| known.0 == *key);
                Ok(if is_current {
                    BansRead::Told(banned.iter().map(Option::is_some).collect())
                } else {
                    BansRead::AskWith(BanKey(key.clone()))
                })
            }
            [] => Err(UnexpectedReply { step: "ReadBans" }),
        }
    }
}

/// Gives an account the key of its bans, unless it has one.
#[derive(Debug, Clone)]
pub struct DrawBanKey {
    /// The account.
    pub app_id: AppId,
    /// The key.
    pub key: BanKey,
}

impl Step for DrawBanKey {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HSETNX",
            key: redis_keys::bans(&self.app_id),
            arguments: vec![KEY.to_owned(), self.key.0.clone()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Bans somebody, known or not.
#[derive(Debug, Clone)]
pub struct BanMember {
    /// Who.
    pub member: MemberId,
    /// The key of the account's bans.
    pub key: BanKey,
}

impl Step for BanMember {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HSET",
            key: redis_keys::bans(&self.member.app_id),
            arguments: vec![self.key.hash(&self.member.openid), "1".to_owned()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Lets somebody in again.
#[derive(Debug, Clone)]
pub struct LiftBan {
    /// Who.
    pub member: MemberId,
    /// The key of the account's bans.
    pub key: BanKey,
}

impl Step for LiftBan {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HDEL",
            key: redis_keys::bans(&self.member.app_id),
            arguments: vec![self.key.hash(&self.member.openid)],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_rfc() {
        // RFC 4231, test cases 1 and 2.
        for (key, message, expected) in [
            (
                &[0x0b; 20][..],
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            let hash = hmac_sha256(key, message.as_bytes());
            let hexadecimal: String = hash
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
            assert_eq!(hexadecimal, expected);
        }
    }
}
