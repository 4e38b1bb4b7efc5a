//! Whom the owner banned at an account.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    steps::{BanKey, BanMember, BansRead, DrawBanKey, LiftBan, ReadBans},
};

use crate::{
    problem::Problem,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};

/// Why somebody isn't banned.
#[derive(Debug, thiserror::Error)]
pub enum BanError {
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no key to be had.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<BanError> for Problem {
    /// What a client reads. The log has the details.
    fn from(error: BanError) -> Self {
        match error {
            BanError::Store(error) => error.into(),
            BanError::Randomness(error) => error.into(),
        }
    }
}

/// The keys of the accounts' bans, so that asking whether somebody is banned takes a single command
/// beside others. A key that Redis lost and drew anew is noticed.
#[derive(Default)]
pub struct BanKeys(RwLock<HashMap<AppId, BanKey>>);

impl BanKeys {
    /// Asks whether this person is banned; [`BanKeys::settle`] knows what the answer means.
    pub fn ask(&self, member: &MemberId) -> ReadBans {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ReadBans {
            app_id: member.app_id.clone(),
            key: keys.get(&member.app_id).cloned(),
            people: vec![member.openid.clone()],
        }
    }

    /// Whether the person is banned, by the answer to the question.
    ///
    /// # Errors
    ///
    /// Redis failed: the key was another one, and it was asked again.
    pub async fn settle(
        &self,
        store: &Store,
        asked: ReadBans,
        answer: BansRead,
    ) -> Result<bool, StoreError> {
        if let BansRead::AskWith(key) = &answer {
            let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
            keys.insert(asked.app_id.clone(), key.clone());
        }
        let banned = settled(store, asked, answer).await?;
        Ok(banned.contains(&true))
    }
}

/// How often a key may be another one than a moment ago. It never is, unless Redis loses its data.
const KEYS_TRIED: usize = 3;

async fn settled(
    store: &Store,
    mut asked: ReadBans,
    mut answer: BansRead,
) -> Result<Vec<bool>, StoreError> {
    for _ in 0..KEYS_TRIED {
        match answer {
            BansRead::Told(banned) => return Ok(banned),
            BansRead::AskWith(key) => {
                asked.key = Some(key);
                answer = store.run(&asked).await?;
            }
        }
    }
    // Whoever can't be cleared isn't let in.
    Ok(vec![true; asked.people.len()])
}

/// Whether each of these people is banned at an account.
///
/// # Errors
///
/// Redis failed.
pub async fn are_banned(
    store: &Store,
    app_id: &AppId,
    people: Vec<OpenId>,
) -> Result<Vec<bool>, StoreError> {
    let ask = ReadBans {
        app_id: app_id.clone(),
        key: None,
        people,
    };
    let answer = store.run(&ask).await?;
    settled(store, ask, answer).await
}

/// Whether somebody is banned.
///
/// # Errors
///
/// Redis failed.
pub async fn is_banned(store: &Store, member: &MemberId) -> Result<bool, StoreError> {
    let banned = are_banned(store, &member.app_id, vec![member.openid.clone()]).await?;
    Ok(banned.contains(&true))
}

/// The key of an account's bans, if it has any.
async fn key(store: &Store, app_id: &AppId) -> Result<Option<BanKey>, StoreError> {
    let ask = ReadBans {
        app_id: app_id.clone(),
        key: None,
        people: Vec::new(),
    };
    Ok(match store.run(&ask).await? {
        BansRead::AskWith(key) => Some(key),
        BansRead::Told(_) => None,
    })
}

/// Bans somebody, known or not. Banning again changes nothing.
///
/// # Errors
///
/// Redis failed, or there are no random bytes.
pub async fn ban(store: &Store, member: MemberId) -> Result<(), BanError> {
    let mut found = key(store, &member.app_id).await?;
    if found.is_none() {
        let drawn = BanKey::from_random(random::bytes()?);
        let draw = DrawBanKey {
            app_id: member.app_id.clone(),
            key: drawn.clone(),
        };
        store.run(&draw).await?;
        // Another process may have drawn one first.
        found = Some(key(store, &member.app_id).await?.unwrap_or(drawn));
    }
    if let Some(key) = found {
        store.run(&BanMember { member, key }).await?;
    }
    Ok(())
}

/// Lets somebody in again.
///
/// # Errors
///
/// Redis failed.
pub async fn lift(store: &Store, member: MemberId) -> Result<(), StoreError> {
    match key(store, &member.app_id).await? {
        Some(key) => store.run(&LiftBan { member, key }).await,
        None => Ok(()),
    }
}
