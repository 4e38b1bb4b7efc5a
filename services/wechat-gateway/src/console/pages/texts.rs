//! Names, times and spans, as the pages write them.

use jiff::{Timestamp, civil::Date};
use login_protocol::{history::Hour, member::Member};

use super::super::{history, language::Language};

pub(super) fn name(say: Language, member: &Member) -> &str {
    let nickname = member
        .nickname
        .as_deref()
        .filter(|name| !name.trim().is_empty());
    nickname.unwrap_or(say.say("没有昵称", "No nickname"))
}

pub(super) const fn state(say: Language, member: &Member) -> &'static str {
    match (member.banned, member.subscribed) {
        (true, _) => say.say("已封禁", "Banned"),
        (false, true) => say.say("已关注", "Follows"),
        (false, false) => say.say("未关注", "Doesn't follow"),
    }
}

pub(super) fn span(milliseconds: u128) -> String {
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", milliseconds / 1000)
    }
}

pub(super) fn clock(at: Timestamp) -> String {
    at.to_zoned(history::china()).strftime("%H:%M").to_string()
}

pub(super) fn minute(at: Timestamp) -> String {
    at.to_zoned(history::china())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

pub(super) fn second(at: Timestamp) -> String {
    at.to_zoned(history::china())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

pub(super) fn hour_label(hour: Hour) -> String {
    clock(hour.begins())
}

pub(super) fn day_label(day: Date) -> String {
    day.strftime("%m-%d").to_string()
}
