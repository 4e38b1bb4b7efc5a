//! The access tokens: two families that do not know of each other.
//!
//! `/cgi-bin/token` gives a new token at every call and lets the one before work for five minutes
//! more. `/cgi-bin/stable_token` gives the same token until less than five minutes are left of it;
//! a forced refresh makes the one before invalid at once, and happens at most 20 times a day and
//! once in 30 seconds (developers.weixin.qq.com/doc/service, `getStableAccessToken`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::random;

/// How many tokens are remembered.
const CAPACITY: usize = 10_000;

/// How long an old token works beside its successor, and how early a stable one is replaced.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The least time between two forced refreshes.
const FORCE_INTERVAL: SignedDuration = SignedDuration::from_secs(30);

/// How many forced refreshes a day allows.
const FORCES_PER_DAY: usize = 20;

/// What a token endpoint answers.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// The token.
    pub(crate) access_token: String,
    /// The whole seconds for which it still works.
    pub(crate) expires_in: i64,
}

/// What a call's access token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenCheck {
    /// It works.
    Valid,
    /// Its time is over: errcode 42001.
    Expired,
    /// It was replaced, revoked, or granted by nobody: errcode 40001.
    NotLatest,
    /// It does not look like a token: errcode 40014.
    Malformed,
}

/// Every token that was granted.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    granted: HashMap<String, Life>,
    order: VecDeque<String>,
    classic: Option<String>,
    stable: Option<String>,
    forced: VecDeque<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    ends: Timestamp,
    revoked: bool,
}

impl Tokens {
    /// Whether this account ever had the token.
    pub(crate) fn granted(&self, access_token: &str) -> bool {
        self.lock().granted.contains_key(access_token)
    }

    /// A new token of the classic family.
    pub(crate) fn classic(&self, now: Timestamp, lifetime: SignedDuration) -> Granted {
        let mut ledger = self.lock();
        if let Some(previous) = ledger.classic.take() {
            ledger.shorten(&previous, now + OVERLAP);
        }
        let granted = ledger.grant(now, lifetime);
        ledger.classic = Some(granted.access_token.clone());
        granted
    }

    /// The current token of the stable family, or a new one when it is about to end.
    pub(crate) fn stable(&self, now: Timestamp, lifetime: SignedDuration) -> Granted {
        let mut ledger = self.lock();
        if let Some(current) = ledger.current_stable(now)
            && current.expires_in >= OVERLAP.as_secs().min(lifetime.as_secs() / 2)
        {
            return current;
        }
        ledger.replace_stable(now, lifetime)
    }

    /// A new token of the stable family; the one before is invalid at once. Too many of these calls
    /// get the current token instead.
    pub(crate) fn stable_forced(&self, now: Timestamp, lifetime: SignedDuration) -> Granted {
        let mut ledger = self.lock();
        let a_day_ago = now - SignedDuration::from_hours(24);
        ledger.forced.retain(|at| *at > a_day_ago);
        let too_soon = ledger
            .forced
            .back()
            .is_some_and(|last| *last + FORCE_INTERVAL > now);
        if (too_soon || ledger.forced.len() >= FORCES_PER_DAY)
            && let Some(current) = ledger.current_stable(now)
        {
            return current;
        }
        ledger.forced.push_back(now);
        if let Some(previous) = ledger.stable.take() {
            ledger.revoke(&previous);
        }
        ledger.replace_stable(now, lifetime)
    }

    /// Whether a call may use this token.
    pub(crate) fn check(&self, access_token: &str, now: Timestamp) -> TokenCheck {
        match self.lock().granted.get(access_token) {
            Some(life) if life.revoked => TokenCheck::NotLatest,
            Some(life) if life.ends <= now => TokenCheck::Expired,
            Some(_) => TokenCheck::Valid,
            None if looks_like_a_token(access_token) => TokenCheck::NotLatest,
            None => TokenCheck::Malformed,
        }
    }

    /// Makes every token invalid, as when a stranger refreshes or the secret is reset.
    pub(crate) fn invalidate_all(&self) {
        let mut ledger = self.lock();
        ledger
            .granted
            .values_mut()
            .for_each(|life| life.revoked = true);
        ledger.classic = None;
        ledger.stable = None;
    }

