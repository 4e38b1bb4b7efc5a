//! SIGTERM to one gateway and one site while two hundred people log in: all of them get in.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use rustix::process::Signal;
use system_tests::{deadline::eventually, edge::Order, stack::Plan};

use crate::{
    login::{Login, Phase},
    system::System,
};

const LOGINS: usize = 200;

#[tokio::test]
async fn a_stop_under_load_loses_no_push_and_no_login() {
    let plan = Plan::default()
        // All come from one address.
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .site("SITE__LIMITS__WAITING_PER_CLIENT", "0");
    let mut system = System::start(plan, false, Order::InTurn).await;
    let finished = AtomicUsize::new(0);
    let logins = (0..LOGINS).map(async |_| {
        let login = Login::reach(&system, Phase::BeforeTheCode).await;
        let openid = login.log_in(&system).await;
        finished.fetch_add(1, Ordering::Relaxed);
        openid
    });
    let stop = async {
        let so_far = eventually(
            "a tenth is in, and the others are on their way",
            async || {
                let so_far = finished.load(Ordering::Relaxed);
                (so_far >= LOGINS / 10).then_some(so_far)
            },
        )
        .await;
        assert!(so_far < LOGINS, "the load is over");
        system.stack.gateways[0].process.signal(Signal::TERM);
        system.stack.sites[0].process.signal(Signal::TERM);
    };
    let (mut people, ()) = tokio::join!(join_all(logins), stop);
    let mut owners = system.session_owners().await;
    people.sort_unstable();
    owners.sort_unstable();
    assert_eq!(owners, people, "one session for each, and not one more");
    for service in [&mut system.stack.gateways[0], &mut system.stack.sites[0]] {
        assert_eq!(service.process.ended().await.code(), Some(0));
    }
}
