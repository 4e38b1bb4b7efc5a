//! The edge of `docker-compose.yml`.

use std::{
    io::{Read as _, Write as _},
    net::Ipv4Addr,
};

use system_tests::{
    deadline::PATIENCE,
    nginx::{Nginx, free_port},
    stack::Stack,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    time::timeout,
};

use crate::journey::{host, system_at};

const CONFIGURATION: &str = include_str!("../../deploy/edge/nginx.conf");

/// What a client on this host's other addresses stands for: Docker's network, from which a TLS
/// proxy comes.
const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Starts the edge as it stands, with the containers' names and paths replaced by what there is
/// here.
pub(crate) async fn start(stack: &Stack, port: u16) -> Nginx {
    let configuration = CONFIGURATION
        .replace("/tmp/", "{folder}/")
        .replace("stderr", "{folder}/error.log")
        .replace("/dev/stdout", "{folder}/access.log")
        .replace("192.168.0.0/16", &format!("{PROXY}/32"))
        .replace("listen 8080;", &format!("listen 127.0.0.1:{port};"))
        .replace("site:8080", host(&stack.sites[0].public))
        .replace("wechat-gateway:8081", host(&stack.gateways[0].public));
    Nginx::start("edge", &configuration, port, &stack.log).await
}

/// Asks from this address of this machine, and returns the whole answer.
async fn ask(from: Ipv4Addr, port: u16, request: &str) -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind((from, 0).into())
        .expect("an address of this machine");
    let mut stream = socket
        .connect((Ipv4Addr::LOCALHOST, port).into())
        .await
        .expect("the edge listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the edge reads");
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer));
    read.await.expect("the edge answers").expect("in text");
    answer
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: login.example.com\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn its_health_is_its_own_affair() {
    let port = free_port();
    let stack = system_at("https://login.example.com").await;
    let _edge = start(&stack, port).await;
    let own = Ipv4Addr::LOCALHOST;
    // As docker-compose.yml asks.
    let answer = ask(own, port, "GET /edge-health HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"),
        "{answer}"
    );
    for (from, headers) in [
        (PROXY, ""),
        (PROXY, "X-Forwarded-For: 127.0.0.1\r\n"),
        (PROXY, "X-Forwarded-For: 203.0.113.1, 127.0.0.1\r\n"),
        (own, "X-Forwarded-For: 203.0.113.1\r\n"),
        (own, "X-Forwarded-For: 127.0.0.1\r\n"),
    ] {
        for path in [
            "/edge-health",
            "//edge-health",
            "/edge-health?a",
            "/%65dge-health",
        ] {
            let answer = ask(from, port, &get(path, headers)).await;
            assert!(
                answer.starts_with("HTTP/1.1 404 "),
                "{from} {headers}{path}: {answer}"
            );
            assert!(!answer.contains("ok\n"), "{answer}");
        }
    }
}

#[tokio::test]
async fn no_query_reaches_its_log_however_its_question_mark_is_written() {
    let port = free_port();
    let stack = system_at("https://login.example.com").await;
    let edge = start(&stack, port).await;
    for path in [
        "/wechat/callback?signature=a-secret",
        "/wechat/callback%3Fsignature=a-secret",
        "/wechat/callback%3fsignature=a-secret",
        "/wechat/callback%253Fsignature=a-secret",
        "/login/wechat/?code=a-secret",
        "/login/wechat%3Fcode=a-secret&state=b",
        "//login/wechat%3F?code=a-secret",
        "http://login.example.com/login/wechat?code=a-secret",
        "/nothing#a-secret",
    ] {
        ask(Ipv4Addr::LOCALHOST, port, &get(path, "")).await;
    }
    ask(Ipv4Addr::LOCALHOST, port, &get("/assets/the-last", "")).await;
    let log = edge
        .file_with("access.log", "GET /assets/the-last\" 404 ")
        .await;
    assert!(log.contains("\"GET /wechat/callback\" "), "{log}");
    assert!(log.contains("\"GET /login/wechat/\" "), "{log}");
    for secret in ["secret", "signature", "code"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn a_proxys_word_on_client_and_scheme_counts_and_nobody_elses() {
    let port = free_port();
    let stack = system_at("https://login.example.com").await;
    // In the place of the site, something that shows what it is sent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let echo = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(length @ 1..) => request.extend_from_slice(&buffer[..length]),
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
            let _ = stream.write_all(&request);
        }
    });
    let mut stack = stack;
    stack.sites[0].public = format!("http://{echo}");
    let _edge = start(&stack, port).await;
    let own = Ipv4Addr::LOCALHOST;
    for (from, headers, client, scheme) in [
        (own, "", "127.0.0.1", "http"),
        (
            own,
            "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.1\r\n",
            "127.0.0.1",
            "http",
        ),
        (
            PROXY,
            "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.1\r\n",
            "203.0.113.1",
            "https",
        ),
        (
            PROXY,
            "X-Forwarded-Proto: HTTPS , http\r\nX-Forwarded-For: 203.0.113.1:4711\r\n",
            "203.0.113.1",
            "https",
        ),
        (
            PROXY,
            "X-Forwarded-Proto: http, https\r\n",
            "127.0.0.2",
            "http",
        ),
        (
            PROXY,
            "X-Forwarded-Proto: httpsx\r\nX-Forwarded-For: 10.0.0.1, 203.0.113.2\r\n",
            "203.0.113.2",
            "http",
        ),
    ] {
        let answer = ask(from, port, &get("/", headers)).await.to_lowercase();
        let client = format!("x-forwarded-for: {client}\r\n");
        let scheme = format!("x-forwarded-proto: {scheme}\r\n");
        assert!(answer.contains(&client), "{from} {headers}: {answer}");
        assert!(answer.contains(&scheme), "{from} {headers}: {answer}");
    }
}
