//! WeChat's API as a few answers that never change, cheaper than anything that asks for them.

use std::net::SocketAddr;

use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{attempts::CODE_CONTENT, http_wire::Head, output::say};

/// <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>
const TOKEN: &str = r#"{"access_token":"98_benchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbench","expires_in":7200}"#;

/// A follower since 2021, when nickname and avatar became empty.
/// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo>
const PERSON: &str = r#"{"subscribe":1,"openid":"oJqxQwYRyZMXFTc8sipB5TSe6Vw4","nickname":"","sex":0,"language":"zh_CN","city":"","province":"","country":"","headimgurl":"","subscribe_time":1646092800,"unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL","remark":"","groupid":0,"tagid_list":[],"subscribe_scene":"ADD_SCENE_QR_CODE","qr_scene":0,"qr_scene_str":""}"#;

/// What the limit with one HTTP hop asks for.
pub(crate) const HOP: &str = "/hop";

/// What is there, as long as an attempt's status.
pub(crate) const BODY: &str =
    r#"{"status":"pending","expires_at":"2026-11-22T12:00:00.123Z","limit":"bench-limit"}"#;

/// Serves until it is killed. Prints its address first.
pub(crate) async fn serve() -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("the stand-in can't listen: {error}");
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    say(&format!("stand-in ready http://{address}"));
    loop {
        // One that can't be accepted is its client's loss.
        if let Ok((stream, _)) = listener.accept().await {
            // Without it answers may wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            tokio::spawn(answer_all(stream));
        }
    }
}

async fn answer_all(mut stream: TcpStream) {
    let answers = Answers::new();
    let mut received = Vec::with_capacity(8 * 1024);
    loop {
        while let Some(length) = complete_request(&received) {
            let answer = answers.to(&received[..length]);
            if stream.write_all(answer).await.is_err() {
                return;
            }
            received.drain(..length);
        }
        match stream.read_buf(&mut received).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// The length of the first request once all of it is here. A request's lines have the form of an
/// answer's.
fn complete_request(received: &[u8]) -> Option<usize> {
    let head = Head::parse(received)?;
    let length = head.length + head.body_length;
    (received.len() >= length).then_some(length)
}

struct Answers {
    token: Vec<u8>,
    code: Vec<u8>,
    person: Vec<u8>,
    hop: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        let code = format!(
            r#"{{"ticket":"gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9xL2taZ2Z3TVRtNzJXV1Brb3ZhYmJJAAIEZ23sUwMEmm3sUw==","expire_seconds":360,"url":"{CODE_CONTENT}"}}"#
        );
        Self {
            token: with_head(TOKEN),
            code: with_head(&code),
            person: with_head(PERSON),
            hop: with_head(BODY),
        }
    }

    fn to(&self, request: &[u8]) -> &[u8] {
        let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or(b"");
        if path.starts_with(b"/cgi-bin/user/info?") {
            &self.person
        } else if path.starts_with(b"/cgi-bin/qrcode/create?") {
            &self.code
        } else if path == HOP.as_bytes() {
            &self.hop
        } else if path == b"/cgi-bin/stable_token" {
            &self.token
        } else {
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        }
    }
}

/// The time is that of the stand-in's start, by which a gateway that starts beside it judges its
/// clock.
fn with_head(body: &str) -> Vec<u8> {
    let date = DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&Timestamp::now())
        .expect("the year has four digits");
    format!(
        "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-type: application/json; encoding=utf-8\r\n\
         date: {date}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use wechat_wire::api::{AccessTokenGranted, QrCodeCreated, UserInfo, decode};

    use super::*;

    fn body(answer: &[u8]) -> &[u8] {
        let head = Head::parse(answer).unwrap();
        assert_eq!(answer.len(), head.length + head.body_length);
        &answer[head.length..]
    }

    #[test]
    fn the_gateway_can_read_the_answers() {
        let answers = Answers::new();
        let to = |line: &str| body(answers.to(format!("{line} HTTP/1.1\r\n\r\n").as_bytes()));
        let granted: AccessTokenGranted = decode(to("POST /cgi-bin/stable_token")).unwrap();
        assert_eq!(granted.expires_in, Some(7200));
        let code: QrCodeCreated = decode(to("POST /cgi-bin/qrcode/create?access_token=x")).unwrap();
        assert_eq!(code.url, CODE_CONTENT);
        let person: UserInfo = decode(to("GET /cgi-bin/user/info?openid=x")).unwrap();
        assert_eq!(person.is_subscribed(), Some(true));
    }

    #[test]
    fn a_request_is_answered_once_its_body_is_here() {
        let request = b"POST /x HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(complete_request(request), Some(request.len()));
        assert_eq!(complete_request(&request[..request.len() - 1]), None);
    }
}
