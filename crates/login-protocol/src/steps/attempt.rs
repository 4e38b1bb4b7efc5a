//! The attempt's transitions. Rules that every script follows are tested against
//! [`AttemptStatus::after`](crate::attempt::AttemptStatus::after) on a real Redis.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    attempt::{Approval, AttemptStatus},
    digits::Digits,
    identity::{AppId, MemberId, OpenId},
    method::Method,
    redis_keys,
    scene::Scene,
    site::{Realm, Site},
    status_change::CHANNEL,
};

/// How long a confirmed attempt waits for its browser at least, and how long after redeeming the
/// same browser may ask again.
pub const REDEMPTION_WINDOW: Duration = Duration::from_mins(1);

static OPEN: AtomicScript = AtomicScript::new(include_str!("attempt_open.lua"));
static REDEEM: AtomicScript = AtomicScript::new(include_str!("attempt_redeem.lua"));
static FORGET: AtomicScript = AtomicScript::new(include_str!("attempt_forget.lua"));
static CANCEL: AtomicScript = AtomicScript::new(include_str!("attempt_cancel.lua"));

fn unexpected(step: &'static str) -> UnexpectedReply {
    UnexpectedReply { step }
}

fn status(text: &str, step: &'static str) -> Result<AttemptStatus, UnexpectedReply> {
    text.parse().map_err(|_| unexpected(step))
}

fn time(milliseconds: &str, step: &'static str) -> Result<Timestamp, UnexpectedReply> {
    let parsed = milliseconds.parse().ok();
    let time = parsed.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    time.ok_or_else(|| unexpected(step))
}

/// The browser that asks to be logged in, as a person can recognise it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Browser and system, such as `Chrome · Windows`.
    pub description: String,
    /// Its IP address, shortened to its network, such as `203.0.113.x`.
    pub address: String,
}

/// The QR code that a browser shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// What it encodes.
    pub content: String,
    /// WeChat's own picture of it; empty for a code of ours.
    pub image_url: String,
}

/// The digits that a browser shows, and whom they are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDigits {
    /// The digits.
    pub digits: Digits,
    /// What people call the account.
    pub account_name: Option<String>,
    /// A picture of the account's own QR code.
    pub account_qr_url: Option<String>,
}

/// Writes a pending attempt together with the QR code that the browser shows, so that a reload can
/// show the same one.
#[derive(Debug, Clone)]
pub struct OpenAttempt {
    /// The attempt's scene.
    pub scene: Scene,
    /// How long it lives unless somebody scans.
    pub lifetime: Duration,
    /// How the visitor logs in.
    pub method: Method,
    /// The QR code, where the method has one.
    pub code: Option<ShownCode>,
    /// The digits, where the method has some.
    pub digits: Option<ShownDigits>,
    /// Which browser asks, for the person who is asked to confirm.
    pub asker: Asker,
    /// What the site says of itself.
    pub site: Arc<Site>,
}

/// The method of an attempt. An older version had two, and distinguished them by the code's
/// content.
fn method_of(named: Option<&str>, content: Option<&str>) -> Option<Method> {
    match named {
        Some(name) => Method::parse(name),
        None if content == Some("") => Some(Method::WebAuthorization),
        None => Some(Method::Scan),
    }
}

impl Step for OpenAttempt {
    /// When the code expires, by Redis' clock, to the millisecond.
    type Outcome = Timestamp;

