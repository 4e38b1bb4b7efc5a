//! Everything the simulator draws at random: identifiers, tickets, nonces.
//!
//! The prefixes `99_sim` (access tokens) and `oSim` (openids) exist nowhere else, so a test can
//! search every log for them and find leaks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Prefix of every access token that the simulator grants.
pub(crate) const ACCESS_TOKEN_PREFIX: &str = "99_sim";

/// Prefix of every openid that the simulator hands out.
pub(crate) const OPENID_PREFIX: &str = "oSim";

/// Prefix of the code of every web authorisation.
pub(crate) const WEB_CODE_PREFIX: &str = "0si";

/// Random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

/// A random 64-bit number.
pub(crate) fn number() -> u64 {
    u64::from_ne_bytes(bytes())
}

/// An openid: 28 characters of `A-Za-z0-9_-`, as in every recorded push.
pub(crate) fn openid() -> String {
    format!("{OPENID_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes::<18>()))
}

/// Whether it could be one of [`openid`].
pub(crate) fn is_openid(text: &str) -> bool {
    let rest = text.strip_prefix(OPENID_PREFIX);
    rest.is_some_and(|rest| {
        URL_SAFE_NO_PAD
            .decode(rest)
            .is_ok_and(|bytes| bytes.len() == 18)
    })
}

/// An access token of 138 characters in the recorded form `NN_<base64url>`.
pub(crate) fn access_token() -> String {
    format!(
        "{ACCESS_TOKEN_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(bytes::<99>())
    )
}

/// The code of a web authorisation: 32 letters and digits, as recorded ones are.
pub(crate) fn web_code() -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let drawn = bytes::<29>().into_iter();
    let letters = drawn.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    format!("{WEB_CODE_PREFIX}{}", letters.collect::<String>())
}

/// A nonce as WeChat sends it: a decimal number of 8 to 10 digits.
pub(crate) fn nonce() -> String {
    (10_000_000 + number() % 2_000_000_000).to_string()
}

/// A message id: 17 digits, unsigned.
pub(crate) fn message_id() -> String {
    (20_000_000_000_000_000 + number() % 10_000_000_000_000_000).to_string()
}

/// Twelve lower-case hexadecimal digits: an identifier short enough to type.
pub(crate) fn short_id() -> String {
    format!("{:012x}", number() & 0xffff_ffff_ffff)
}

/// The part of a QR code's content behind `http://weixin.qq.com/q/`: `02` and 20 characters.
pub(crate) fn qr_code_path() -> String {
    format!("02{}", URL_SAFE_NO_PAD.encode(bytes::<15>()))
}

/// The digits of an `echostr` as the console's verification sends it.
pub(crate) fn echo_text() -> String {
    (1_000_000_000_000_000_000 + number() % 8_000_000_000_000_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_recorded_lengths() {
        assert_eq!(openid().len(), 28);
        assert!(is_openid(&openid()) && !is_openid("oSim") && !is_openid(&web_code()));
        assert_eq!(access_token().len(), 138);
        assert_eq!(qr_code_path().len(), 22);
        assert_eq!(web_code().len(), 32);
        assert!((8..=10).contains(&nonce().len()));
    }
}
