//! The parametric QR codes that were created, and which of them a scan means.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::random;
use crate::ticket::ticket;

/// How many codes are kept; creating one more forgets the oldest.
const CAPACITY: usize = 50_000;

/// How long an expired code is remembered, so that a scan of it is told so.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// What a code's picture encodes, up to its own part. The scheme is http, as recorded.
const CONTENT_PREFIX: &str = "http://weixin.qq.com/q/";

/// What the account's own code encodes, which everybody prints who has an account. It bears no
/// scene.
pub(crate) const OWN_CODE: &str = "http://weixin.qq.com/r/51d0ca11bac4";

/// A QR code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// What `qrcode/create` returned and `showqrcode` takes.
    pub(crate) ticket: String,
    /// What the picture encodes.
    pub(crate) content: String,
    /// The scene as the pushes report it.
    pub(crate) scene: String,
    /// When it stops working; none for a permanent code.
    pub(crate) expires_at: Option<Timestamp>,
}

/// The result of looking up what was scanned.
#[derive(Clone, Debug)]
pub(crate) enum Scanned {
    /// A code that works.
    Code(Code),
    /// A code whose time is over.
    Expired,
    /// Nothing that this WeChat made.
    Unknown,
}

/// All codes.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    by_ticket: HashMap<String, Code>,
    ticket_by_content: HashMap<String, String>,
    order: VecDeque<String>,
    permanent: usize,
}

impl Codes {
    /// Creates a code. `lifetime_seconds` is none for a permanent one.
    pub(crate) fn create(
        &self,
        scene: String,
        lifetime_seconds: Option<u32>,
        now: Timestamp,
    ) -> Code {
        let content = format!("{CONTENT_PREFIX}{}", random::qr_code_path());
        let created = u32::try_from(now.as_second()).unwrap_or(u32::MAX);
        let ticket = ticket(
            random::bytes(),
            &content,
            created,
            lifetime_seconds.unwrap_or(0),
        );
        let expires_at =
            lifetime_seconds.map(|seconds| now + SignedDuration::from_secs(i64::from(seconds)));
        let code = Code {
            ticket,
            content,
            scene,
            expires_at,
        };
        let mut made = self.lock();
        made.forget_old(now);
        made.permanent += usize::from(code.expires_at.is_none());
        made.order.push_back(code.ticket.clone());
        made.ticket_by_content
            .insert(code.content.clone(), code.ticket.clone());
        made.by_ticket.insert(code.ticket.clone(), code.clone());
        code
    }

    /// The code with this ticket, expired or not.
    pub(crate) fn find(&self, ticket: &str) -> Option<Code> {
        self.lock().by_ticket.get(ticket).cloned()
    }

    /// What someone scanned or pasted: a code's content, its ticket or the address of its picture.
    pub(crate) fn scan(&self, scanned: &str, now: Timestamp) -> Scanned {
        let scanned = scanned.trim();
        let ticket = ticket_of_picture(scanned).unwrap_or_else(|| scanned.to_owned());
        let made = self.lock();
        let ticket = made.ticket_by_content.get(scanned).unwrap_or(&ticket);
        match made.by_ticket.get(ticket) {
            Some(code) if code.expired(now) => Scanned::Expired,
            Some(code) => Scanned::Code(code.clone()),
            None => Scanned::Unknown,
        }
    }

    /// The codes that work now, the newest first.
    pub(crate) fn on_offer(&self, now: Timestamp) -> Vec<Code> {
        let made = self.lock();
        let newest_first = made
            .order
            .iter()
            .rev()
            .filter_map(|ticket| made.by_ticket.get(ticket));
        newest_first
            .filter(|code| !code.expired(now))
            .cloned()
            .collect()
    }

    /// The scenes and tickets of all remembered codes, for tests that search logs for them.
    pub(crate) fn scenes_and_tickets(&self) -> (Vec<String>, Vec<String>) {
        let made = self.lock();
        made.by_ticket
            .values()
            .map(|code| (code.scene.clone(), code.ticket.clone()))
            .unzip()
    }

    /// How many permanent codes exist.
    pub(crate) fn permanent(&self) -> usize {
        self.lock().permanent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Code {
    /// Whether the code's time is over.
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

impl Made {
    fn forget_old(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let old = self
                .by_ticket
                .get(oldest)
                .is_none_or(|code| code.expired(now - REMEMBERED));
            if !old && self.order.len() < CAPACITY {
                return;
            }
            if let Some(ticket) = self.order.pop_front()
                && let Some(code) = self.by_ticket.remove(&ticket)
            {
                self.ticket_by_content.remove(&code.content);
                self.permanent -= usize::from(code.expires_at.is_none());
            }
        }
    }
}

/// The ticket in a `showqrcode` address, whatever its host, decoded exactly once.
fn ticket_of_picture(address: &str) -> Option<String> {
    let address = url::Url::parse(address).ok()?;
    let (_, ticket) = address.query_pairs().find(|(name, _)| name == "ticket")?;
    address
        .path()
        .ends_with("/showqrcode")
        .then(|| ticket.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_content_ticket_and_picture_until_it_expires() {
        let codes = Codes::default();
        let now = Timestamp::UNIX_EPOCH;
        let code = codes.create("login".to_owned(), Some(60), now);
        let picture = format!(
            "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket={}",
            code.ticket
        );
        for scanned in [&code.content, &code.ticket, &picture] {
            assert!(
                matches!(codes.scan(scanned, now), Scanned::Code(found) if found.scene == "login")
            );
        }
        let later = now + SignedDuration::from_secs(60);
        assert!(matches!(codes.scan(&code.content, later), Scanned::Expired));
        assert!(codes.on_offer(later).is_empty());
        assert!(matches!(
            codes.scan("http://weixin.qq.com/q/02", now),
            Scanned::Unknown
        ));
    }

    #[test]
    fn expired_codes_are_forgotten_in_the_end() {
        let codes = Codes::default();
        let now = Timestamp::UNIX_EPOCH;
        let code = codes.create("old".to_owned(), Some(60), now);
        codes.create(
            "new".to_owned(),
            Some(60),
            now + SignedDuration::from_hours(2),
        );
        assert!(codes.find(&code.ticket).is_none());
    }
}
