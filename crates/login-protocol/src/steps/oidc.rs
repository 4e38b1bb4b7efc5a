//! Steps of the OpenID Connect provider.
//!
//! All that comes of one authorization is one key, the grant: the code, access tokens, and the
//! chain of refresh tokens. Code and tokens contain the grant's name, so each exchange, each use
//! and each end is one atomic step.

mod grant;
mod request;
mod session_clients;
mod signing_keys;

pub use grant::{
    CodeExchange, EndGrant, ExchangeCode, FoundByAccessToken, FoundByCode, FoundByRefreshToken,
    GrantId, OpenGrant, ReadByAccessToken, ReadByCode, ReadByRefreshToken, RefreshRotation,
    RevokeAccessToken, RotateRefreshToken,
};
pub use request::{OpenRequest, ReadRequest};
pub use session_clients::{
    AddSessionGrant, EndSessionGrants, EndedSession, NoteMemberSession, ReadMemberSessions,
    SettleSessionEnd,
};
pub use signing_keys::{ReadSigningKeys, ReplaceSigningKeys, SigningKeysRecord};
