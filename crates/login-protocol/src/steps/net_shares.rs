//! Shares of clients and of the networks around them; all addresses of a network have its share
//! together.
//!
//! Everything within the widest network is one key, so that all of its counts are compared and
//! incremented atomically.

use std::{net::IpAddr, time::Duration};

use super::{AtomicScript, Operation, words};
use crate::client_nets::{Net, nets};

static ADMIT: AtomicScript = AtomicScript::new(include_str!("nets_admit.lua"));
static GIVE_BACK: AtomicScript = AtomicScript::new(include_str!("nets_give_back.lua"));

/// How many clients of one wide network are tracked separately. The others have no share of their
/// own, only those of the wider networks.
const CLIENTS_OF_A_NET: u32 = 1024;

/// How many uses a client has per period; a wider network has a multiple of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// It begins with its first use.
    pub(super) length: Duration,
    /// How many uses there may be.
    pub(super) share: u32,
}

/// The outcome of a use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It was counted. How often the client and each wider network have used the longest window,
    /// including this time.
    Counted(Vec<u32>),
    /// It wasn't, and will be after this time.
    Refused(Duration),
}

/// Counts a use, unless one of the windows is full. The longest one comes last: when it ends, all
/// have.
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

/// Gives uses back to the windows from this index on.
pub(super) fn give_back(key: String, client: IpAddr, uses: u32, first_window: usize) -> Operation {
    let mut arguments = vec![uses.to_string(), (first_window + 1).to_string()];
    arguments.extend(nets(client).into_iter().flatten().map(name));
    Operation::Script {
        script: &GIVE_BACK,
        key,
        arguments,
    }
}

/// A network's name within its key, as short as possible.
fn name(net: Net) -> String {
    match net.address {
        IpAddr::V4(_) => net.prefix.to_string(),
        IpAddr::V6(address) => format!("{}:{:x}", net.prefix, address.segments()[3]),
    }
}
