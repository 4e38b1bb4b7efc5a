//! The requests that a browser sends, behind a proxy that says whose they are.

use std::net::Ipv4Addr;

use crate::attempt::Attempt;

/// A browser of these days.
const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

/// The address of a visitor, one of its own for each number, so that limits for each client stay
/// on.
pub(crate) fn address(number: u64) -> Ipv4Addr {
    let number = u32::try_from(number & 0x00ff_ffff).unwrap_or(0);
    Ipv4Addr::from(0x0a00_0000 | number)
}

/// A request without a body.
pub(crate) fn request(
    method: &str,
    path: &str,
    visitor: u64,
    attempt: Option<&Attempt>,
) -> Vec<u8> {
    let address = address(visitor);
    let cookie = attempt.map_or_else(String::new, |attempt| {
        format!("cookie: {}\r\n", attempt.cookie)
    });
    let length = if method == "GET" {
        ""
    } else {
        "content-length: 0\r\n"
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: {USER_AGENT}\r\naccept: */*\r\n\
         accept-encoding: gzip, deflate, br\r\naccept-language: zh-CN,zh;q=0.9\r\n\
         x-forwarded-for: {address}\r\n{cookie}{length}\r\n"
    )
    .into_bytes()
}

/// The first cookie that an answer sets, `name=value`.
pub(crate) fn cookie(head: &[u8]) -> Option<&str> {
    let head = std::str::from_utf8(head).ok()?;
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let cookie = value.split(';').next()?;
        name.eq_ignore_ascii_case("set-cookie").then_some(cookie)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visitor_has_an_address_of_its_own() {
        assert_eq!(address(1).to_string(), "10.0.0.1");
        assert_eq!(address(300).to_string(), "10.0.1.44");
    }

    #[test]
    fn the_cookie_comes_back_as_it_was_set() {
        let head = b"HTTP/1.1 201 Created\r\nSet-Cookie: a=b=; Path=/; HttpOnly\r\n\r\n";
        assert_eq!(cookie(head), Some("a=b="));
        assert_eq!(cookie(b"HTTP/1.1 201 Created\r\n\r\n"), None);
    }
}
