//! Whose `X-Forwarded-For` is trusted, and how it may be written.

use reqwest::Method;
use system_tests::stack::{Plan, Stack};

use crate::headers::exchange;

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

/// Starts a login with these header lines, byte by byte, and returns the status.
fn start_with(stack: &Stack, lines: &[&[u8]]) -> u16 {
    let mut request =
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".to_vec();
    for line in lines {
        request.extend_from_slice(b"X-Forwarded-For: ");
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let answer = exchange(&stack.sites[0].public, &request);
    let status = answer.split(' ').nth(1).expect("an answer has a status");
    status.parse().expect("it is a number")
}

#[tokio::test]
async fn a_clients_address_counts_however_its_proxy_writes_it() {
    let plan = one_login_a_client().site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let stack = plan.start().await;
    let mut number = 0;
    let forms: [(&str, &[&[u8]]); 9] = [
        ("a port", &[b"@:51000"]),
        ("a mapped address with a port", &[b"[::ffff:@]:51000"]),
        ("quotes", &[b"\"@:51000\""]),
        ("a comma at the end", &[b"@, "]),
        ("empty entries", &[b"@,,\t, 10.1.2.3:80,"]),
        ("what is no text in front", &[b"\xff\xfe, @"]),
        (
            "what is no address in front",
            &[b"unknown, 198.51.100.1:x, @"],
        ),
        (
            "several lines",
            &[b"198.51.100.1", b"\xe4\xbd", b"@:80", b"10.1.2.3"],
        ),
        ("an address of one's own choice", &[b"127.0.0.1, @"]),
    ];
    for (what, lines) in forms {
        number += 1;
        let address = format!("203.0.113.{number}");
        let written: Vec<Vec<u8>> = lines
            .iter()
            .map(|line| {
                let parts: Vec<&[u8]> = line.split(|byte| *byte == b'@').collect();
                parts.join(address.as_bytes())
            })
            .collect();
        let lines: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
        assert_eq!(start_with(&stack, &lines), 201, "{what}");
        // It is that client's one login, whose address is written plainly now, and nobody else's.
        assert_eq!(start_from(&stack, &address).await, 429, "{what}");
    }
    assert_eq!(start_with(&stack, &[b"[2001:db8:1:2::1]:443"]), 201);
    assert_eq!(start_from(&stack, "2001:db8:1:2::2").await, 429);

    // A proxy that names no address speaks for itself alone, whatever its client sent with that.
    assert_eq!(start_with(&stack, &[b"198.51.100.7, unknown"]), 201);
    for spoofed in [
        &b"198.51.100.8, unknown"[..],
        b"198.51.100.9, \xff",
        b"198.51.100.9:1, [::1",
    ] {
        assert_eq!(start_with(&stack, &[spoofed]), 429);
    }
    assert_eq!(start_from(&stack, "198.51.100.7").await, 201);
}
