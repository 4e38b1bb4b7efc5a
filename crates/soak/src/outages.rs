//! Who is struck, when and how: random, and repeatable by its seed.

use std::{collections::BTreeMap, future::pending, sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    fleet::{Fleet, VICTIMS, Victim},
    output::say,
    plan::Plan,
    randomness::Random,
};

/// Strikes one process after the other, each once the last one is back.
pub(crate) struct Outages {
    fleet: Arc<Fleet>,
    random: Random,
    every: f64,
    polite: [bool; VICTIMS.len()],
    /// How often which kind was struck how, such as `site SIGTERM`.
    pub(crate) restarts: BTreeMap<&'static str, u64>,
    /// How often a process that was asked to stop ended otherwise than with 0.
    pub(crate) unclean_stops: u64,
}

impl Outages {
    /// Nothing is struck yet.
    pub(crate) fn new(fleet: Arc<Fleet>, plan: &Plan) -> Self {
        Self {
            fleet,
            random: Random::new(plan.seed),
            every: plan.outage_every_seconds,
            polite: [false; VICTIMS.len()],
            restarts: BTreeMap::new(),
            unclean_stops: 0,
        }
    }

    /// Strikes until it is dropped. Returns when a process can't be started again, and why.
    pub(crate) async fn strike_on(&mut self) -> String {
        if self.every <= 0.0 {
            return pending().await;
        }
        loop {
            let pause = self.every * self.random.about_one();
            sleep(Duration::from_secs_f64(pause)).await;
            if let Err(failure) = self.strike().await {
                return failure;
            }
        }
    }

    async fn strike(&mut self) -> Result<(), String> {
        let choice = self.random.below(VICTIMS.len());
        let victim = VICTIMS[choice];
        let politely = victim != Victim::Redis && self.polite[choice];
        self.polite[choice] = !self.polite[choice];
        let name = match (victim, politely) {
            (Victim::Gateway(_), false) => "wechat-gateway SIGKILL",
            (Victim::Gateway(_), true) => "wechat-gateway SIGTERM",
            (Victim::Site(_), false) => "site SIGKILL",
            (Victim::Site(_), true) => "site SIGTERM",
            (Victim::Redis, _) => "redis SIGKILL",
        };
        *self.restarts.entry(name).or_default() += 1;
        if politely {
            let status = self.fleet.stop(victim).await?;
            if !status.success() {
                say(&format!(
                    "{victim:?} was asked to stop and ended with {status}"
                ));
                self.unclean_stops += 1;
            }
            return Ok(());
        }
        self.fleet.kill(victim).await
    }
}
