//! Digits that people send to the account: which attempt they are of, and how often somebody may
//! guess.

use std::time::Duration;

use super::{AtomicScript, Operation, REDEMPTION_WINDOW, Step, UnexpectedReply, words};
use crate::{
    digits::Digits,
    identity::{AppId, MemberId},
    redis_keys,
    scene::Scene,
};

static RESERVE: AtomicScript = AtomicScript::new(include_str!("digits_reserve.lua"));
static JUDGE: AtomicScript = AtomicScript::new(include_str!("guess_judge.lua"));

/// How many wrong guesses a person has in [`GUESSES_COUNT`].
const WRONG_GUESSES: u32 = 5;

/// How long a wrong guess counts.
const GUESSES_COUNT: Duration = Duration::from_mins(10);

/// How long digits stay those of an attempt: it may be confirmed in its last second, and redeemed
/// in the last of the minute after, and its record lives for another one.
fn life(attempt: Duration) -> Duration {
    attempt + 2 * REDEMPTION_WINDOW
}

/// Reserves digits for an attempt that is about to open. Reserving again after a lost answer
/// reserves others; the first ones are nobody's until their time is over.
#[derive(Debug, Clone)]
pub struct ReserveDigits {
    /// The account that they are sent to.
    pub app_id: AppId,
    /// What [`candidates`](crate::digits::candidates) drew.
    pub candidates: Vec<String>,
    /// How long the attempt lives.
    pub lifetime: Duration,
}

impl Step for ReserveDigits {
    /// `None`: all candidates are taken.
    type Outcome = Option<Digits>;

    fn operation(&self) -> Operation {
        let mut arguments = vec![life(self.lifetime).as_millis().to_string()];
        arguments.extend(self.candidates.iter().cloned());
        Operation::Script {
            script: &RESERVE,
            key: redis_keys::digits_given(&self.app_id),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ReserveDigits",
        };
        match words(reply).as_slice() {
            [Some("given"), Some(digits)] => Digits::read(digits).map(Some).ok_or_else(unexpected),
            [Some("none")] => Ok(None),
            _ => Err(unexpected()),
        }
    }
}

/// Says which attempt reserved digits are of.
#[derive(Debug, Clone)]
pub struct BindDigits {
    /// The account.
    pub app_id: AppId,
    /// The digits.
    pub digits: Digits,
    /// The attempt's scene.
    pub scene: Scene,
    /// How long the attempt lives.
    pub lifetime: Duration,
}

impl Step for BindDigits {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SET",
            key: redis_keys::digits(&self.app_id, self.digits.as_str()),
            arguments: vec![
                self.scene.as_str().to_owned(),
                "PX".to_owned(),
                life(self.lifetime).as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Does any attempt of the account have digits? If none does, a message of digits is no guess.
#[derive(Debug, Clone)]
pub struct AreDigitsGiven {
    /// The account.
    pub app_id: AppId,
}

impl Step for AreDigitsGiven {
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "EXISTS",
            key: redis_keys::digits_given(&self.app_id),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("1")] => Ok(true),
            [Some("0")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "AreDigitsGiven",
            }),
        }
    }
}

/// Which attempt are these digits of?
#[derive(Debug, Clone)]
pub struct ReadDigits {
    /// The account that got them.
    pub app_id: AppId,
    /// The digits.
    pub digits: Digits,
}

impl Step for ReadDigits {
    /// `None`: they are of none. The attempt may be over.
    type Outcome = Option<Scene>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::digits(&self.app_id, self.digits.as_str()),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = UnexpectedReply { step: "ReadDigits" };
        match words(reply).as_slice() {
            [None] => Ok(None),
            [Some(scene)] => Scene::parse(scene).map(Some).map_err(|_| unexpected),
            _ => Err(unexpected),
        }
    }
}

/// Judges a guess, once for all deliveries of the message.
#[derive(Debug, Clone)]
pub struct JudgeGuess {
    /// Who guessed.
    pub member: MemberId,
    /// What distinguishes the message from the person's others.
    pub message: String,
    /// The attempt that has these digits, if one has.
    pub scene: Option<Scene>,
}

/// What came of a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it is worth.
    pub verdict: Verdict,
    /// Whether the message was judged before.
    pub is_repeat: bool,
}

/// What a guess is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The digits are of this attempt.
    Right(Scene),
    /// They were of none when the message first came.
    Wrong,
    /// The person guessed wrong too often lately. Nobody looks at their digits for a while.
    Locked,
}

impl Step for JudgeGuess {
    type Outcome = Judged;

    fn operation(&self) -> Operation {
        let scene = self.scene.as_ref().map_or("", Scene::as_str);
        Operation::Script {
            script: &JUDGE,
            key: redis_keys::guesses(&self.member),
            arguments: vec![
                self.message.clone(),
                scene.to_owned(),
                WRONG_GUESSES.to_string(),
                GUESSES_COUNT.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Judged, UnexpectedReply> {
        let unexpected = UnexpectedReply { step: "JudgeGuess" };
        let reply = words(reply);
        let verdict = match reply.as_slice() {
            [Some("judged"), Some(""), Some("first" | "again")] => Verdict::Wrong,
            [Some("judged"), Some(scene), Some("first" | "again")] => {
                Verdict::Right(Scene::parse(scene).map_err(|_| unexpected)?)
            }
            [Some("locked")] => Verdict::Locked,
            _ => return Err(unexpected),
        };
        let is_repeat = reply.last() == Some(&Some("again"));
        Ok(Judged { verdict, is_repeat })
    }
}
