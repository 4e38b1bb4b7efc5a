//! What the phone reads. The owner can replace every text; the defaults are Chinese.

use std::collections::BTreeMap;

use login_protocol::{attempt::AttemptStatus, steps::ScanEffect};
use service_kit::settings::{InvalidSettings, Key, Settings};

use super::template::{Placeholder, Template, Values};
use crate::settings;

/// Whether the scan also made somebody a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// They followed just now.
    NewFollower,
    /// They were following already.
    Follower,
}

/// What a reply to a scan depends on.
#[derive(Debug)]
pub struct Occasion<'a> {
    /// How the person came.
    pub arrival: Arrival,
    /// What the scan came to.
    pub effect: ScanEffect,
    /// The nickname, if it is known.
    pub nickname: Option<&'a str>,
    /// Where the person can show nickname and avatar, if they have yet to.
    pub ask_profile: Option<&'a str>,
    /// Where the person confirms, in tap mode.
    pub confirm: Option<String>,
}

/// The account's texts.
pub struct Replies {
    site_name: String,
    new_follower: Template,
    returning: Template,
    taken: Template,
    expired: Template,
    ask_profile: Template,
    confirm: Template,
    welcome: Option<Template>,
    keywords: BTreeMap<String, Template>,
}

impl Replies {
    /// Reads and checks the texts.
    ///
    /// # Errors
    ///
    /// When a text that must hold a link has no place for it.
    pub fn new(values: &Settings) -> Result<Self, InvalidSettings> {
        let with_link = |key: &Key<Template>| {
            let template = values.get(key)?;
            let valid = template.mentions(Placeholder::Link);
            if valid {
                Ok(template)
            } else {
                Err(values.invalid(key, "must hold {link}"))
            }
        };
        Ok(Self {
            site_name: values.get(&settings::REPLY_SITE_NAME)?,
            new_follower: values.get(&settings::REPLY_NEW_FOLLOWER)?,
            returning: values.get(&settings::REPLY_RETURNING)?,
            taken: values.get(&settings::REPLY_TAKEN)?,
            expired: values.get(&settings::REPLY_EXPIRED)?,
            ask_profile: with_link(&settings::REPLY_ASK_PROFILE)?,
            confirm: with_link(&settings::REPLY_CONFIRM)?,
            welcome: values.optional(&settings::REPLY_WELCOME)?,
            keywords: values
                .optional(&settings::REPLY_KEYWORDS)?
                .unwrap_or_default(),
        })
    }

    /// The site's name, for people.
    pub fn site_name(&self) -> &str {
        &self.site_name
    }

    /// The reply to a scan of one of our codes. The same event delivered again gets the same words.
    pub fn to_scan(&self, occasion: &Occasion<'_>) -> String {
        let nickname = occasion.nickname.unwrap_or_default();
        let values = Values {
            nickname,
            site: &self.site_name,
            link: "",
        };
        let status = match occasion.effect {
            ScanEffect::Taken => return self.taken.fill(values),
            // Who refused on the phone isn't logged in, however often the scan is delivered.
            ScanEffect::Gone | ScanEffect::Repeated(AttemptStatus::Denied) => {
                return self.expired.fill(values);
            }
            ScanEffect::Accepted(status) | ScanEffect::Repeated(status) => status,
        };
        if let (AttemptStatus::Scanned, Some(link)) = (status, &occasion.confirm) {
            return self.confirm.fill(Values { link, ..values });
        }
        let template = match occasion.arrival {
            Arrival::NewFollower => &self.new_follower,
            Arrival::Follower => &self.returning,
        };
        let mut text = template.fill(values);
        if let Some(link) = occasion.ask_profile {
            text.push_str("\n\n");
            text.push_str(&self.ask_profile.fill(Values { link, ..values }));
        }
        text
    }

    /// The greeting of somebody who follows without one of our codes.
    pub fn to_subscription(&self) -> Option<String> {
        self.welcome.as_ref().map(|template| {
            template.fill(Values {
                site: &self.site_name,
                ..Values::default()
            })
        })
    }

    /// The answer to a text message that is a keyword.
    pub fn to_message(&self, content: &str) -> Option<String> {
        let template = self.keywords.get(content.trim())?;
        Some(template.fill(Values {
            site: &self.site_name,
            ..Values::default()
        }))
    }
}
