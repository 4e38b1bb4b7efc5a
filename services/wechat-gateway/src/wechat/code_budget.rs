//! The day's QR codes. WeChat's quota is the account's, and whoever else creates codes for it needs some:
//! so this service stops before the quota does.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use login_protocol::{identity::AppId, problem::ProblemCode, steps::TakeCodes};
use service_kit::{
    problem::Problem,
    redis::Store,
    settings::{InvalidSettings, Settings},
};
use tokio::sync::Mutex;

use crate::settings;

/// How many codes a gateway takes out of the day's at once.
const SHARE: u32 = 20;

/// What is left of the day's codes.
pub struct CodeBudget {
    store: Arc<Store>,
    app_id: AppId,
    per_day: u32,
    taken: Mutex<Share>,
}

#[derive(Default)]
struct Share {
    day: Date,
    left: u32,
}

impl CodeBudget {
    /// As many codes a day as the settings say; 0 is no limit.
    ///
    /// # Errors
    ///
    /// When a setting is no good.
    pub fn new(values: &Settings, store: Arc<Store>) -> Result<Self, InvalidSettings> {
        Ok(Self {
            store,
            app_id: values.get(&settings::APP_ID)?,
            per_day: values.get(&settings::QR_CODES_PER_DAY)?,
            taken: Mutex::default(),
        })
    }

    /// Takes one code of the day. While Redis is away nobody counts: WeChat does in any case.
    ///
    /// # Errors
    ///
    /// The day's codes are used up.
    pub async fn take(&self) -> Result<(), Problem> {
        if self.per_day == 0 {
            return Ok(());
        }
        let now = Timestamp::now().to_zoned(wechats_zone());
        let mut share = self.taken.lock().await;
        if share.day != now.date() || share.left == 0 {
            let step = TakeCodes {
                app_id: self.app_id.clone(),
                day: now.date(),
                share: SHARE,
                per_day: self.per_day,
            };
            let left = match self.store.run(&step).await {
                Ok(granted) => granted,
                Err(error) => {
                    tracing::warn!(%error, "the day's QR codes can't be counted");
                    return Ok(());
                }
            };
            *share = Share {
                day: now.date(),
                left,
            };
        }
        if share.left == 0 {
            tracing::error!(
                per_day = self.per_day,
                "the day's QR codes are used up; raise limits.qr_codes_per_day if WeChat's quota allows it"
            );
            let detail = "The account's QR codes for today are used up.";
            let tomorrow = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
            let wait = tomorrow.ok().and_then(|at| {
                Duration::try_from(at.timestamp().duration_since(now.timestamp())).ok()
            });
            return Err(Problem::new(ProblemCode::DailyCodesUsedUp, detail)
                .retry_after(wait.unwrap_or(Duration::from_hours(1))));
        }
        share.left -= 1;
        Ok(())
    }
}

/// WeChat's days are China's.
fn wechats_zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}
