//! The addresses in replies, and those that web authorisation returns to.

use login_protocol::scene::Scene;
use url::Url;

/// Shows nickname and avatar.
pub const PROFILE: &str = "/wechat/oauth/profile";
/// Where web authorisation returns with a profile.
pub const PROFILE_RETURN: &str = "/wechat/oauth/profile/return";
/// What the phone sees afterwards.
pub const THANKS: &str = "/wechat/oauth/thanks";
/// What a phone sees whose person doesn't follow the account.
pub const FOLLOW_FIRST: &str = "/wechat/oauth/follow-first";
/// Begins to confirm a login.
pub const CONFIRM: &str = "/wechat/oauth/confirm";
/// Where web authorisation returns with whose phone it is.
pub const CONFIRM_RETURN: &str = "/wechat/oauth/confirm/return";
/// Asks for the decision.
pub const DECISION: &str = "/wechat/oauth/confirm/decision";

/// Links to the gateway's own pages. Without a public address there are none.
#[derive(Debug, Clone)]
pub struct PhoneLinks {
    public_url: Option<Url>,
    profile: Option<String>,
}

impl PhoneLinks {
    /// Links below the gateway's public URL; that to nickname and avatar only if people are asked for them.
    pub fn new(public_url: Option<Url>, ask_profile: bool) -> Self {
        let links = Self {
            public_url,
            profile: None,
        };
        let profile = links.address(PROFILE).filter(|_| ask_profile);
        Self {
            profile: profile.map(String::from),
            ..links
        }
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
        let mut url = self.public_url.clone()?;
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        Some(url)
    }
}
