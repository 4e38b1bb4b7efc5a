//! The stable `code` members of `application/problem+json` answers (RFC 9457), in one list for both
//! services.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request failed, for programs. The text form never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// 400: the request can't be understood.
    InvalidRequest,
    /// 401: no or a wrong bearer key.
    InvalidApiKey,
    /// 401: nobody is signed in.
    NotSignedIn,
    /// 403: the request comes from another site's page.
    ForeignOrigin,
    /// 403: WeChat opened the page as a snapshot, whose user isn't real.
    SnapshotPage,
    /// 403: the person wasn't asked for the consent that a login needs.
    ConsentMissing,
    /// 403: the person doesn't follow the account, which the site asks for.
    FollowingRequired,
    /// 403: forward authentication was asked about a host that the settings don't name.
    UnknownHost,
    /// 404: no such route.
    NotFound,
    /// 404: this browser has no login attempt.
    NoLoginAttempt,
    /// 404: the person has no such session.
    UnknownSession,
    /// 404: no such member.
    UnknownMember,
    /// 404: there is no such login ticket, or no more.
    UnknownTicket,
    /// 404: the gateway serves no account of this name.
    UnknownAccount,
    /// 400: the stream of events has none with this identifier.
    UnknownEvent,
    /// 410: the event with this identifier isn't kept any longer.
    EventGone,
    /// 404: no receiver of events has this name.
    UnknownWebhook,
    /// 404: the account has no web authorisation; another method logs in.
    NoWebAuthorization,
    /// 403: the owner banned this person.
    Banned,
    /// 405: the route exists, but not with this method.
    MethodNotAllowed,
    /// 409: nobody has confirmed the attempt yet.
    LoginNotConfirmed,
    /// 410: the attempt's time ran out, or it was cancelled.
    LoginExpired,
    /// 410: the person who scanned said no.
    LoginDenied,
    /// 410: the attempt was redeemed more than a minute ago.
    LoginConsumed,
    /// 410: the login ticket was redeemed before.
    TicketUsed,
    /// 410: the login ticket wasn't redeemed in time.
    TicketExpired,
    /// 410: a code of web authorisation was used before, or is older than five minutes.
    AuthorizationCodeSpent,
    /// 413: the body exceeds this route's limit.
    PayloadTooLarge,
    /// 415: the body's media type isn't accepted here.
    UnsupportedMediaType,
    /// 429: too many logins from this IP address or its network; `Retry-After` says when. 503: too
    /// many at this process.
    TooManyLogins,
    /// 429: logins begin too fast for people; the body's `challenge` says what work the browser has
    /// to do before one begins.
    ProofOfWorkRequired,
    /// 429 or 503: too many open streams; poll instead.
    TooManyWaiting,
    /// 500: a defect of ours.
    Internal,
    /// 503: the machine doesn't let the service do its work, as `/readyz` says: a wrong clock, no
    /// files left.
    NotReady,
    /// 503: Redis can't be reached, is too old, or takes no writes.
    StoreUnavailable,
    /// 503: the gateway can't be reached.
    GatewayUnavailable,
    /// 503: WeChat's API failed or can't be reached.
    WechatUnavailable,
    /// 503: WeChat did what it was asked, but its answer lacks what was asked for.
    WechatAnswerUnusable,
    /// 503: the account's QR codes for today are used up; `Retry-After` says when the next day
    /// begins.
    DailyCodesUsedUp,
    /// 503: WeChat refuses the account or its settings; the operator must act.
    WechatRefused,
}