    /// Every token that was ever granted and is still remembered.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lock().order.iter().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn grant(&mut self, now: Timestamp, lifetime: SignedDuration) -> Granted {
        if self.order.len() >= CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.granted.remove(&oldest);
        }
        let access_token = random::access_token();
        self.order.push_back(access_token.clone());
        self.granted.insert(
            access_token.clone(),
            Life {
                ends: now + lifetime,
                revoked: false,
            },
        );
        Granted {
            access_token,
            expires_in: lifetime.as_secs(),
        }
    }

    fn current_stable(&self, now: Timestamp) -> Option<Granted> {
        let access_token = self.stable.as_ref()?;
        let life = self.granted.get(access_token)?;
        let expires_in = life.ends.duration_since(now).as_secs();
        (!life.revoked && expires_in > 0).then(|| Granted {
            access_token: access_token.clone(),
            expires_in,
        })
    }

    fn replace_stable(&mut self, now: Timestamp, lifetime: SignedDuration) -> Granted {
        let granted = self.grant(now, lifetime);
        self.stable = Some(granted.access_token.clone());
        granted
    }

    fn shorten(&mut self, access_token: &str, latest_end: Timestamp) {
        if let Some(life) = self.granted.get_mut(access_token) {
            life.ends = life.ends.min(latest_end);
        }
    }

    fn revoke(&mut self, access_token: &str) {
        if let Some(life) = self.granted.get_mut(access_token) {
            life.revoked = true;
        }
    }
}

/// Whether the text has the recorded form `NN_<base64url>`.
fn looks_like_a_token(text: &str) -> bool {
    text.split_once('_').is_some_and(|(counter, rest)| {
        !counter.is_empty() && counter.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() > 64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: SignedDuration = SignedDuration::from_secs(7200);

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn the_stable_token_stays_the_same_until_five_minutes_are_left() {
        let tokens = Tokens::default();
        let first = tokens.stable(after(0), LIFETIME);
        let same = tokens.stable(after(6900), LIFETIME);
        assert_eq!(
            (&same.access_token, same.expires_in),
            (&first.access_token, 300)
        );
        let next = tokens.stable(after(6901), LIFETIME);
        assert_ne!(next.access_token, first.access_token);
        assert_eq!(
            tokens.check(&first.access_token, after(7199)),
            TokenCheck::Valid
        );
        assert_eq!(
            tokens.check(&first.access_token, after(7200)),
            TokenCheck::Expired
        );
    }

    #[test]
    fn a_forced_refresh_revokes_at_once_and_not_twice_within_thirty_seconds() {
        let tokens = Tokens::default();
        let first = tokens.stable(after(0), LIFETIME);
        let second = tokens.stable_forced(after(1), LIFETIME);
        assert_eq!(
            tokens.check(&first.access_token, after(1)),
            TokenCheck::NotLatest
        );
        let third = tokens.stable_forced(after(2), LIFETIME);
        assert_eq!(third.access_token, second.access_token);
        let fourth = tokens.stable_forced(after(31), LIFETIME);
        assert_ne!(fourth.access_token, second.access_token);
    }

    #[test]
    fn a_classic_token_works_for_five_minutes_beside_its_successor() {
        let tokens = Tokens::default();
        let first = tokens.classic(after(0), LIFETIME);
        let stable = tokens.stable(after(0), LIFETIME);
        tokens.classic(after(10), LIFETIME);
        assert_eq!(
            tokens.check(&first.access_token, after(309)),
            TokenCheck::Valid
        );
        assert_eq!(
            tokens.check(&first.access_token, after(310)),
            TokenCheck::Expired
        );
        assert_eq!(
            tokens.check(&stable.access_token, after(310)),
            TokenCheck::Valid
        );
    }

    #[test]
    fn strangers_and_revoked_tokens_are_not_the_latest() {
        let tokens = Tokens::default();
        let granted = tokens.stable(after(0), LIFETIME);
        tokens.invalidate_all();
        assert_eq!(
            tokens.check(&granted.access_token, after(0)),
            TokenCheck::NotLatest
        );
        assert_eq!(
            tokens.check(&random::access_token(), after(0)),
            TokenCheck::NotLatest
        );
        assert_eq!(tokens.check("garbage", after(0)), TokenCheck::Malformed);
    }
}
