//! The XML around an encrypted push in safe and compatible mode.

use crate::push::Push;
use crate::xml::{self, XmlError};

/// The shortest ciphertext, in characters: 32 bytes in base64.
const SHORTEST_CIPHERTEXT: usize = 44;

/// Why an envelope was refused.
pub type EnvelopeError = XmlError;

/// The outside of an encrypted push.
///
/// A compatible body repeats the fields in clear beside the ciphertext. They are not read: no
/// signature covers them, so anybody who has seen one callback address could forge them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedPush {
    /// The account's original id; empty when the envelope has none. Covered by no signature.
    pub to_user_name: String,
    /// The ciphertext in base64, exactly as it was signed.
    pub encrypt: String,
}

impl EncryptedPush {
    /// Reads a safe or compatible body.
    ///
    /// # Errors
    ///
    /// A malformed document, or one without `Encrypt`, such as a push in plain mode.
    pub fn parse(document: &[u8]) -> Result<Self, EnvelopeError> {
        let [to_user_name, encrypt] = xml::read_children(document, ["ToUserName", "Encrypt"])?;
        Ok(Self {
            to_user_name: to_user_name.map(String::from).unwrap_or_default(),
            encrypt: xml::required("Encrypt", encrypt)?.into(),
        })
    }

    /// The ciphertext in a body that isn't XML as a whole. In compatible mode the clear fields
    /// beside it contain what people type, in any encoding and with `]]>` in it, which WeChat
    /// doesn't escape.
    ///
    /// They can type `<Encrypt>` as well, so there can be several candidates, and `is_signed` says
    /// which one is WeChat's. All of them together are no longer than the body.
    pub fn signed_ciphertext(body: &[u8], is_signed: impl Fn(&str) -> bool) -> Option<String> {
        let body = String::from_utf8_lossy(body);
        let candidates = body.split("<Encrypt>").skip(1).filter_map(|rest| {
            let (content, _) = rest.split_once("</Encrypt>")?;
            let content = content.trim_ascii();
            let inside = content.strip_prefix("<![CDATA[");
            let inside = inside.and_then(|inside| inside.strip_suffix("]]>"));
            Some(inside.unwrap_or(content))
        });
        candidates
            .filter(|text| text.len() >= SHORTEST_CIPHERTEXT && text.bytes().all(is_base64))
            .find(|text| is_signed(text))
            .map(str::to_owned)
    }

    /// Writes a safe body as WeChat does: children indented by four spaces, a line feed after
    /// every line, the last one included.
    pub fn to_safe_xml(&self) -> String {
        let mut document = String::with_capacity(128 + self.encrypt.len());
        document.push_str("<xml>\n    ");
        xml::write_text(&mut document, "ToUserName", &self.to_user_name);
        document.push_str("\n    ");
        xml::write_text(&mut document, "Encrypt", &self.encrypt);
        document.push_str("\n</xml>\n");
        document
    }
}

/// Writes a compatible body as WeChat does: the layout of a safe one, with all clear fields before
/// `Encrypt`.
pub fn compatible_xml(push: &Push, encrypt: &str) -> String {
    let mut document = String::with_capacity(512 + encrypt.len());
    document.push_str("<xml>\n");
    push.write_elements(&mut document, "    ", "\n");
    document.push_str("    ");
    xml::write_text(&mut document, "Encrypt", encrypt);
    document.push_str("\n</xml>\n");
    document
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
