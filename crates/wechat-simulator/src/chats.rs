//! What each person reads in the account's chat.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// How many lines one chat keeps.
const LINES: usize = 200;

/// How many chats are kept.
const CHATS: usize = 20_000;

/// The grey line WeChat shows when the account gave no usable answer.
pub(crate) const SERVICE_FAULT: &str = "该公众号提供的服务出现故障，请稍后再试";

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Author {
    /// The Official Account.
    Account,
    /// The person who holds the phone.
    Person,
    /// WeChat itself, in grey.
    Notice,
}

/// One line of a chat.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    /// Rises by one from line to line of a chat.
    pub(crate) id: u64,
    /// Who wrote it.
    pub(crate) from: Author,
    /// The text as it was sent, markup included.
    pub(crate) text: String,
    /// When it arrived.
    pub(crate) at: Timestamp,
}

/// All chats, by person.
#[derive(Debug, Default)]
pub(crate) struct Chats {
    chats: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_person: HashMap<String, Chat>,
    order: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Chat {
    lines: VecDeque<Line>,
    next_id: u64,
}

impl Chats {
    /// Adds a line to the person's chat.
    pub(crate) fn add(&self, person: &str, from: Author, text: String, at: Timestamp) {
        let mut kept = self.lock();
        if !kept.by_person.contains_key(person) {
            if kept.order.len() >= CHATS
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.by_person.remove(&oldest);
            }
            kept.order.push_back(person.to_owned());
        }
        let chat = kept.by_person.entry(person.to_owned()).or_default();
        if chat.lines.len() >= LINES {
            chat.lines.pop_front();
        }
        chat.lines.push_back(Line {
            id: chat.next_id,
            from,
            text,
            at,
        });
        chat.next_id += 1;
    }

    /// The person's chat, oldest line first.
    pub(crate) fn lines(&self, person: &str) -> Vec<Line> {
        let kept = self.lock();
        let chat = kept.by_person.get(person);
        chat.map(|chat| chat.lines.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
