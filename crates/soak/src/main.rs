//! Many logins through two gateways, two sites and one Redis, while each of them is killed and
//! started again at random: none may be lost, and none may lead to two sessions.
//!
//! `cargo xtask soak` builds this and runs it with a [`plan::Plan`] as its only argument.

mod client;
mod deliveries;
mod fleet;
mod login;
mod memory;
mod outages;
mod output;
mod people;
mod plan;
mod randomness;
mod report;
mod sessions;
mod tally;
mod webhook;

use std::{future::pending, process::ExitCode, sync::Arc, time::Duration};

use harness::visitor::Replicas;
use reqwest::Client;
use tokio::{task::JoinSet, time::interval};

use crate::{
    deliveries::Deliveries, fleet::Fleet, login::World, memory::Memory, outages::Outages,
    output::say, plan::Plan, tally::Tally, webhook::Receiver,
};

/// How often a line says how far it is, and memory is looked at.
const PROGRESS: Duration = Duration::from_secs(5);

/// As long as the modal waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The receiver of events goes down once one in so many logins is complete.
const DOWN_AFTER: u64 = 5;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Plan::from_arguments() {
        Ok(plan) => run(plan).await,
        Err(wrong) => Err(wrong),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            say(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// The client that all browsers share, with connections that are kept.
fn browsers() -> Result<Client, String> {
    service_kit::http_client::build(ANSWER_TIMEOUT).map_err(|error| error.to_string())
}

/// Runs it all. `false`: it ran, and something was lost, doubled, or kept from finishing.
async fn run(plan: Plan) -> Result<bool, String> {
    let receiver = if plan.webhook {
        Some(Receiver::start().await?)
    } else {
        None
    };
    let fleet = Fleet::start(&plan, receiver.as_ref().map(Receiver::url)).await?;
    let fleet = Arc::new(fleet);
    let people = people::create(fleet.wechat(), plan.people).await;
    say(&format!(
        "two gateways, two sites, one Redis; {} logins by {} people, {} at once, seed {}",
        plan.logins, plan.people, plan.at_once, plan.seed
    ));
    let tally = Arc::new(Tally::new(plan.logins));
    let world = Arc::new(World {
        site: Arc::new(Replicas::new(fleet.sites())),
        wechat: Deliveries::new(fleet.gateways(), plan.push_interval())?,
        people,
        tally: Arc::clone(&tally),
        http: browsers()?,
    });
    let mut workers = JoinSet::new();
    for _ in 0..plan.at_once {
        let world = Arc::clone(&world);
        workers.spawn(async move { world.log_in_until_done().await });
    }
    let mut outages = Outages::new(Arc::clone(&fleet), &plan);
    let mut memory = Memory::default();
    memory.look(&fleet, Duration::ZERO);
    let mut broken = None;
    {
        let logins = async { while workers.join_next().await.is_some() {} };
        let striking = async { outages.strike_on().await };
        let receiving = async {
            if let Some(receiver) = &receiver {
                tally.reaches(plan.logins / DOWN_AFTER).await;
                receiver.be_down();
            }
            pending::<()>().await;
        };
        let watching = async {
            let mut ticks = interval(PROGRESS);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                memory.look(&fleet, tally.elapsed());
                say(&tally.progress());
            }
        };
        tokio::select! {
            () = logins => {}
            failure = striking => broken = Some(failure),
            () = watching => {}
            () = receiving => {}
            _ = tokio::signal::ctrl_c() => broken = Some("stopped by Ctrl-C".to_owned()),
        }
    }
    workers.shutdown().await;
    memory.look(&fleet, tally.elapsed());
    // Whatever was struck last is up again before its Redis is asked.
    let sessions = match fleet.ensure_redis().await {
        Ok(()) => sessions::compare(fleet.redis_url(), &tally).await,
        Err(failure) => Err(failure),
    };
    let told = match &receiver {
        Some(receiver) if broken.is_none() => {
            say("waiting until the receiver has got the rest");
            let gateway = fleet.ensure_gateway().await?;
            Some(receiver.compare(&gateway, &browsers()?).await)
        }
        _ => None,
    };
    let outcome = report::Outcome::new(&plan, &tally, &outages, &memory, sessions, told, broken);
    outcome.print();
    outcome.write(&plan)?;
    Ok(outcome.is_good())
}
