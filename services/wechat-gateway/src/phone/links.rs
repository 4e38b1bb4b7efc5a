//! The URLs of an account's pages: those in replies, and those that web authorization returns to.
//! Paths are below the account's own ([`path`]).

use login_protocol::{account::AccountName, scene::Scene};
use url::Url;

/// Where everything begins that belongs to accounts.
pub const ACCOUNTS: &str = "/wechat";
/// Where WeChat pushes.
pub const CALLBACK: &str = "/callback";
/// Shows nickname and avatar.
pub const PROFILE: &str = "/oauth/profile";
/// Where web authorisation returns with a profile.
pub const PROFILE_RETURN: &str = "/oauth/profile/return";
/// What the phone sees afterwards.
pub const THANKS: &str = "/oauth/thanks";
/// What a phone sees whose person doesn't follow the account.
pub const FOLLOW_FIRST: &str = "/oauth/follow-first";
/// Begins to confirm a login.
pub const CONFIRM: &str = "/oauth/confirm";
/// Where web authorisation returns with whose phone it is.
pub const CONFIRM_RETURN: &str = "/oauth/confirm/return";
/// What a code of ours opens: begins a login.
pub const LOGIN: &str = "/oauth/login";
/// Where web authorisation returns with who opened it.
pub const LOGIN_RETURN: &str = "/oauth/login/return";
/// Asks for the decision.
pub const DECISION: &str = "/oauth/confirm/decision";

/// Links to the gateway's own pages. Without a public URL there are none.
#[derive(Debug, Clone)]
pub struct PhoneLinks {
    /// Where the account's pages begin.
    base: Option<Url>,
    profile: Option<String>,
}

impl PhoneLinks {
    /// Links to this account's pages below the gateway's public URL; that to nickname and avatar
    /// only if people are asked for them.
    pub fn new(account: &AccountName, public_url: Option<&Url>, ask_profile: bool) -> Self {
        let links = Self {
            base: public_url.map(|url| below(url, &path(account, ""))),
            profile: None,
        };
        let profile = links.address(PROFILE).filter(|_| ask_profile);
        Self {
            profile: profile.map(String::from),
            ..links
        }
    }

    /// Whether there are any.
    pub const fn are_there(&self) -> bool {
        self.base.is_some()
    }

    /// Where a person shows nickname and avatar, if the owner wants to ask.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// Where a person confirms the login of this scene. The scene alone confirms nothing: web
    /// authorisation proves whose phone opens the page.
    pub fn confirm(&self, scene: Option<&Scene>) -> Option<String> {
        self.confirm_at(CONFIRM, scene).map(String::from)
    }

    /// Where web authorisation returns to before this scene's login is confirmed.
    pub fn confirm_return(&self, scene: &Scene) -> Option<Url> {
        self.confirm_at(CONFIRM_RETURN, Some(scene))
    }

    /// What a code of ours encodes, which logs in whoever opens it and agrees.
    pub fn login(&self, scene: &Scene) -> Option<String> {
        self.confirm_at(LOGIN, Some(scene)).map(String::from)
    }

    /// Where web authorisation returns to with who opened it.
    pub fn login_return(&self, scene: &Scene) -> Option<Url> {
        self.confirm_at(LOGIN_RETURN, Some(scene))
    }

    /// Where web authorisation returns to with a profile.
    pub fn profile_return(&self) -> Option<Url> {
        self.address(PROFILE_RETURN)
    }

    fn confirm_at(&self, path: &str, scene: Option<&Scene>) -> Option<Url> {
        let mut url = self.address(path)?;
        if let Some(scene) = scene {
            url.query_pairs_mut().append_pair("scene", scene.as_str());
        }
        Some(url)
    }

    fn address(&self, path: &str) -> Option<Url> {
        self.base.as_ref().map(|base| below(base, path))
    }
}

/// The path of something that belongs to an account, such as `/callback`: `/wechat/callback` for
/// the account that needs no name, `/wechat/shop/callback` for the account `shop`.
pub fn path(account: &AccountName, below: &str) -> String {
    if account.is_default() {
        format!("{ACCOUNTS}{below}")
    } else {
        format!("{ACCOUNTS}/{account}{below}")
    }
}

/// A URL further down.
pub fn below(url: &Url, path: &str) -> Url {
    let mut further = url.clone();
    further.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
    further
}
