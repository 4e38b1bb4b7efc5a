//! Clients that keep to no rules, at the address that the whole internet reaches: each is ended,
//! and between them WeChat's pushes are answered as ever.

use futures_util::future::join_all;
use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    hostile_client::{wrong_bodies, wrong_heads},
    stack::{Plan, Stack},
};

use crate::{
    http,
    push_request::{PushRequest, scan, sealed_reply},
};

/// How much more memory a gateway may have after three rounds than after the first.
const GROWTH_KIB: u64 = 16 * 1024;

/// How many do the same at one time.
const CROWD: usize = 10;

/// One login by a push.
async fn assert_logs_in(stack: &Stack) {
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    sealed_reply(&push.send(&stack.gateways[0]).await, &person);
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Confirmed
    );
}

#[tokio::test]
async fn whoever_keeps_to_no_rules_is_ended_and_costs_no_memory() {
    let stack = http::start(Plan::default()).await;
    let public = &stack.gateways[0].public;
    let path = "/wechat/callback";
    let assaults = [wrong_heads(path), wrong_bodies(path)].concat();
    let mut after_the_first = None;
    for _ in 0..3 {
        let crowd = assaults
            .iter()
            .flat_map(|assault| std::iter::repeat_n(assault, CROWD));
        let strikes = crowd.map(|assault| async move { (assault, assault.strike(public).await) });
        let (answers, ()) = tokio::join!(join_all(strikes), assert_logs_in(&stack));
        for (assault, answer) in answers {
            assault.assert_refused(&answer);
        }
        assert_logs_in(&stack).await;
        let resident = stack.gateways[0].process.resident_kib();
        let bound = *after_the_first.get_or_insert(resident) + GROWTH_KIB;
        assert!(resident <= bound, "{resident} KiB, more than {bound}");
    }
}