    fn operation(&self) -> Operation {
        let Site {
            realm,
            name,
            approval,
            require_following,
            client,
        } = &*self.site;
        // An attempt without a code has empty ones: a version that knew no methods reads it by
        // them.
        let (content, image_url) = match &self.code {
            Some(ShownCode { content, image_url }) => (content.as_str(), image_url.as_str()),
            None => ("", ""),
        };
        let mut arguments = Vec::with_capacity(23);
        arguments.push(self.lifetime.as_millis().to_string());
        let mut field = |name: &str, value: &str| {
            arguments.extend([name.to_owned(), value.to_owned()]);
        };
        field("content", content);
        field("image_url", image_url);
        field("asker", &self.asker.description);
        field("asker_address", &self.asker.address);
        field("method", self.method.as_str());
        field("site", realm.site.as_str());
        field("account", realm.account.as_str());
        if let Some(name) = name {
            field("site_name", name);
        }
        // A page of ours asks whoever opens it.
        let approval = match self.method {
            Method::Page => Some(Approval::Tap),
            _ => *approval,
        };
        if let Some(approval) = approval {
            field("approval", approval.as_str());
        }
        if let Some(shown) = &self.digits {
            field("digits", shown.digits.as_str());
            if let Some(name) = &shown.account_name {
                field("account_name", name);
            }
            if let Some(url) = &shown.account_qr_url {
                field("account_qr_url", url);
            }
        }
        if *require_following {
            field("require_following", "1");
        }
        if let Some(client) = client {
            field("client", client);
        }
        Operation::Script {
            script: &OPEN,
            key: redis_keys::attempt(&self.scene),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Timestamp, UnexpectedReply> {
        match words(reply).as_slice() {
            // `exists` is this very step, sent again after its answer was lost.
            [Some("opened" | "exists"), Some(expires_at_ms)] => time(expires_at_ms, "OpenAttempt"),
            _ => Err(unexpected("OpenAttempt")),
        }
    }
}

/// Reads all that a browser needs to show the attempt.
#[derive(Debug, Clone)]
pub struct ReadAttempt {
    /// The attempt's scene.
    pub scene: Scene,
    /// The realm that the attempt must belong to.
    pub realm: Realm,
}

/// An attempt as Redis holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedAttempt {
    /// Where it stands.
    pub status: AttemptStatus,
    /// When its code expires, by Redis' clock.
    pub expires_at: Timestamp,
    /// How the visitor logs in.
    pub method: Method,
    /// The QR code, where the method has one.
    pub code: Option<ShownCode>,
    /// The digits, where the method has some.
    pub digits: Option<ShownDigits>,
    /// The client that its visitor goes on to, by its name in the site's settings.
    pub client: Option<String>,
}

impl Step for ReadAttempt {
    /// `None`: it expired, never was, belongs elsewhere, or goes by a method that this version
    /// doesn't know.
    type Outcome = Option<OpenedAttempt>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::attempt(&self.scene),
            arguments: [
                "status",
                "expires_at_ms",
                "site",
                "account",
                "method",
                "content",
                "image_url",
                "digits",
                "account_name",
                "account_qr_url",
                "client",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        const STEP: &str = "ReadAttempt";
        match words(reply).as_slice() {
            [None, ..] => Ok(None),
            [_, _, site, account, ..] if !self.realm.has(*site, *account) => Ok(None),
            [
                Some(found),
                Some(expires_at_ms),
                _,
                _,
                method,
                content,
                image_url,
                digits,
                account_name,
                account_qr_url,
                client,
            ] => {
                let Some(method) = method_of(*method, *content) else {
                    return Ok(None);
                };
                let code = match (content, image_url) {
                    (Some(content), Some(image_url)) if !content.is_empty() => Some(ShownCode {
                        content: (*content).to_owned(),
                        image_url: (*image_url).to_owned(),
                    }),
                    _ => None,
                };
                let digits = digits.and_then(Digits::read).map(|digits| ShownDigits {
                    digits,
                    account_name: account_name.map(str::to_owned),
                    account_qr_url: account_qr_url.map(str::to_owned),
                });
                Ok(Some(OpenedAttempt {
                    status: status(found, STEP)?,
                    expires_at: time(expires_at_ms, STEP)?,
                    method,
                    code,
                    digits,
                    client: client.map(str::to_owned),
                }))
            }
            _ => Err(unexpected(STEP)),
        }
    }
}

/// Reads an attempt's status, and nothing else: what a waiting browser's stream needs.
#[derive(Debug, Clone)]
pub struct ReadStatus {
    /// The attempt's scene.
    pub scene: Scene,
    /// The realm that the attempt must belong to; any other one counts as expired.
    pub realm: Realm,
}

impl Step for ReadStatus {
    /// The status, and the expiry unless it is [`AttemptStatus::Expired`].
    type Outcome = (AttemptStatus, Option<Timestamp>);

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::attempt(&self.scene),
            arguments: ["status", "expires_at_ms", "site", "account"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        const STEP: &str = "ReadStatus";
        match words(reply).as_slice() {
            [None, ..] => Ok((AttemptStatus::Expired, None)),
            [_, _, site, account] if !self.realm.has(*site, *account) => {
                Ok((AttemptStatus::Expired, None))
            }
            [Some(found), Some(expires_at_ms), ..] => {
                Ok((status(found, STEP)?, time(expires_at_ms, STEP).ok()))
            }
            _ => Err(unexpected(STEP)),
        }
    }
}

/// Reads an attempt's status and how it goes: for a stream that begins, and before it is cancelled.
#[derive(Debug, Clone)]
pub struct ReadProgress {
    /// The attempt's scene.
    pub scene: Scene,
    /// The realm that the attempt must belong to; any other one counts as expired.
    pub realm: Realm,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub status: AttemptStatus,
    /// When it expires, by Redis' clock, unless it has.
    pub expires_at: Option<Timestamp>,
    /// How the visitor logs in. Where a record doesn't say, or it has expired: by a scan.
    pub method: Method,
}

impl Step for ReadProgress {
    type Outcome = Progress;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::attempt(&self.scene),
            arguments: ["status", "expires_at_ms", "site", "account", "method"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        const STEP: &str = "ReadProgress";
        let expired = Progress {
            status: AttemptStatus::Expired,
            expires_at: None,
            method: Method::Scan,
        };
        match words(reply).as_slice() {
            [None, ..] => Ok(expired),
            [_, _, site, account, _] if !self.realm.has(*site, *account) => Ok(expired),
            [Some(found), Some(expires_at_ms), _, _, method] => Ok(Progress {
                status: status(found, STEP)?,
                expires_at: time(expires_at_ms, STEP).ok(),
                method: method.and_then(Method::parse).unwrap_or(Method::Scan),
            }),
            _ => Err(unexpected(STEP)),
        }
    }
}

/// What a browser takes its login for. An attempt is good for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be signed in; a ticket may come with it.
    Session,
    /// For a ticket alone.
    Ticket,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Ticket => "ticket",
        }
    }
}

