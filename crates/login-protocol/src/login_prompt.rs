//! What a site asks the gateway for to begin a login whose method isn't simply
//! [`Method::Scan`]: digits, a page of the gateway's, or whatever the account can do at the moment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    account::AccountName,
    account_picture::PictureName,
    gateway_api::ClientLogins,
    method::{Method, MethodChoice},
    scene::Scene,
};

/// `POST`: what the visitor of an attempt is shown.
pub const LOGIN_PROMPTS: &str = "/v1/login-prompts";

/// The longest lifetime of an attempt with digits or a page, in seconds: a day.
pub const MAX_TTL_SECONDS: u32 = 86_400;

/// Asks what the visitor of a login is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLoginPrompt {
    /// The attempt's scene.
    pub scene: Scene,
    /// How long the attempt lives, in seconds. WeChat's code lives for a minute more, so that a
    /// late scan is answered.
    #[schema(minimum = 1, maximum = 86_400)]
    pub ttl_seconds: u32,
    /// How the visitor is to log in.
    pub method: MethodChoice,
    /// How many logins the client who wants it has begun lately, as for a QR code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_logins: Option<ClientLogins>,
    /// Whose login it will be. The default account is omitted.
    #[serde(default, skip_serializing_if = "AccountName::is_default")]
    pub account: AccountName,
}

/// What the visitor is shown: a code, or digits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginPrompt {
    /// How the visitor logs in.
    pub method: Method,
    /// The QR code, where the method has one.
    #[schema(required)]
    pub qr: Option<PromptedQr>,
    /// The digits, where the method has some.
    #[schema(required)]
    pub code: Option<PromptedDigits>,
    /// When nobody can log in by it any more.
    pub expires_at: Timestamp,
}

/// A QR code to scan.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PromptedQr {
    /// What it encodes.
    pub content: String,
    /// WeChat's own picture of it; null for a page of ours.
    #[schema(required, format = "uri")]
    pub image_url: Option<String>,
}

/// Digits to send to the account.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct PromptedDigits {
    /// The digits.
    #[schema(pattern = "^[0-9]{6,12}$")]
    pub digits: String,
    /// What people call the account; null where the owner doesn't say.
    #[schema(required)]
    pub account_name: Option<String>,
    /// The address of a picture of the account's own QR code; null where the owner doesn't say, or
    /// gave a file.
    #[schema(required, format = "uri")]
    pub account_qr_url: Option<String>,
    /// The file that the owner gave, which the gateway hands out by this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account_picture: Option<PictureName>,
}

impl std::fmt::Debug for PromptedDigits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PromptedDigits")
            .field("account_name", &self.account_name)
            .finish_non_exhaustive()
    }
}
