//! The ways to log in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the visitor does to log in. Each way ends in an attempt that is confirmed for a person of
/// its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
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

/// What a site offers: a method, or the best one that the account has at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MethodChoice {
    /// [`Method::Scan`].
    Scan,
    /// [`Method::Code`].
    Code,
    /// [`Method::Page`].
    Page,
    /// [`Method::Scan`]; while WeChat refuses codes to the account, [`Method::Page`] or
    /// [`Method::Code`].
    Auto,
}

impl MethodChoice {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Scan, Self::Code, Self::Page, Self::Auto];

    /// The form that settings, queries and requests carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Code => "code",
            Self::Page => "page",
            Self::Auto => "auto",
        }
    }

    /// Reads it; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }

    /// Whether an attempt that goes by this method is what was chosen.
    pub const fn includes(self, method: Method) -> bool {
        match self {
            Self::Scan => matches!(method, Method::Scan),
            Self::Code => matches!(method, Method::Code),
            Self::Page => matches!(method, Method::Page),
            Self::Auto => matches!(method, Method::Scan | Method::Code | Method::Page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_back_and_includes_what_it_may_lead_to() {
        for choice in MethodChoice::ALL {
            assert_eq!(MethodChoice::parse(choice.as_str()), Some(choice));
            assert_eq!(serde_json::to_value(choice).unwrap(), choice.as_str());
            assert!(!choice.includes(Method::WebAuthorization));
            for method in [Method::Scan, Method::Code, Method::Page] {
                let is_it = choice == MethodChoice::Auto || choice.as_str() == method.as_str();
                assert_eq!(choice.includes(method), is_it, "{choice:?} {method:?}");
            }
        }
        assert_eq!(MethodChoice::parse("web_authorization"), None);
    }

    #[test]
    fn the_text_form_is_read_back() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(method));
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
        assert_eq!(Method::parse("telepathy"), None);
    }
}
