//! Shares of clients and of the nets around them, which all of a net's addresses have together.
//!
//! What belongs to the widest net is one key, so that all of its counts are compared and raised in one piece.

use std::{net::IpAddr, time::Duration};

use super::{AtomicScript, Operation, words};
use crate::client_nets::{Net, nets};

static ADMIT: AtomicScript = AtomicScript::new(include_str!("nets_admit.lua"));
static GIVE_BACK: AtomicScript = AtomicScript::new(include_str!("nets_give_back.lua"));

/// How many clients of one wide net are told apart. The others have no share of their own, only the wider nets'.
const CLIENTS_OF_A_NET: u32 = 1024;

/// How many uses a client has in a time; a wider net has a multiple of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// It begins with its first use.
    pub(super) length: Duration,
    /// How many uses there may be.
    pub(super) share: u32,
}

/// What came of a use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It was counted. How often the client and each wider net have used the longest window, this time
    /// included.
    Counted(Vec<u32>),
    /// It wasn't, and will be after this time.
    Refused(Duration),
}

/// Counts a use, unless one of the windows is full. The longest one comes last: when it is over, all are.
pub(super) fn admit(key: String, client: IpAddr, windows: &[Window]) -> Operation {
    let mut arguments = Vec::with_capacity(8 + 2 * windows.len());
    arguments.extend([CLIENTS_OF_A_NET.to_string(), windows.len().to_string()]);
    for Window { length, share } in windows {
        arguments.extend([length.as_millis().to_string(), share.to_string()]);
    }
    for net in nets(client).into_iter().flatten() {
        arguments.extend([name(net), net.factor.to_string()]);
    }
    Operation::Script {
        script: &ADMIT,
        key,
        arguments,
    }
}

/// What [`admit`] was answered.
pub(super) fn admitted(reply: &[Option<String>]) -> Option<Use> {
    match words(reply).as_slice() {
        [Some("admitted"), uses @ ..] => {
            let uses = uses.iter().map(|uses| uses.as_ref()?.parse().ok());
            uses.collect::<Option<_>>().map(Use::Counted)
        }
        [Some("refused"), Some(milliseconds)] => {
            let milliseconds = milliseconds.parse().ok()?;
            Some(Use::Refused(Duration::from_millis(milliseconds)))
        }
        _ => None,
    }
}

/// Gives uses back to the windows from this one on, of which the first is 0.
pub(super) fn give_back(key: String, client: IpAddr, uses: u32, first_window: usize) -> Operation {
    let mut arguments = vec![uses.to_string(), (first_window + 1).to_string()];
    arguments.extend(nets(client).into_iter().flatten().map(name));
    Operation::Script {
        script: &GIVE_BACK,
        key,
        arguments,
    }
}

/// A net's name within its key, as short as it can be.
fn name(net: Net) -> String {
    match net.address {
        IpAddr::V4(_) => net.prefix.to_string(),
        IpAddr::V6(address) => format!("{}:{:x}", net.prefix, address.segments()[3]),
    }
}
