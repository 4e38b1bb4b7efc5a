//! The ticket of a parametric QR code, built as the recorded ones are.
//!
//! A modern ticket is 72 bytes in unpadded URL-safe base64: `81 01`, three varying bytes of which
//! the third is `3c`, seven zeros, `01`, the length of the content plus one, the content, a zero,
//! `02 04` with the creation time and `03 04` with the lifetime, both little-endian. Receivers must
//! treat it as opaque; the simulator copies the form so that lengths and alphabets are right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Builds a ticket. `varying` are two random bytes; times are unix seconds and seconds.
pub(crate) fn ticket(
    varying: [u8; 2],
    content: &str,
    created: u32,
    lifetime_seconds: u32,
) -> String {
    let mut bytes = vec![0x81, 0x01, varying[0], varying[1], 0x3c];
    bytes.extend([0; 7]);
    bytes.push(0x01);
    bytes.push(u8::try_from(content.len() + 1).unwrap_or(u8::MAX));
    bytes.extend(content.as_bytes());
    bytes.push(0);
    bytes.extend([0x02, 0x04]);
    bytes.extend(created.to_le_bytes());
    bytes.extend([0x03, 0x04]);
    bytes.extend(lifetime_seconds.to_le_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_ticket_is_made_again_byte_for_byte() {
        let content = "http://weixin.qq.com/q/02mGJbopxacSG1xRUj1z1M";
        let made = ticket([0x8f, 0xf0], content, 0x6393_3785, 240);
        let recorded = "gQGP8DwAAAAAAAAAAS5odHRwOi8vd2VpeGluLnFxLmNvbS9xLzAybUdKYm9weGFj\
                        U0cxeFJVajF6MU0AAgSFN5NjAwTwAAAA";
        assert_eq!(made, recorded);
    }
}
