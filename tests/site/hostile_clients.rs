//! Clients that keep to no rules, at the site's public address: each is ended, and between them a
//! visitor gets a code as ever.

use futures_util::future::join_all;
use system_tests::{
    hostile_client::{wrong_bodies, wrong_heads},
    stack::{Plan, Stack},
};

/// How much more memory a site may have after three rounds than after the first.
const GROWTH_KIB: u64 = 16 * 1024;

/// How many do the same at one time.
const CROWD: usize = 10;

async fn assert_shows_a_code(stack: &Stack) {
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    assert_eq!(visitor.status().await, "pending");
}

#[tokio::test]
async fn whoever_keeps_to_no_rules_is_ended_and_costs_no_memory() {
    let stack = Plan::default().start().await;
    let public = &stack.sites[0].public;
    let path = "/api/login/complete";
    let assaults = [wrong_heads(path), wrong_bodies(path)].concat();
    let mut after_the_first = None;
    for _ in 0..3 {
        let crowd = assaults
            .iter()
            .flat_map(|assault| std::iter::repeat_n(assault, CROWD));
        let strikes = crowd.map(|assault| async move { (assault, assault.strike(public).await) });
        let (answers, ()) = tokio::join!(join_all(strikes), assert_shows_a_code(&stack));
        for (assault, answer) in answers {
            assault.assert_refused(&answer);
        }
        assert_shows_a_code(&stack).await;
        let resident = stack.sites[0].process.resident_kib();
        let bound = *after_the_first.get_or_insert(resident) + GROWTH_KIB;
        assert!(resident <= bound, "{resident} KiB, more than {bound}");
    }
}
