//! How many QR codes the account creates in a day, on all gateways together: WeChat's quota is shared with
//! whoever else creates codes for it.

use std::time::Duration;

use jiff::civil::Date;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{identity::AppId, redis_keys};

static TAKE: AtomicScript = AtomicScript::new(include_str!("codes_take.lua"));

/// Longer than a day, wherever it begins.
const REMEMBERED: Duration = Duration::from_hours(48);

/// Takes a share of a day's codes, so that not every code costs a round trip. What a gateway doesn't use
/// of it before it ends is lost for the day. Taking again after a lost answer takes another share.
#[derive(Debug, Clone)]
pub struct TakeCodes {
    /// The account.
    pub app_id: AppId,
    /// The day, as WeChat counts days.
    pub day: Date,
    /// How many at most.
    pub share: u32,
    /// How many there are in a day.
    pub per_day: u32,
}

impl Step for TakeCodes {
    /// How many may be created; 0 when the day's are used up.
    type Outcome = u32;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TAKE,
            key: redis_keys::codes_taken(&self.app_id, self.day),
            arguments: vec![
                self.share.to_string(),
                self.per_day.to_string(),
                REMEMBERED.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<u32, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "TakeCodes" };
        match words(reply).as_slice() {
            [Some("granted"), Some(granted)] => granted.parse().map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }
}
