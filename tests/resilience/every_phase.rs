//! Each fault in each phase of a login: the same code logs in, once, and nothing answered is
//! missing.

use futures_util::future::join_all;
use rustix::process::Signal;
use system_tests::{edge::Order, stack::Plan};

use crate::{
    login::{Login, PHASES, Phase},
    system::System,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// SIGKILL; started again with its append-only file.
    RedisKilled,
    /// SIGSTOP for longer than every timeout.
    RedisPaused,
    /// SIGKILL of the replica that has served the login so far; it stays away.
    GatewayKilled,
    /// The same of a site.
    SiteKilled,
}

impl Fault {
    /// Brings it about, has somebody notice, and lets it pass.
    async fn strike(self, system: &mut System, login: &mut Login) {
        match self {
            Self::RedisKilled => {
                system.stack.redis.kill();
                login.is_told(system).await;
                system.stack.redis.restart().await;
            }
            Self::RedisPaused => {
                let seen = system.stack.sites[0].process.lines().len();
                system.stack.redis.process.signal(Signal::STOP);
                login.is_told(system).await;
                // The slowest of all to notice is the subscription: five seconds until it asks, two
                // for the answer, and two for a new connection.
                let site = &mut system.stack.sites[0].process;
                site.line_with_after("lost the Redis subscription", seen)
                    .await;
                system.stack.redis.process.signal(Signal::CONT);
            }
            Self::GatewayKilled => system.stack.gateways[0].process.kill(),
            Self::SiteKilled => system.stack.sites[0].process.kill(),
        }
    }
}

async fn survives(fault: Fault, phase: Phase) {
    // The press is a phase of its own in tap mode only.
    let tap = phase == Phase::Scanned;
    let mut system = System::start(Plan::default(), tap, Order::FirstAlive).await;
    let mut login = Login::reach(&system, phase).await;
    fault.strike(&mut system, &mut login).await;
    login.finish(&system).await;
}

async fn survives_in_every_phase(fault: Fault) {
    join_all(PHASES.map(|phase| survives(fault, phase))).await;
}

#[tokio::test]
async fn redis_is_killed_and_started_again() {
    survives_in_every_phase(Fault::RedisKilled).await;
}

#[tokio::test]
async fn redis_hangs_for_longer_than_every_timeout() {
    survives_in_every_phase(Fault::RedisPaused).await;
}

#[tokio::test]
async fn one_of_two_gateways_is_killed() {
    survives_in_every_phase(Fault::GatewayKilled).await;
}

#[tokio::test]
async fn one_of_two_sites_is_killed() {
    survives_in_every_phase(Fault::SiteKilled).await;
}
