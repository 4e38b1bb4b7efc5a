//! Digits that visitors send to the account: giving them out, and recognising them in messages.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use login_protocol::{
    account::AccountName,
    digits::{self, Digits},
    identity::{AppId, MemberId},
    scene::Scene,
    steps::{
        AreDigitsGiven, AttemptExists, BindDigits, JudgeGuess, Judged, ReadDigits, ReserveDigits,
        Verdict,
    },
};
use service_kit::{
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use wechat_wire::push::{Push, PushBody};

use crate::push::usable::UsablePush;

/// How often digits are drawn for one login. All that were drawn once are taken already with at most
/// 1 in 10^32.
const DRAWS: usize = 3;

/// The digits of one account.
pub struct AccountDigits {
    account: AccountName,
    app_id: AppId,
    store: Arc<Store>,
    /// Whether this gateway has given out digits, or seen some that another one had.
    are_in_use: AtomicBool,
}

/// Why there are no digits for a login.
#[derive(Debug, thiserror::Error)]
pub enum NoDigits {
    /// All that were drawn are taken, which doesn't happen to those who draw at random.
    #[error("all digits that were drawn are taken")]
    Taken,
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to draw from.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl AccountDigits {
    /// Those of this account.
    pub const fn new(account: AccountName, app_id: AppId, store: Arc<Store>) -> Self {
        Self {
            account,
            app_id,
            store,
            are_in_use: AtomicBool::new(false),
        }
    }

    /// Gives digits to an attempt that is about to open and lives this long.
    ///
    /// # Errors
    ///
    /// Redis or the operating system's random bytes failed.
    pub async fn give(&self, scene: Scene, lifetime: Duration) -> Result<Digits, NoDigits> {
        self.are_in_use.store(true, Ordering::Relaxed);
        for _ in 0..DRAWS {
            let reserve = ReserveDigits {
                app_id: self.app_id.clone(),
                candidates: digits::candidates(random::bytes()?),
                lifetime,
            };
            if let Some(digits) = self.store.run(&reserve).await? {
                let bind = BindDigits {
                    app_id: self.app_id.clone(),
                    digits: digits.clone(),
                    scene,
                    lifetime,
                };
                self.store.run(&bind).await?;
                return Ok(digits);
            }
        }
        Err(NoDigits::Taken)
    }

    /// The attempt that a message logs in. `None`: the message is no guess, a wrong one, or one of
    /// somebody who guessed wrong too often. WeChat's repeats of a message have its first outcome.
    ///
    /// # Errors
    ///
    /// Redis failed, so that it isn't known. Where no digits were ever seen, a message is none of a
    /// login's, and Redis isn't waited for.
    pub async fn live_code(&self, push: &UsablePush) -> Result<Option<Scene>, StoreError> {
        let Some((digits, message)) = guess(&push.push) else {
            return Ok(None);
        };
        let known = self.attempt_of(digits).await;
        if known.is_err() && !self.are_in_use.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(scene) = known? else {
            return Ok(None);
        };
        let judge = JudgeGuess {
            member: MemberId {
                app_id: self.app_id.clone(),
                openid: push.openid.clone(),
            },
            message,
            scene,
        };
        let judged = self.store.run(&judge).await?;
        self.count(&judged);
        Ok(match judged.verdict {
            Verdict::Right(scene) => Some(scene),
            Verdict::Wrong | Verdict::Locked => None,
        })
    }

    fn count(&self, judged: &Judged) {
        let outcome = match judged {
            Judged {
                is_repeat: true, ..
            } => "repeated",
            Judged { verdict, .. } => match verdict {
                Verdict::Right(_) => "right",
                Verdict::Wrong => "wrong",
                Verdict::Locked => "locked",
            },
        };
        let account = self.account.label();
        metrics::counter!("login_guesses_total", "outcome" => outcome, "account" => account)
            .increment(1);
    }

    /// The attempt with these digits, if there is one; nothing at all where no attempt has digits.
    async fn attempt_of(&self, digits: Digits) -> Result<Option<Option<Scene>>, StoreError> {
        let are_given = AreDigitsGiven {
            app_id: self.app_id.clone(),
        };
        let read = ReadDigits {
            app_id: self.app_id.clone(),
            digits,
        };
        let (are_given, scene) = self.store.run_both(&are_given, &read).await?;
        if !are_given {
            return Ok(None);
        }
        self.are_in_use.store(true, Ordering::Relaxed);
        let Some(scene) = scene else {
            return Ok(Some(None));
        };
        let exists = AttemptExists {
            scene: scene.clone(),
        };
        let is_live = self.store.run(&exists).await?;
        Ok(Some(is_live.then_some(scene)))
    }
}

/// What a text message guesses, and what distinguishes it from the person's other messages.
fn guess(push: &Push) -> Option<(Digits, String)> {
    let PushBody::Message {
        msg_type,
        msg_id,
        content: Some(content),
    } = &push.body
    else {
        return None;
    };
    let digits = (msg_type == "text").then(|| Digits::in_message(content))??;
    // A MsgId is always there in practice. Without it, the same digits in the same second are one
    // guess.
    let message = match msg_id {
        Some(id) => id.clone(),
        None => format!("at {} {}", push.create_time, digits.as_str()),
    };
    Some((digits, message))
}
