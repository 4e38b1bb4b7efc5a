//! What a client is told of a person (OpenID Connect Core 1.0, section 5).

use jiff::Timestamp;
use login_protocol::{identity::MemberId, member::Member};
use serde_json::{Map, Value, json};

use super::{clients::Client, sealing::Sealing};
use crate::settings::oidc::SubjectType;

/// How many characters of the subject a username has.
const USERNAME_CHARACTERS: usize = 16;

/// The scopes that this provider knows.
pub(super) const SCOPES: [&str; 5] = ["openid", "profile", "email", "wechat", "offline_access"];

/// The subject as a client sees it.
pub(super) fn subject(client: &Client, sealing: &Sealing, subject: &str) -> String {
    match client.subject_type {
        SubjectType::Public => subject.to_owned(),
        SubjectType::Pairwise => sealing.pairwise(&client.id, subject),
    }
}

/// A person, as a client may know them.
pub(super) struct Told<'a> {
    /// The client.
    pub(super) client: &'a Client,
    /// The subject that it sees.
    pub(super) sub: &'a str,
    /// The person at their account.
    pub(super) member: &'a MemberId,
    /// What is known of them.
    pub(super) known: Option<&'a Member>,
}

impl Told<'_> {
    /// The claims of these scopes, `sub` first.
    pub(super) fn claims(&self, scope: &str) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), self.sub.into());
        for scope in scope.split(' ') {
            let of_scope = match scope {
                "profile" => self.profile(),
                "email" => self.email(),
                "wechat" => self.wechat(),
                _ => continue,
            };
            if let Value::Object(of_scope) = of_scope {
                claims.extend(of_scope.into_iter().filter(|(_, value)| !value.is_null()));
            }
        }
        claims
    }

    fn profile(&self) -> Value {
        let name = self.name();
        let known = self.known;
        json!({
            "name": name,
            "nickname": name,
            "preferred_username": self.username(),
            "picture": known.and_then(|known| known.avatar_url.as_deref()),
            "updated_at": known.and_then(|known| known.profile_at).map(Timestamp::as_second),
        })
    }

    /// The nickname. WeChat tells it of few people, and software that shows names expects one.
    fn name(&self) -> String {
        let nickname = self.known.and_then(|known| known.nickname.as_deref());
        match nickname.map(str::trim) {
            Some(nickname) if !nickname.is_empty() => nickname.to_owned(),
            _ => {
                let characters: Vec<char> = self.sub.chars().collect();
                let last = &characters[characters.len().saturating_sub(4)..];
                format!("微信用户{}", last.iter().collect::<String>())
            }
        }
    }

    /// A name that software can take for an account: of `a-z`, `0-9` and `_`, nobody else's, and
    /// never the nickname, which anybody may choose. Sixteen characters in lower case are 80
    /// random bits.
    fn username(&self) -> String {
        let part = self.sub.chars().take(USERNAME_CHARACTERS);
        let part: String = part
            .map(|character| match character {
                '-' => '_',
                character => character.to_ascii_lowercase(),
            })
            .collect();
        format!("wx_{part}")
    }

    fn email(&self) -> Value {
        match &self.client.email_domain {
            Some(domain) => json!({
                "email": format!("{}@{domain}", self.sub),
                "email_verified": false,
            }),
            None => Value::Null,
        }
    }

    fn wechat(&self) -> Value {
        // Whoever has the openid knows who the pairwise subject is.
        if self.client.subject_type == SubjectType::Pairwise {
            return Value::Null;
        }
        json!({
            "wechat_openid": self.member.openid.as_str(),
            "wechat_unionid": self.known.and_then(|known| known.unionid.as_deref()),
            "wechat_app_id": self.member.app_id.as_str(),
            "wechat_subscribed": self.known.is_some_and(|known| known.subscribed),
        })
    }
}
