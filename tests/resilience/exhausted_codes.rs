//! The day's QR codes under attack: one customer's IPv6 network and ten IPv4 addresses take as many
//! as they get, and everybody else still logs in.

use std::{
    future::ready,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use futures_util::{StreamExt as _, stream};
use system_tests::{
    deadline::PATIENCE,
    stack::{Plan, Stack},
    visitor::Visitor,
};

/// Hardly more than the attackers get in a minute where they are limited and codes aren't paced:
/// 480 for the /48 and 30 for each address.
const CODES_PER_DAY: usize = 800;

/// How many logins the attackers begin before anybody else does: the whole day's codes, and half as
/// many again.
const HEAD_START: u32 = 1200;

/// How many more of theirs there are for each honest one.
const ATTACKS_FOR_EACH: u32 = 4;

const VISITORS: u32 = 70;

/// More than count as few where nobody completes a login, fewer than a client's minute has.
const OFFICE: u32 = 24;

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// The attackers' addresses, in turn: a new /64 of their /48 each time, which only takes counting,
/// and ten IPv4 addresses.
fn attacker(number: u32) -> IpAddr {
    let turn = number / 2;
    if number.is_multiple_of(2) {
        // Multiplied by an odd number the turns are spread over all /56 of the /48.
        let subnet = (turn.wrapping_mul(40_503) & 0xffff) as u16;
        Ipv6Addr::new(0x2001, 0xdb8, 0x66, subnet, 0, 0, 0, 1).into()
    } else {
        let host = u8::try_from(turn % 10).expect("it is below ten");
        Ipv4Addr::new(198, 51, 100, host).into()
    }
}

/// Each visitor's address is their own, of either kind.
fn honest(number: u32) -> IpAddr {
    let [.., high, low] = number.to_be_bytes();
    if number.is_multiple_of(2) {
        Ipv4Addr::new(203, 0, 113, low).into()
    } else {
        let customer = u16::from_be_bytes([high, low]);
        Ipv6Addr::new(0x2001, 0xdb8, 0x1000 + customer, 0, 0, 0, 0, 1).into()
    }
}

/// Begins a login in a new browser at this address; whether there was a code.
async fn gets_a_code(http: &reqwest::Client, stack: &Stack, address: IpAddr) -> bool {
    let request = http
        .post(format!("{}/api/login", stack.sites[0].public))
        .header("x-forwarded-for", address.to_string());
    let answer = request.send().await.expect("the site answers");
    answer.status() == 201
}

/// Returns how many codes they got.
async fn attack(http: &reqwest::Client, stack: &Stack, numbers: Range<u32>) -> usize {
    stream::iter(numbers)
        .map(async |number| gets_a_code(http, stack, attacker(number)).await)
        .buffer_unordered(AT_ONCE)
        .filter(|got| ready(*got))
        .count()
        .await
}

#[tokio::test]
async fn visitors_log_in_while_a_48_and_ten_addresses_take_all_they_get() {
    let plan = Plan::default()
        .gateway(
            "GATEWAY__LIMITS__QR_CODES_PER_DAY",
            &CODES_PER_DAY.to_string(),
        )
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8")
        // What holds even where the attackers' browsers work for each code.
        .site("SITE__LIMITS__LOGINS_WITHOUT_PROOF", "0");
    let stack = plan.start().await;
    let http = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    let taken = attack(&http, &stack, 0..HEAD_START).await;
    assert!(taken > CODES_PER_DAY / 8, "{taken}: the attack is none");
    let (mut begun, mut served) = (0, 0);
    for visitor in 0..VISITORS {
        for _ in 0..=visitor % 3 {
            let first = HEAD_START + begun * ATTACKS_FOR_EACH;
            attack(&http, &stack, first..first + ATTACKS_FOR_EACH).await;
            begun += 1;
            served += u32::from(gets_a_code(&http, &stack, honest(visitor)).await);
        }
    }
    assert!(served * 100 >= begun * 99, "{served} of {begun}");

    // An office behind one address, of whose people every second one gives up. A code in hand is a
    // login.
    for number in 0..OFFICE {
        let first = HEAD_START + (begun + number) * ATTACKS_FOR_EACH;
        attack(&http, &stack, first..first + ATTACKS_FOR_EACH).await;
        let mut visitor = Visitor::new(&stack.sites[0].public);
        visitor.set_header("x-forwarded-for", "192.0.2.1");
        let content = visitor.start_login().await;
        if number.is_multiple_of(2) {
            let person = stack.wechat.person("小林", true).await;
            stack.wechat.scan(&person, &content).await;
            visitor.status_becomes("confirmed").await;
            visitor.complete().await;
        }
    }
}
