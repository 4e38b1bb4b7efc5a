//! What was granted: the record that a code and its tokens stand for.

use login_protocol::{account::AccountName, identity::MemberId, method::Method};
use serde::{Deserialize, Serialize};

/// A client may know this person. As JSON in Redis.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct GrantRecord {
    /// The client's name in the settings.
    pub(super) client: String,
    /// Where the code went, exactly.
    pub(super) redirect_uri: String,
    /// What the code's holder has to know (RFC 7636), if the client asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code_challenge: Option<String>,
    /// The client's own value for its ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
    /// What was granted, separated by spaces.
    pub(super) scope: String,
    /// The person at the account.
    pub(super) member: MemberId,
    /// The account.
    pub(super) account: AccountName,
    /// The person's own subject, whatever the client sees.
    pub(super) subject: String,
    /// When they confirmed their login, in seconds since 1970.
    pub(super) auth_time: i64,
    /// The same in milliseconds: an end of all sessions compares it.
    pub(super) begun_at_ms: i64,
    /// How they logged in.
    pub(super) method: Method,
    /// The session, as clients know it.
    pub(super) sid: String,
}

impl GrantRecord {
    /// Whether this scope was granted.
    pub(super) fn has_scope(&self, scope: &str) -> bool {
        has_scope(&self.scope, scope)
    }

    /// Whether refresh tokens were granted, which outlive the session.
    pub(super) fn is_offline(&self) -> bool {
        self.has_scope("offline_access")
    }
}

/// Whether a scope is among others.
pub(super) fn has_scope(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| one == scope)
}
