//! Bodies without an end, at every listener of both services: each loses its connection, whoever
//! reads it and whether anybody does.

use futures_util::future::join_all;
use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts,
    hostile_client::{Assault, endless_bodies},
    stack::{API_KEY, Plan, Stack},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::http;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// Listeners with the beginnings of requests.
fn targets(stack: &Stack) -> Vec<(String, String)> {
    let (gateway, site) = (&stack.gateways[0], &stack.sites[0]);
    let json = "Content-Type: application/json\r\n";
    let key = format!("Authorization: Bearer {API_KEY}\r\n{json}");
    let targets: &[(&str, &str, &str)] = &[
        (&gateway.public, "POST /wechat/callback", ""),
        (&gateway.public, "GET /wechat/callback", ""),
        (&gateway.public, "POST /wechat/oauth/confirm/decision", FORM),
        (
            &gateway.public,
            "POST /wechat/oauth/confirm/decision/",
            FORM,
        ),
        (&gateway.public, "GET /wechat/oauth/thanks", ""),
        (&gateway.public, "POST /nothing", ""),
        (&gateway.internal, "POST /v1/qrcodes", &key),
        (&gateway.internal, "POST /v1/qrcodes", json),
        (&gateway.internal, "POST /v1/access-token/invalidate", &key),
        (&gateway.internal, "POST /v1/web-authorizations", &key),
        (&gateway.internal, "GET /v1/access-token", &key),
        (&gateway.internal, "GET /metrics", ""),
        (&gateway.internal, "DELETE /nothing", ""),
        (&site.public, "POST /api/login/complete", ""),
        (&site.public, "DELETE /api/login", ""),
        (&site.public, "GET /api/session", ""),
        (&site.public, "GET /", ""),
        (&site.public, "INVENTED /nothing", ""),
        (&site.internal, "GET /readyz", ""),
        (&site.internal, "POST /nothing", ""),
    ];
    let targets = targets.iter().map(|(listener, request, headers)| {
        let head = format!("{request} HTTP/1.1\r\n{headers}");
        ((*listener).to_owned(), head)
    });
    targets.collect()
}

#[tokio::test]
async fn each_loses_its_connection_at_every_address() {
    let stack = Plan::default().start().await;
    let strikes = targets(&stack).into_iter().flat_map(|(listener, head)| {
        let assaults = endless_bodies(&head);
        let strike = move |assault: Assault| {
            let (listener, head) = (listener.clone(), head.clone());
            async move { (assault.strike(&listener).await, head, assault.name) }
        };
        assaults.into_iter().map(strike)
    });
    for (answer, head, name) in join_all(strikes).await {
        // A body that was begun is no half of an action: nothing was created.
        assert!(!answer.contains("HTTP/1.1 201"), "{head}{name}: {answer}");
        // That a body doesn't come is the client's fault.
        assert!(!answer.contains("HTTP/1.1 5"), "{head}{name}: {answer}");
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 0);
}

#[tokio::test]
async fn who_reads_a_body_says_why_it_is_refused() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let key = format!("Authorization: Bearer {API_KEY}\r\nContent-Type: application/json\r\n");
    let heads = [
        (
            &gateway.internal,
            format!("POST /v1/qrcodes HTTP/1.1\r\n{key}"),
        ),
        (
            &gateway.public,
            format!("POST /wechat/oauth/confirm/decision HTTP/1.1\r\n{FORM}"),
        ),
        (
            &gateway.public,
            "POST /wechat/callback?signature=a&timestamp=1&nonce=b HTTP/1.1\r\n".to_owned(),
        ),
    ];
    let strikes = heads.iter().flat_map(|(listener, head)| {
        let strike = move |assault: Assault| async move {
            (assault.strike(listener).await, head, assault.name)
        };
        endless_bodies(head).into_iter().map(strike)
    });
    for (answer, head, name) in join_all(strikes).await {
        let expected = match name {
            "chunks without an end" | "a body without a bound" => "HTTP/1.1 413 ",
            _ => "HTTP/1.1 408 ",
        };
        let answer = answer.replace("HTTP/1.1 100 Continue\r\n\r\n", "");
        assert!(answer.starts_with(expected), "{head}{name}: {answer}");
        let answer = answer.to_lowercase();
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        let is_problem = answer.contains("application/problem+json");
        assert_eq!(is_problem, head.contains("/v1/"), "{answer}");
    }
}

/// How many hold on at one time.
const CROWD: usize = 400;

/// How much more memory a gateway may have after the second crowd than after the first.
const GROWTH_KIB: u64 = 8 * 1024;

#[tokio::test]
async fn a_crowd_leaves_nothing_behind() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let address = gateway.public.replace("http://", "");
    let request = format!(
        "POST /wechat/oauth/confirm/decision HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 1000\r\n\r\nticket=a"
    );
    let mut after_the_first = None;
    for _ in 0..2 {
        let crowd = (0..CROWD).map(|_| async {
            let mut client = TcpStream::connect(&address).await.expect("it listens");
            client
                .write_all(request.as_bytes())
                .await
                .expect("it reads");
            let mut answer = Vec::new();
            let ended = timeout(
                system_tests::deadline::PATIENCE,
                client.read_to_end(&mut answer),
            );
            ended.await.expect("the connection is ended").ok();
            String::from_utf8_lossy(&answer).into_owned()
        });
        let answers = join_all(crowd).await;
        assert!(
            answers
                .iter()
                .all(|answer| answer.starts_with("HTTP/1.1 408 "))
        );
        let resident = gateway.process.resident_kib();
        let bound = *after_the_first.get_or_insert(resident) + GROWTH_KIB;
        assert!(resident <= bound, "{resident} KiB, more than {bound}");
    }
    let scene = attempts::open(&stack.redis.store()).await;
    let status = attempts::status(&stack.redis.store(), &scene).await;
    assert_eq!(status, AttemptStatus::Pending);
}

/// Who sends request after request and reads no answer holds the connection as well.
#[tokio::test]
async fn who_reads_no_answer_is_ended() {
    let stack = Plan::default().start().await;
    let address = stack.sites[0].public.replace("http://", "");
    let mut client = TcpStream::connect(&address).await.expect("it listens");
    let request = b"GET /assets/wechat-login.js HTTP/1.1\r\nHost: x\r\n\r\n";
    let patience = system_tests::deadline::PATIENCE * 2;
    let refused = timeout(patience, async {
        // Until the system's buffers are full on both sides, and then until the site has enough.
        while client.write_all(request).await.is_ok() {}
    });
    refused.await.expect("the connection is ended");
}
