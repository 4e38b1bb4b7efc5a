//! Who is signed in, as browsers are told.

use login_protocol::{identity::MemberId, member::Member, subject::Subject};
use serde::Serialize;
use utoipa::ToSchema;

/// A person, as `GET /api/session` tells.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    sub: Subject,
    openid: String,
    #[schema(required)]
    unionid: Option<String>,
    #[schema(required)]
    nickname: Option<String>,
    #[schema(required)]
    avatar_url: Option<String>,
    #[schema(required)]
    location: Option<String>,
    subscribed: bool,
}

impl User {
    /// Who they are to the owner's own software.
    pub fn sub(&self) -> &str {
        self.sub.as_str()
    }

    /// The person towards the account.
    pub fn openid(&self) -> &str {
        &self.openid
    }

    /// The person across the accounts of one Open Platform account.
    pub fn unionid(&self) -> Option<&str> {
        self.unionid.as_deref()
    }

    /// Whether they follow the account.
    pub const fn subscribed(&self) -> bool {
        self.subscribed
    }

    /// A name for them, never empty: of who is unknown, `微信用户` and the end of their subject.
    pub fn called(&self) -> String {
        match self.nickname.as_deref() {
            Some(nickname) if !nickname.is_empty() => nickname.to_owned(),
            _ => {
                let sub = self.sub.as_str();
                format!("微信用户{}", &sub[sub.len().saturating_sub(4)..])
            }
        }
    }

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
