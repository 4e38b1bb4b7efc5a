//! Whose `X-Forwarded-For` is believed.

use reqwest::Method;
use system_tests::stack::{Plan, Stack};

/// Starts a login in a new browser with this header and returns the status.
async fn start_from(stack: &Stack, forwarded_for: &str) -> u16 {
    let mut visitor = stack.visitor();
    visitor.set_header("x-forwarded-for", forwarded_for);
    let answer = visitor.call(Method::POST, "/api/login").await;
    answer.status.as_u16()
}

fn one_login_a_client() -> Plan {
    Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "1")
}

#[tokio::test]
async fn nobody_chooses_an_address_of_their_own() {
    for proxies in ["", "192.0.2.0/24, 2001:db8::/32"] {
        let plan = one_login_a_client().site("SITE__PUBLIC__TRUSTED_PROXIES", proxies);
        let stack = plan.start().await;
        assert_eq!(start_from(&stack, "203.0.113.1").await, 201);
        for other in ["203.0.113.2", "192.0.2.1", "::1", ""] {
            assert_eq!(start_from(&stack, other).await, 429, "{other:?}");
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_who_the_client_is() {
    let plan = one_login_a_client().site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let stack = plan.start().await;
    let begun = [
        "203.0.113.1",
        // The last address that no trusted proxy stands behind.
        "198.51.100.7, 203.0.113.2",
        "203.0.113.3, 10.1.2.3",
        "2001:db8:1:2::1",
    ];
    for client in begun {
        assert_eq!(start_from(&stack, client).await, 201, "{client}");
    }
    let refused = [
        "203.0.113.1",
        "spoofed, 203.0.113.2",
        "192.0.2.99, 203.0.113.2",
        "203.0.113.3, 10.9.9.9, 10.1.2.3",
        "::ffff:203.0.113.1",
        // One subscriber's network.
        "2001:db8:1:2:ffff::9",
    ];
    for client in refused {
        assert_eq!(start_from(&stack, client).await, 429, "{client}");
    }
    assert_eq!(start_from(&stack, "2001:db8:1:3::1").await, 201);
}

#[tokio::test]
async fn streams_are_counted_by_the_same_address() {
    let plan = Plan::default()
        .site("SITE__LIMITS__WAITING_PER_CLIENT", "1")
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    visitor.set_header("x-forwarded-for", "203.0.113.1");
    let _stream = visitor.events().await;
    let answer = visitor.call(Method::GET, "/api/login/events").await;
    assert_eq!(answer.status, 429);
    visitor.set_header("x-forwarded-for", "203.0.113.2");
    let _other = visitor.events().await;
}