/// The browser takes its login. Only the holder of the secret can name the scene and ask.
#[derive(Debug, Clone)]
pub struct RedeemAttempt {
    /// The scene of the browser's secret.
    pub scene: Scene,
    /// The realm that the attempt must belong to; any other one counts as expired.
    pub realm: Realm,
    /// Fresh random text. The first one to arrive is kept, and every repeat is answered with it.
    pub nonce: String,
    /// What for. An attempt that was redeemed for anything else counts as consumed.
    pub purpose: Purpose,
}

/// The outcome of redeeming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    /// The browser is logged in, now or by the same step within the last minute.
    Redeemed(Identified),
    /// It isn't (or no longer) possible, because this is the attempt's status.
    Refused(AttemptStatus),
    /// The owner banned the person who scanned.
    Banned,
}

/// Who logged in, and with which nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Who scanned.
    pub member: MemberId,
    /// The nonce of the first redemption.
    pub nonce: String,
    /// When the person confirmed, by Redis' clock, to the millisecond: whatever ends their sessions
    /// afterwards ends this one as well. Where an older version recorded the scan, when the attempt
    /// was redeemed.
    pub confirmed_at: Timestamp,
    /// How they logged in.
    pub method: Method,
    /// What the site, or the client that the visitor went on to, wanted of the phone; `None`: the
    /// gateway's own rule held.
    pub approval: Option<Approval>,
    /// The client that the visitor went on to, by its name in the site's settings.
    pub client: Option<String>,
    /// Whether the site, or that client, lets only followers of the account in.
    pub require_following: bool,
}

impl Step for RedeemAttempt {
    type Outcome = Redemption;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &REDEEM,
            key: redis_keys::attempt(&self.scene),
            arguments: vec![
                self.realm.site.as_str().to_owned(),
                self.realm.account.as_str().to_owned(),
                self.nonce.clone(),
                REDEMPTION_WINDOW.as_millis().to_string(),
                CHANNEL.to_owned(),
                self.scene.as_str().to_owned(),
                self.purpose.as_str().to_owned(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Redemption, UnexpectedReply> {
        const STEP: &str = "RedeemAttempt";
        match words(reply).as_slice() {
            [
                Some("redeemed"),
                Some(app_id),
                Some(openid),
                Some(nonce),
                Some(redeemed_at_ms),
                confirmed_at_ms,
                method,
                content,
                approval,
                client,
                require_following,
            ] => {
                let confirmed_at = time(confirmed_at_ms.unwrap_or(redeemed_at_ms), STEP)?;
                Ok(Redemption::Redeemed(Identified {
                    member: MemberId {
                        app_id: AppId::parse(app_id).map_err(|_| unexpected(STEP))?,
                        openid: OpenId::parse(openid).map_err(|_| unexpected(STEP))?,
                    },
                    nonce: (*nonce).to_owned(),
                    confirmed_at,
                    method: method_of(*method, *content).ok_or_else(|| unexpected(STEP))?,
                    approval: approval.and_then(|approval| approval.parse().ok()),
                    client: client.map(str::to_owned),
                    require_following: *require_following == Some("1"),
                }))
            }
            [Some("banned")] => Ok(Redemption::Banned),
            [Some(refused)] => Ok(Redemption::Refused(status(refused, STEP)?)),
            _ => Err(unexpected(STEP)),
        }
    }
}

/// The modal was closed. Cancelling what is gone or redeemed changes nothing.
#[derive(Debug, Clone)]
pub struct CancelAttempt {
    /// The scene of the browser's secret.
    pub scene: Scene,
    /// The realm that the attempt must belong to; any other one counts as expired.
    pub realm: Realm,
}

impl Step for CancelAttempt {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &CANCEL,
            key: redis_keys::attempt(&self.scene),
            arguments: vec![
                self.realm.site.as_str().to_owned(),
                self.realm.account.as_str().to_owned(),
                CHANNEL.to_owned(),
                self.scene.as_str().to_owned(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("cancelled" | "expired" | "consumed")] => Ok(()),
            _ => Err(unexpected("CancelAttempt")),
        }
    }
}

/// The visitor signed out: repeating the redemption no longer restores the session.
#[derive(Debug, Clone)]
pub struct ForgetRedemption {
    /// The scene of the browser's secret.
    pub scene: Scene,
    /// The realm that the attempt must belong to; any other one counts as expired.
    pub realm: Realm,
}

impl Step for ForgetRedemption {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &FORGET,
            key: redis_keys::attempt(&self.scene),
            arguments: vec![
                self.realm.site.as_str().to_owned(),
                self.realm.account.as_str().to_owned(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
