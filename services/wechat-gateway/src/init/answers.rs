//! What `init` asks for.

use login_protocol::identity::AppId;

/// The answers.
pub(super) struct Answers {
    pub(super) app_id: AppId,
    /// Empty: it is filled in later.
    pub(super) app_secret: String,
    pub(super) domain: String,
}
