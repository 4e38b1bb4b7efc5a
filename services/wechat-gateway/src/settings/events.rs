//! The stream of events.

use jiff::SignedDuration;
use service_kit::{
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};

/// The most days. Events are in Redis' memory.
const LONGEST: u32 = 365;

/// For how long events are kept.
pub(super) static KEEP_DAYS: Key<u32> = Key {
    name: "events.keep_days",
    default: Default::Text("7"),
    example: "7",
    meaning: "for how many days events are kept: who followed, left, changed their profile or logged in \
              (`GET /v1/events`, webhooks), up to 365. 0: none are written",
    meaning_zh: "事件保留几天，最多 365：关注、取消关注、资料变化和登录（`GET /v1/events` 和 Webhook）。0：\
                 不记录事件",
    secret: false,
    parse: |value| match parse::integer_from::<0>(value)? {
        days @ 0..=LONGEST => Ok(days),
        days => Err(format!("must be at most {LONGEST}, not {days}")),
    },
};

/// The stream of events.
#[derive(Debug, Clone, Copy)]
pub struct EventSettings {
    /// For how long events are kept; `None`: there are none.
    pub keep: Option<SignedDuration>,
}

impl Section for EventSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let days = reader.value(&KEEP_DAYS)?;
        let keep = SignedDuration::from_hours(24 * i64::from(days));
        Some(Self {
            keep: (days > 0).then_some(keep),
        })
    }
}
