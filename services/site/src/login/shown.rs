//! What an attempt shows its visitor.

use login_protocol::{
    digits::Digits,
    gateway_api::QrCode,
    login_prompt::LoginPrompt,
    method::Method,
    steps::{ShownCode, ShownDigits},
};

use crate::account_pictures;

/// How the visitor logs in, and what they see of it.
pub(super) struct Shown {
    pub(super) method: Method,
    pub(super) code: Option<ShownCode>,
    pub(super) digits: Option<ShownDigits>,
}

impl Shown {
    /// Nothing is to be seen of this method.
    pub(super) const fn nothing(method: Method) -> Self {
        Self {
            method,
            code: None,
            digits: None,
        }
    }
}

impl From<QrCode> for Shown {
    fn from(code: QrCode) -> Self {
        Self {
            code: Some(ShownCode {
                content: code.content,
                image_url: code.image_url,
            }),
            ..Self::nothing(Method::Scan)
        }
    }
}

impl From<LoginPrompt> for Shown {
    fn from(prompt: LoginPrompt) -> Self {
        Self {
            method: prompt.method,
            code: prompt.qr.map(|qr| ShownCode {
                content: qr.content,
                image_url: qr.image_url.unwrap_or_default(),
            }),
            digits: prompt.code.and_then(|code| {
                let picture = code.account_picture.as_ref();
                Some(ShownDigits {
                    digits: Digits::read(&code.digits)?,
                    account_name: code.account_name,
                    account_qr_url: picture
                        .map(account_pictures::path_of)
                        .or(code.account_qr_url),
                })
            }),
        }
    }
}
