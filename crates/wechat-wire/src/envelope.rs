//! The XML around an encrypted push in safe and compatible mode.

use crate::push::Push;
use crate::xml::{self, XmlError};

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
