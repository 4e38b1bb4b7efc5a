//! Why sessions end before their time.

/// What ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionEnd {
    /// The person signed out, here or everywhere, or ended it from another browser.
    SignedOut,
    /// The owner ended it.
    Owner,
    /// The person unfollowed the account.
    Unfollowed,
    /// The owner banned the person.
    Banned,
    /// All that is stored of the person was deleted.
    Deleted,
    /// The browser logged in again.
    Replaced,
}

impl SessionEnd {
    /// The name in events and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Owner => "owner",
            Self::Unfollowed => "unfollowed",
            Self::Banned => "banned",
            Self::Deleted => "deleted",
            Self::Replaced => "replaced",
        }
    }
}
