//! The requests that WeChat sends for the phones.

use harness::phone::{Mode, Phone};
use login_protocol::scene::Scene;

/// The request that tells the gateway of a follower's scan.
pub(crate) fn scan(phone: &Phone, mode: Mode, openid: &str, scene: &Scene) -> Vec<u8> {
    let signed = phone.sign(&phone.scan(openid, scene), mode);
    let head = format!(
        "POST /wechat/callback?{} HTTP/1.1\r\nuser-agent: Mozilla/4.0\r\naccept: */*\r\n\
         host: localhost\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
        signed.query(),
        signed.body.len()
    );
    let mut request = head.into_bytes();
    request.extend_from_slice(&signed.body);
    request
}
