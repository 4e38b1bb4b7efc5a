//! Codes in the protocol of wechat-server: who sends a keyword to the account gets one, types it
//! into a website, and the website's backend asks here whose it is.

use std::{fmt, net::IpAddr, sync::Arc};

use aws_lc_rs::hmac;
use login_protocol::{
    digits::Digits,
    identity::{AppId, MemberId, OpenId},
    steps::{
        Admission, GiveBackCompatCode, GiveCompatCode, ReadMember, ReserveCompatCode,
        TakeCompatCode,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use wechat_wire::push::{Push, PushBody};

use crate::{
    push::usable::UsablePush,
    settings::{CODE, CompatSettings},
};

/// How many digits a code has. Its users expect as many.
const LENGTH: usize = 6;

/// How many codes there are.
const CODES: u64 = 1_000_000;

/// How many are looked at to find one that nobody has. Even with 100,000 given out, all of them are
/// taken with 1 in 100 million.
const DRAWS: u8 = 8;

/// Separates the key of the codes from whatever else is made of the same secret.
const PURPOSE: &[u8] = b"wechat-login codes of wechat-server's protocol";

/// The codes of one account.
pub struct CompatCodes {
    app_id: AppId,
    store: Arc<Store>,
    keywords: Vec<String>,
    reply: String,
    key: hmac::Key,
}

/// What came of a code that a backend asked about.
pub enum Taken {
    /// It is this person's.
    Person(OpenId),
    /// It is nobody's, was used, or its time is over.
    Nobody,
    /// The caller sent too many of those within a minute.
    TooMany,
}

/// Why it isn't known whose a code is.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl CompatCodes {
    /// Those of this account. `secret` is one that strangers can't guess, the same for all
    /// gateways.
    pub fn new(
        app_id: AppId,
        store: Arc<Store>,
        settings: &CompatSettings,
        secret: &SecretString,
    ) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, PURPOSE).as_ref());
        Self {
            app_id,
            store,
            keywords: settings.keywords.clone(),
            reply: settings.reply.clone(),
            key,
        }
    }

    /// Whether a push is a message that asks for a code.
    pub fn are_asked_for(&self, push: &Push) -> bool {
        let PushBody::Message {
            msg_type,
            content: Some(content),
            ..
        } = &push.body
        else {
            return false;
        };
        let content = content.trim();
        msg_type == "text" && self.keywords.iter().any(|keyword| keyword == content)
    }

    /// The reply to who asked. A message has the same code however often it is delivered, without
    /// anything being stored about it: its code is made of the message and a secret.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn give(&self, push: &UsablePush) -> Result<Option<String>, StoreError> {
        let member = MemberId {
            app_id: self.app_id.clone(),
            openid: push.openid.clone(),
        };
        for draw in 0..DRAWS {
            let give = GiveCompatCode {
                code: self.code(&push.push, draw),
                member: member.clone(),
            };
            if self.store.run(&give).await? {
                return Ok(Some(self.reply.replace(CODE, &give.code)));
            }
        }
        Ok(None)
    }

    /// Whose code is it? Each is used up by that, but for the same caller within ten seconds. Who
    /// was banned meanwhile has none.
    ///
    /// # Errors
    ///
    /// Redis or the operating system's random bytes failed.
    pub async fn take(&self, code: &str, caller: IpAddr) -> Result<Taken, NotTaken> {
        let reservation = random::name()?;
        let reserve = ReserveCompatCode {
            caller,
            reservation: reservation.clone(),
        };
        if self.store.run(&reserve).await? != Admission::Admitted {
            return Ok(Taken::TooMany);
        }
        let Some(openid) = self.owner(code, caller).await? else {
            return Ok(Taken::Nobody);
        };
        let give_back = GiveBackCompatCode {
            caller,
            reservation,
        };
        self.store.run(&give_back).await?;
        Ok(Taken::Person(openid))
    }

    async fn owner(&self, code: &str, caller: IpAddr) -> Result<Option<OpenId>, StoreError> {
        let digits = Digits::in_message(code).filter(|digits| digits.as_str().len() == LENGTH);
        let Some(digits) = digits else {
            return Ok(None);
        };
        let take = TakeCompatCode {
            app_id: self.app_id.clone(),
            code: digits.as_str().to_owned(),
            caller,
        };
        let Some(openid) = self.store.run(&take).await? else {
            return Ok(None);
        };
        let read = ReadMember {
            member: MemberId {
                app_id: self.app_id.clone(),
                openid: openid.clone(),
            },
        };
        let member = self.store.run(&read).await?;
        let is_banned = member.is_some_and(|member| member.banned);
        Ok((!is_banned).then_some(openid))
    }

    fn code(&self, push: &Push, draw: u8) -> String {
        let message = match &push.body {
            PushBody::Message {
                msg_id: Some(id), ..
            } => id.as_str(),
            _ => "",
        };
        let mut context = hmac::Context::with_key(&self.key);
        for part in [
            self.app_id.as_str(),
            &push.from_user_name,
            message,
            &push.create_time.to_string(),
        ] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        context.update(&[draw]);
        let tag = context.sign();
        // Of 64 bits, no code is more likely than another by more than 1 in 10^13.
        let drawn = tag
            .as_ref()
            .iter()
            .take(8)
            .fold(0, |drawn: u64, byte| drawn << 8 | u64::from(*byte));
        format!("{:0LENGTH$}", drawn % CODES)
    }
}

impl fmt::Debug for CompatCodes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CompatCodes(…)")
    }
}
