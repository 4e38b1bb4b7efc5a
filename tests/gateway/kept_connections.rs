//! A connection to WeChat that is kept for the next call, and closed by WeChat just then.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::json;
use system_tests::{
    attempts::{self, new_openid, new_scene},
    stack::Plan,
};

use crate::{
    http,
    push_request::{PushRequest, scan},
};

const TOKEN: &str = "/cgi-bin/stable_token";
const CREATE: &str = "/cgi-bin/qrcode/create";
const INFO: &str = "/cgi-bin/user/info";

/// The paths that were asked for, each with the number of its connection.
type Asked = Arc<Mutex<Vec<(usize, String)>>>;

/// A WeChat that answers the first call on every connection and closes it at the second.
fn listen() -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let asked = Asked::default();
    let record = Arc::clone(&asked);
    std::thread::spawn(move || {
        for (number, connection) in listener.incoming().enumerate() {
            let record = Arc::clone(&record);
            std::thread::spawn(move || serve(number, connection.expect("it connects"), &record));
        }
    });
    (url, asked)
}

fn serve(number: usize, mut connection: TcpStream, record: &Asked) {
    let mut reader = BufReader::new(connection.try_clone().expect("it can be shared"));
    for first in [true, false] {
        let Some(path) = read_request(&mut reader) else {
            return;
        };
        let asked = path.split('?').next().unwrap_or_default().to_owned();
        record.lock().expect("nobody panics").push((number, asked));
        if !first {
            return;
        }
        let body = match path.split('?').next() {
            Some(TOKEN) => json!({ "access_token": "99_sim_made_up", "expires_in": 7200 }),
            Some(INFO) => json!({ "subscribe": 1, "nickname": "小林" }),
            _ => json!({ "ticket": "x", "expire_seconds": 300, "url": "http://weixin.qq.com/q/x" }),
        };
        let body = body.to_string();
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        connection
            .write_all(answer.as_bytes())
            .expect("the gateway reads");
    }
}

/// The target of the next request, read to its end; `None` when there is none.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(path)
}

#[tokio::test]
async fn a_connection_that_wechat_closed_is_nobodys_failure() {
    let (url, asked) = listen();
    let plan = Plan::default().gateway("GATEWAY__WECHAT__API_URL", &url);
    let stack = http::start(plan).await;
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    let answer = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    // A code is asked for several times in any case, a profile isn't.
    let scene = attempts::open(&stack.redis.store()).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    assert_eq!(push.send(&stack.gateways[0]).await.status, 200);
    let member = http::get(&stack.gateways[0], &format!("/v1/members/{person}")).await;
    assert_eq!(member.json["nickname"], "小林", "{}", member.text);
    // Each time the kept connection was used, closed without an answer, and replaced.
    let expected = [(0, TOKEN), (0, CREATE), (1, CREATE), (1, INFO), (2, INFO)];
    let asked = asked.lock().expect("nobody panics").clone();
    assert_eq!(
        asked,
        expected.map(|(number, path)| (number, path.to_owned()))
    );
}
