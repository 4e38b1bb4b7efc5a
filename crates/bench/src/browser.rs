//! The requests that a browser sends, behind a proxy that says whose they are.

use std::net::Ipv4Addr;

use login_protocol::scene::BrowserSecret;

/// The site's cookie of the attempt, without https.
const ATTEMPT_COOKIE: &str = "wechat-login";

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
    attempt: Option<&BrowserSecret>,
) -> Vec<u8> {
    let address = address(visitor);
    let cookie = attempt.map_or_else(String::new, |secret| {
        format!("cookie: {ATTEMPT_COOKIE}={}\r\n", secret.expose())
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

/// The attempt that an answer's cookie binds to this browser.
pub(crate) fn attempt_of(head: &[u8]) -> Option<BrowserSecret> {
    let head = std::str::from_utf8(head).ok()?;
    let value = head.split_once("set-cookie: ")?.1;
    let value = value.strip_prefix(ATTEMPT_COOKIE)?.strip_prefix('=')?;
    BrowserSecret::parse(value.split(';').next()?).ok()
}

/// Whether an answer's head signs the browser in.
pub(crate) fn is_signed_in(head: &[u8]) -> bool {
    let head = std::str::from_utf8(head).unwrap_or_default();
    head.contains("set-cookie: wechat-session=")
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
        let secret = BrowserSecret::from_random([3; 32]);
        let sent = request("POST", "/api/login", 1, Some(&secret));
        let sent = String::from_utf8(sent).unwrap();
        let pair = sent.split_once("cookie: ").unwrap().1;
        let pair = pair.split("\r\n").next().unwrap();
        let head = format!("HTTP/1.1 201 Created\r\nset-cookie: {pair}; Path=/; HttpOnly\r\n\r\n");
        assert_eq!(attempt_of(head.as_bytes()), Some(secret));
        assert_eq!(attempt_of(b"HTTP/1.1 201 Created\r\n\r\n"), None);
    }
}
