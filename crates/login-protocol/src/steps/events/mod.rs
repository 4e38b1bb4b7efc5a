//! The stream of events. It is one sorted set for all accounts, so it has its place in a Cluster
//! like any other key, and a step needs no second key to recognise a repeat (a Redis stream would):
//!
//! - an event is `<place> <JSON>`, its score is its place;
//! - `=<occasion>` has the negative place as its score: what has been told already;
//! - `last` has the negative place of the newest event. As long as it is there, the stream is open.
//!
//! An event of somebody who was erased is `<place> -`: who read as far as there goes on from there.

mod acts;
mod append;
mod keep;
mod login_denied;
mod read;
mod session_ended;

pub use acts::{FoundActs, ReadActs};
pub use append::{AppendEvent, Appended};
pub use keep::{BlankEvent, CloseEvents, FillEvent, OpenEvents, TrimEvents};
pub use login_denied::Denial;
pub use read::{
    CountEvents, ReadEvent, ReadEvents, ReadEventsClock, ReadNewestEvent, ReadOldestEvent,
};
pub use session_ended::EndingSession;

use super::UnexpectedReply;
use crate::event::{Kept, Position};

/// What stands for an event of somebody who was erased.
const ERASED: &str = "-";

/// What an element of the stream means.
fn kept(text: &str, step: &'static str) -> Result<Kept, UnexpectedReply> {
    let unexpected = UnexpectedReply { step };
    let parts = text.split_once(' ');
    let parts = parts.and_then(|(place, what)| Some((Position::read(place)?, what)));
    let Some((position, what)) = parts else {
        return Err(unexpected);
    };
    // What a newer version tells, and this one doesn't know, is passed over.
    let happening = match what {
        ERASED => None,
        what => serde_json::from_str(what).ok(),
    };
    Ok(Kept {
        position,
        happening,
        text: text.to_owned(),
    })
}
