//! The Official Accounts that this gateway serves.

/// The name of the account of the section `wechat`.
pub const DEFAULT: &str = "default";

/// The path to which WeChat pushes for an account.
pub fn callback_path(account: &str) -> String {
    if account == DEFAULT {
        "/wechat/callback".to_owned()
    } else {
        format!("/wechat/{account}/callback")
    }
}
