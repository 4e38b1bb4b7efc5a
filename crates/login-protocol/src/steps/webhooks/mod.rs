//! How far each receiver of events is: one hash a receiver, so that every step can see whether its
//! caller is still the gateway that delivers.
//!
//! - `holder`, `until`: which gateway delivers, and until when (ms) if it isn't heard of again;
//! - `cursor`: the place up to which events were taken from the stream;
//! - `p<place>`: an event that the receiver hasn't got, as `<failed attempts> <next one, ms>`;
//! - `d<place>`: an event that was given up, and when (ms);
//! - `pending`, `dead`: how many of each; `oldest`: the oldest pending one's place;
//! - `failures`: how often sending failed; `failure`: when (ms) and why it last did;
//! - `off`: since when (ms) nothing is sent, and the digest of the address that wants nothing;
//! - `asked`: how often the owner asked for events again.

mod failure;
mod lead;
mod pending;
mod progress;
mod redeliver;
mod settle;
mod take;

pub use failure::{NoteFailure, ReadFailure};
pub use lead::{LeadWebhook, Leadership, LeaveWebhook, SwitchOffWebhook, Term};
pub use pending::{ListDeadLetters, ListPending, ScanPage};
pub use progress::{ReadRedeliveries, ReadWebhook};
pub use redeliver::{ForgetDeliveries, Redeliver};
pub use settle::SettleDeliveries;
pub use take::TakeEvents;

use jiff::Timestamp;

use super::UnexpectedReply;
use crate::event::Position;

fn milliseconds(text: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}

fn place(position: Option<Position>) -> String {
    position.map_or_else(String::new, |position| position.number().to_string())
}

/// Whether the caller was still the one that delivers.
fn led(reply: &[Option<String>], step: &'static str) -> Result<bool, UnexpectedReply> {
    match super::words(reply).as_slice() {
        [Some("done")] => Ok(true),
        [Some("lost")] => Ok(false),
        _ => Err(UnexpectedReply { step }),
    }
}
