//! The ways to log in.

use serde::{Deserialize, Serialize};

/// What the visitor does to log in. Each way ends in an attempt that is confirmed for a person of
/// its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Scans the QR code of the attempt, which the account answers.
    Scan,
    /// Follows the account and sends it the digits of the attempt.
    Code,
    /// Scans a QR code of ours, which opens a page on the phone.
    Page,
    /// Agrees in the very browser that asks, which runs inside WeChat.
    WebAuthorization,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Scan, Self::Code, Self::Page, Self::WebAuthorization];

    /// The form that records and browsers carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Code => "code",
            Self::Page => "page",
            Self::WebAuthorization => "web_authorization",
        }
    }

    /// Reads it; `None` for one that this version doesn't know.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_read_back() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(method));
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
        assert_eq!(Method::parse("telepathy"), None);
    }
}
