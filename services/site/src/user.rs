//! Who is signed in, as browsers are told.

use login_protocol::{identity::MemberId, member::Member, subject::Subject};
use serde::Serialize;

/// A person, as `GET /api/session` tells.
#[derive(Debug, Serialize)]
pub struct User {
    sub: Subject,
    openid: String,
    unionid: Option<String>,
    nickname: Option<String>,
    avatar_url: Option<String>,
    location: Option<String>,
    subscribed: bool,
}

impl User {
    /// The nickname, if it is known.
    pub fn nickname(&self) -> Option<&str> {
        self.nickname.as_deref()
    }

    /// The person with this subject, and what is known of them.
    pub fn new(id: &MemberId, sub: Subject, known: Option<Member>) -> Self {
        let openid = id.openid.as_str().to_owned();
        match known {
            Some(Member {
                unionid,
                nickname,
                avatar_url,
                location,
                subscribed,
                ..
            }) => Self {
                sub,
                openid,
                unionid,
                nickname,
                avatar_url,
                location,
                subscribed,
            },
            None => Self {
                sub,
                openid,
                unionid: None,
                nickname: None,
                avatar_url: None,
                location: None,
                subscribed: false,
            },
        }
    }
}
