//! The gateway's internal HTTP API: paths and bodies.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::schema::{Object, OneOf, Schema, SchemaFormat, Type},
};

use crate::{account::AccountName, attempt::AttemptStatus, scene::Scene};

/// `POST`: create a QR code.
pub const QR_CODES: &str = "/v1/qrcodes";
/// `GET`: the current access token.
pub const ACCESS_TOKEN: &str = "/v1/access-token";
/// `POST`: report an access token that WeChat refused.
pub const INVALIDATE_ACCESS_TOKEN: &str = "/v1/access-token/invalidate";
/// `GET`: a stored member.
pub const MEMBER: &str = "/v1/members/{openid}";
/// `GET`: a person's sessions. `DELETE`: ends them all.
pub const MEMBER_SESSIONS: &str = "/v1/members/{openid}/sessions";
/// `DELETE`: ends one of them.
pub const MEMBER_SESSION: &str = "/v1/members/{openid}/sessions/{id}";

/// `GET`: an account's members, page by page.
pub const MEMBERS: &str = "/v1/members";
/// `PUT`, `DELETE`: whether somebody is banned.
pub const MEMBER_BAN: &str = "/v1/members/{openid}/ban";
/// `GET`: all of them, a line each.
pub const MEMBERS_EXPORT: &str = "/v1/members/export";

/// `GET`: what happened.
pub const EVENTS: &str = "/v1/events";

/// Path: how far the receivers of events are.
pub const WEBHOOKS: &str = "/v1/webhooks";

/// Path: sending a receiver events again.
pub const WEBHOOK_REDELIVER: &str = "/v1/webhooks/{name}/redeliver";

/// `POST`: where to send a person who opened the site inside WeChat.
pub const WEB_AUTHORIZATIONS: &str = "/v1/web-authorizations";
/// `POST`: logs in the person who came back from there.
pub const COMPLETE_WEB_AUTHORIZATION: &str = "/v1/web-authorizations/complete";

/// `POST`: invalidates a code that arrived where it wasn't requested.
pub const DISCARD_WEB_AUTHORIZATION: &str = "/v1/web-authorizations/discard";

/// The longest lifetime that WeChat gives a temporary code: 30 days, in seconds.
pub const MAX_TTL_SECONDS: u32 = 2_592_000;

/// Asks for a QR code.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateQrCode {
    /// What the scan's event will carry.
    pub scene: Scene,
    /// How long the code can be scanned, in seconds.
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub ttl_seconds: u32,
    // A gateway of a version that doesn't know this member refuses it, so `few` is left out, and a
    // refused request is sent again without.
    /// How many logins the client who wants it has begun lately; left out by a caller that doesn't
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_logins: Option<ClientLogins>,
    // The default account is omitted, since a gateway of an older version rejects this member.
    /// Whose code it will be.
    #[serde(default, skip_serializing_if = "AccountName::is_default")]
    pub account: AccountName,
}

/// How many logins a client, or its network, has started in the last day without completing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientLogins {
    /// As many as people do. Served as long as the day's codes last.
    Few,
    /// More than that. Served while the day's codes aren't used faster than they should be.
    Many,
}

/// A QR code that WeChat will recognise.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QrCode {
    /// What it was asked for.
    pub scene: Scene,
    /// WeChat's ticket.
    pub ticket: String,
    /// The content of the QR code, to be encoded exactly as it is.
    pub content: String,
    /// WeChat's own picture of it.
    #[schema(format = "uri")]
    pub image_url: String,
    /// When WeChat stops recognising it.
    pub expires_at: Timestamp,
}

/// The account's access token, for the owner's other backends.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessToken {
    /// The token itself.
    pub access_token: String,
    /// When WeChat stops accepting it.
    pub expires_at: Timestamp,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Reports a token that WeChat refused with 40001, 40014 or 42001.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvalidateAccessToken {
    /// The refused token.
    pub access_token: String,
}

impl fmt::Debug for InvalidateAccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InvalidateAccessToken(…)")
    }
}

/// Asks where a person goes who opened the site inside WeChat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginWebAuthorization {
    // WeChat returns its `Scene::authorization_state`.
    /// The attempt's scene.
    pub scene: Scene,
    /// Where WeChat sends the person afterwards, with `code` and `state` in the query: an http or
    /// https URL on a host that is registered in the account's console (网页授权域名).
    #[schema(format = "uri", pattern = "^https?://[^#]+$")]
    pub redirect_uri: String,
    /// Whose consent it is. The default account is omitted.
    #[serde(default, skip_serializing_if = "AccountName::is_default")]
    pub account: AccountName,
}

/// The way to WeChat's consent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebAuthorizationBegun {
    /// To be visited exactly as it is: WeChat compares it as text.
    #[schema(format = "uri")]
    pub authorize_url: String,
}

/// Somebody came back with a code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteWebAuthorization {
    /// The scene of the attempt that this very browser began.
    pub scene: Scene,
    /// WeChat's code: valid once, within five minutes.
    pub code: String,
    /// Whose code it is. The default account is omitted.
    #[serde(default, skip_serializing_if = "AccountName::is_default")]
    pub account: AccountName,
}

impl fmt::Debug for CompleteWebAuthorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CompleteWebAuthorization")
            .field("scene", &self.scene)
            .finish_non_exhaustive()
    }
}

/// A code that logs nobody in, such as one that reached a browser that started no login. It would
/// stay valid for five minutes, for whoever reads it in a log. The response is 202: the code is
/// exchanged afterwards, unless WeChat refused too many codes of this client.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardWebAuthorization {
    /// WeChat's code.
    pub code: String,
    /// The client's IP address.
    #[schema(schema_with = ip_address)]
    pub client: IpAddr,
    /// The scene of the attempt that it came back for, if that is this browser's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<Scene>,
    /// Whose code it is. The default account is omitted.
    #[serde(default, skip_serializing_if = "AccountName::is_default")]
    pub account: AccountName,
}

impl fmt::Debug for DiscardWebAuthorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DiscardWebAuthorization")
            .field("scene", &self.scene)
            .finish_non_exhaustive()
    }
}

/// An IP address of either version.
fn ip_address() -> Schema {
    let of_version = |format: &str| {
        let format = SchemaFormat::Custom(format.to_owned());
        Object::builder()
            .schema_type(Type::String)
            .format(Some(format))
    };
    let any = OneOf::builder().item(of_version("ipv4"));
    any.item(of_version("ipv6")).into()
}

/// What became of the attempt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebAuthorizationCompleted {
    /// Always `confirmed`: everything else is a problem.
    pub status: AttemptStatus,
}
