//! Steps of the OpenID Connect provider.
//!
//! All that comes of one authorization is one key, the grant: the code, access tokens, and the
//! chain of refresh tokens. Code and tokens contain the grant's name, so each exchange, each use
//! and each end is one atomic step.

mod client_uses;
mod grant;
mod logout_queue;
mod request;
mod session_clients;
mod signing_keys;

pub use client_uses::{ClientUse, ForgetClientUses, NoteClientUses, ReadClientUses};
pub use grant::{
    CodeExchange, EndGrant, ExchangeCode, FoundByAccessToken, FoundByCode, FoundByRefreshToken,
    GrantId, OpenGrant, ReadByAccessToken, ReadByCode, ReadByRefreshToken, RefreshRotation,
    RevokeAccessToken, RotateRefreshToken,
};
pub use logout_queue::{
    FinishLogout, Logout, LogoutQueue, LogoutTask, PostponeLogout, QueueLogouts, TakeLogouts,
};
pub use request::{OpenRequest, ReadRequest};
pub use session_clients::{
    AddSessionGrant, DropSessionClients, EndSessionGrants, EndedSession, ReadSessionClients,
    SessionGrantAdded, SettleSessionEnd,
};
pub use signing_keys::{ReadSigningKeys, ReplaceSigningKeys, SigningKeysRecord};
