//! The wire form of answers: compact JSON, `/` written as `\/`, control characters raw, and
//! `Content-Type: application/json; encoding=utf-8`, all as recorded.

use std::borrow::Cow;
use std::fmt;
use std::io;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use wechat_wire::api::ApiError;

use crate::random;

/// A failure that WeChat names with a code. It travels with HTTP 200.
#[derive(Debug)]
pub(super) struct Refusal {
    errcode: i64,
    errmsg: Cow<'static, str>,
}

/// The failure of this code, in WeChat's words.
pub(super) fn refusal(errcode: i64) -> Refusal {
    Refusal {
        errcode,
        errmsg: Cow::Borrowed(words(errcode)),
    }
}

/// The caller's address is not on the whitelist; the text names it, for the operator to copy.
pub(super) fn not_in_whitelist(address: &str) -> Refusal {
    let errmsg = format!("invalid ip {address} ipv6 ::ffff:{address}, not in whitelist");
    Refusal {
        errcode: 40164,
        errmsg: Cow::Owned(errmsg),
    }
}

/// Answers a call that succeeded.
pub(super) fn success(answer: &impl Serialize) -> HttpResponse {
    json(answer)
}

/// Answers a call that succeeded and has nothing to say.
pub(super) fn acknowledged() -> HttpResponse {
    success(&ApiError {
        errcode: 0,
        errmsg: "ok".to_owned(),
    })
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "errcode {}", self.errcode)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::OK
    }

    fn error_response(&self) -> HttpResponse {
        let errmsg = format!("{} rid: {}", self.errmsg, request_id());
        json(&ApiError {
            errcode: self.errcode,
            errmsg,
        })
    }
}

impl Responder for Refusal {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

/// Three groups of eight hexadecimal digits; the first is the time.
fn request_id() -> String {
    let random = random::number();
    let (middle, last) = (random >> 32, random & 0xffff_ffff);
    format!(
        "{:08x}-{middle:08x}-{last:08x}",
        Timestamp::now().as_second()
    )
}

fn json(answer: &impl Serialize) -> HttpResponse {
    let mut body = Vec::new();
    let written = answer.serialize(&mut Serializer::with_formatter(&mut body, WechatJson));
    debug_assert!(written.is_ok(), "answers hold nothing that JSON lacks");
    HttpResponse::Ok()
        .content_type("application/json; encoding=utf-8")
        .body(body)
}

/// Writes strings as WeChat does.
struct WechatJson;

impl Formatter for WechatJson {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut parts = fragment.split('/');
        if let Some(first) = parts.next() {
            writer.write_all(first.as_bytes())?;
        }
        for part in parts {
            writer.write_all(b"\\/")?;
            writer.write_all(part.as_bytes())?;
        }
        Ok(())
    }

    fn write_char_escape<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let escaped: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"\\/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            // Names with control characters break strict parsers: GitHub threads
            // lanrion/weixin_authorize#52 and chanxuehong/wechat#187.
            CharEscape::AsciiControl(byte) => return writer.write_all(&[byte]),
        };
        writer.write_all(escaped)
    }
}

fn words(errcode: i64) -> &'static str {
    match errcode {
        -1 | 268_487_001 | 268_487_002 => "system error",
        40001 => "invalid credential, access_token is invalid or not latest",
        40002 => "invalid grant_type",
        40003 => "invalid openid",
        40013 => "invalid appid",
        40014 => "invalid access_token",
        40029 => "invalid code",
        40030 => "invalid refresh_token",
        40032 => "invalid openid list size",
        40052 => "invalid action name",
        40053 => "invalid action info",
        40066 | 40201 => "invalid url",
        40097 => "invalid args",
        40125 => "invalid appsecret",
        40163 => "code been used",
        40164 => "invalid ip, not in whitelist",
        40202 => "invalid action",
        40203 => "invalid check operator",
        40243 => "appsecret is frozen",
        41001 => "access_token missing",
        41002 => "appid missing",
        41004 => "appsecret missing",
        41003 => "refresh_token missing",
        41008 => "missing code",
        41009 => "openid missing",
        42001 => "access_token expired",
        42002 => "refresh_token expired",
        42003 => "code expired",
        42007 => "access_token and refresh_token exception",
        43001 => "require GET method",
        43002 => "require POST method",
        43004 => "require subscribe",
        44002 => "empty post data",
        45002 => "content size out of limit",
        45009 => "reach max api daily quota limit",
        45011 => "api minute-quota reach limit, must slower, retry next minute",
        45015 => "response out of time limit or subscription is canceled",
        45029 => "qrcode count out of limit",
        45047 => "out of response count limit",
        45103 => "This API has been unsupported",
        47001 => "data format error",
        48001 => "api unauthorized",
        48004 => "api forbidden for irregularities",
        48006 => "forbid to clear quota because of reaching the limit",
        50001 => "user unauthorized",
        50002 => "user limited",
        61004 => "access clientip is not registered, not in ip-white-list",
        76003 => "invalid cgi_path",
        89503 => "not confirmed by the administrator",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_escaped_and_control_characters_are_raw() {
        let mut body = Vec::new();
        let text = "a/b\u{7}\"\n";
        text.serialize(&mut Serializer::with_formatter(&mut body, WechatJson))
            .unwrap();
        assert_eq!(body, b"\"a\\/b\x07\\\"\\n\"");
    }

    #[test]
    fn an_error_ends_with_a_request_id() {
        let errmsg = format!("invalid openid rid: {}", request_id());
        let error = ApiError {
            errcode: 40003,
            errmsg,
        };
        assert!(error.rid().is_some());
    }
}
