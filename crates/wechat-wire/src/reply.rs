//! Passive replies: the answer to a push, in clear or encrypted.
//!
//! A reply swaps the push's two names. Naming the `AppID` as its sender instead of the original id
//! makes WeChat show the person a fault notice.

use crate::message_crypto::{DecryptError, MessageCrypto};
use crate::signature::CallbackToken;
use crate::xml::{self, XmlError};

/// Why a reply was refused.
pub type ReplyError = XmlError;

/// A text reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextReply<'text> {
    /// The `OpenID` of the person who gets the reply: the push's `FromUserName`.
    pub to_user_name: &'text str,
    /// The account's original id: the push's `ToUserName`.
    pub from_user_name: &'text str,
    /// Unix time in seconds.
    pub create_time: i64,
    /// What the person reads. Line feeds and `<a href>` work; an empty text is a fault to WeChat.
    pub content: &'text str,
}

impl TextReply<'_> {
    /// The reply in clear: a plain-mode answer, or what [`EncryptedReply::seal`] encrypts.
    pub fn to_xml(&self) -> String {
        let mut document = String::with_capacity(256 + self.content.len());
        document.push_str("<xml>");
        xml::write_text(&mut document, "ToUserName", self.to_user_name);
        xml::write_text(&mut document, "FromUserName", self.from_user_name);
        xml::write_bare(&mut document, "CreateTime", self.create_time);
        xml::write_text(&mut document, "MsgType", "text");
        xml::write_text(&mut document, "Content", self.content);
        document.push_str("</xml>");
        document
    }
}

/// Any reply in clear, as WeChat reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The person's `OpenID`.
    pub to_user_name: String,
    /// The account's original id.
    pub from_user_name: String,
    /// Unix time in seconds.
    pub create_time: i64,
    /// `text`, `image`, `news`, …
    pub msg_type: String,
    /// `Content`, which only a text reply has.
    pub content: Option<String>,
}

impl Reply {
    /// Reads a reply in clear.
    ///
    /// # Errors
    ///
    /// A malformed document, or one without the four common fields.
    pub fn parse(document: &[u8]) -> Result<Self, ReplyError> {
        let [to_user_name, from_user_name, create_time, msg_type, content] = xml::read_children(
            document,
            [
                "ToUserName",
                "FromUserName",
                "CreateTime",
                "MsgType",
                "Content",
            ],
        )?;
        Ok(Self {
            to_user_name: xml::required("ToUserName", to_user_name)?.into(),
            from_user_name: xml::required("FromUserName", from_user_name)?.into(),
            create_time: xml::required_integer("CreateTime", create_time)?,
            msg_type: xml::required("MsgType", msg_type)?.into(),
            content: content.map(String::from),
        })
    }
}

/// An encrypted reply, the only kind besides an empty body and `success` that safe mode allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedReply {
    /// The ciphertext in base64.
    pub encrypt: String,
    /// The four-part signature over this reply's own timestamp, nonce and ciphertext.
    pub msg_signature: String,
    /// Unix time in seconds.
    pub timestamp: i64,
    /// Any text; the push's own nonce will do.
    pub nonce: String,
}

/// Why an encrypted reply couldn't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenReplyError {
    /// `MsgSignature` isn't the signature of the other three elements.
    #[error("the reply's MsgSignature is wrong")]
    Signature,
    /// The ciphertext was refused.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
}

impl EncryptedReply {
    /// Encrypts and signs the XML `reply`. `random` must be fresh for every reply.
    pub fn seal(
        crypto: &MessageCrypto,
        token: &CallbackToken,
        random: [u8; 16],
        timestamp: i64,
        nonce: &str,
        reply: &str,
    ) -> Self {
        let encrypt = crypto.encrypt(random, reply.as_bytes());
        let msg_signature = token.sign_encrypted(&timestamp.to_string(), nonce, &encrypt);
        Self {
            encrypt,
            msg_signature: msg_signature.to_string(),
            timestamp,
            nonce: nonce.to_owned(),
        }
    }

    /// Checks the signature and decrypts: what WeChat does with the reply.
    ///
    /// # Errors
    ///
    /// A wrong signature or ciphertext.
    pub fn open(
        &self,
        crypto: &MessageCrypto,
        token: &CallbackToken,
    ) -> Result<Vec<u8>, OpenReplyError> {
        let timestamp = self.timestamp.to_string();
        let expected = token.sign_encrypted(&timestamp, &self.nonce, &self.encrypt);
        if !expected.matches(&self.msg_signature) {
            return Err(OpenReplyError::Signature);
        }
        Ok(crypto.decrypt(&self.encrypt)?)
    }

    /// The envelope, the body of the answer to an encrypted push.
    pub fn to_xml(&self) -> String {
        let mut document = String::with_capacity(256 + self.encrypt.len());
        document.push_str("<xml>");
        xml::write_text(&mut document, "Encrypt", &self.encrypt);
        xml::write_text(&mut document, "MsgSignature", &self.msg_signature);
        xml::write_bare(&mut document, "TimeStamp", self.timestamp);
        xml::write_text(&mut document, "Nonce", &self.nonce);
        document.push_str("</xml>");
        document
    }

    /// Reads an envelope; [`EncryptedReply::open`] then checks it.
    ///
    /// # Errors
    ///
    /// A malformed document, or one that lacks an element.
    pub fn parse(document: &[u8]) -> Result<Self, ReplyError> {
        let [encrypt, msg_signature, timestamp, nonce] =
            xml::read_children(document, ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"])?;
        Ok(Self {
            encrypt: xml::required("Encrypt", encrypt)?.into(),
            msg_signature: xml::required("MsgSignature", msg_signature)?.into(),
            timestamp: xml::required_integer("TimeStamp", timestamp)?,
            nonce: xml::required("Nonce", nonce)?.into(),
        })
    }
}
