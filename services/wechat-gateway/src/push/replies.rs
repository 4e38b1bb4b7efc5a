//! What the phone reads. The owner can replace every text; the defaults are Chinese.

use login_protocol::{attempt::AttemptStatus, steps::ScanEffect};

use super::template::Values;
use crate::settings::ReplySettings;

/// Whether the scan also made somebody a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// They followed just now.
    NewFollower,
    /// They were following already.
    Follower,
}

/// The reply if a login can't be confirmed because the gateway has no page for it. That is the
/// owner's mistake, so there is no setting for the text.
const UNCONFIRMABLE: &str =
    "这个网站要求在手机上确认登录，但暂时无法打开确认页面，您没有登录。请联系网站管理员。";

/// What a reply to a scan depends on.
#[derive(Debug)]
pub struct Occasion<'a> {
    /// How the person came.
    pub arrival: Arrival,
    /// The outcome of the scan.
    pub effect: ScanEffect,
    /// What the site that asks calls itself, if it does.
    pub site_name: Option<&'a str>,
    /// The nickname, if it is known.
    pub nickname: Option<&'a str>,
    /// Where the person can show nickname and avatar, if they have yet to.
    pub ask_profile: Option<&'a str>,
    /// Where the person confirms, in tap mode.
    pub confirm: Option<String>,
}

/// The account's texts.
pub struct Replies {
    texts: ReplySettings,
}

impl Replies {
    /// With the owner's texts.
    pub const fn new(texts: ReplySettings) -> Self {
        Self { texts }
    }

    /// The name of sites that set none.
    pub fn site_name(&self) -> &str {
        &self.texts.site_name
    }

    /// The reply to a scan of one of our codes. The same event delivered again gets the same reply.
    pub fn to_scan(&self, occasion: &Occasion<'_>) -> String {
        let nickname = occasion.nickname.unwrap_or_default();
        let values = Values {
            nickname,
            site: occasion.site_name.unwrap_or(&self.texts.site_name),
            link: "",
        };
        let status = match occasion.effect {
            ScanEffect::Taken => return self.texts.taken.fill(values),
            // Whoever denied on the phone isn't logged in, however often the scan is delivered.
            // Another account's login is nobody's business here.
            ScanEffect::Gone
            | ScanEffect::Elsewhere
            | ScanEffect::Repeated(AttemptStatus::Denied) => {
                return self.texts.expired.fill(values);
            }
            ScanEffect::Accepted(status) | ScanEffect::Repeated(status) => status,
        };
        if status == AttemptStatus::Scanned {
            return match &occasion.confirm {
                Some(link) => self.texts.confirm.fill(Values { link, ..values }),
                None => UNCONFIRMABLE.to_owned(),
            };
        }
        let template = match occasion.arrival {
            Arrival::NewFollower => &self.texts.new_follower,
            Arrival::Follower => &self.texts.returning,
        };
        let mut text = template.fill(values);
        if let Some(link) = occasion.ask_profile {
            text.push_str("\n\n");
            text.push_str(&self.texts.ask_profile.fill(Values { link, ..values }));
        }
        text
    }

    /// The reply to somebody who follows because a login that they opened asks for it.
    pub fn to_waiting_login(&self, site_name: Option<&str>, link: &str) -> String {
        self.texts.confirm.fill(Values {
            site: site_name.unwrap_or(&self.texts.site_name),
            link,
            ..Values::default()
        })
    }

    /// The greeting of somebody who follows without one of our codes.
    pub fn to_subscription(&self) -> Option<String> {
        self.texts.welcome.as_ref().map(|template| {
            template.fill(Values {
                site: &self.texts.site_name,
                ..Values::default()
            })
        })
    }

    /// The answer to a text message that is a keyword.
    pub fn to_message(&self, content: &str) -> Option<String> {
        let template = self.texts.keywords.get(content.trim())?;
        Some(template.fill(Values {
            site: &self.texts.site_name,
            ..Values::default()
        }))
    }
}
