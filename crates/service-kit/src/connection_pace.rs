//! The state of a connection: whose turn it is, and whether there is room to write.

use std::cell::Cell;

/// Whose turn it is on a connection.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Turn {
    /// The first request head is awaited; actix-http limits that itself.
    #[default]
    First,
    /// A request is being answered.
    Ours,
    /// The answer is given.
    Idle,
    /// Something came after that, and isn't yet a request.
    Theirs,
}

/// The state of a connection.
#[derive(Default)]
pub(crate) struct Pace {
    turn: Cell<Turn>,
    /// No room for what was to be written last.
    stuck: Cell<bool>,
    /// Something was written since this was last looked at.
    wrote: Cell<bool>,
}

/// What only the client can bring on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// The rest of a request's head.
    Head,
    /// Room for what is to be written.
    Room,
}

impl Pace {
    /// Bytes came.
    pub(crate) fn heard(&self) {
        if self.turn.get() == Turn::Idle {
            self.turn.set(Turn::Theirs);
        }
    }

    /// A request's head is complete.
    pub(crate) fn request_began(&self) {
        self.turn.set(Turn::Ours);
    }

    /// The request's answer is found.
    pub(crate) fn answered(&self) {
        self.turn.set(Turn::Idle);
    }

    /// Whether bytes that were to be written had room.
    pub(crate) fn wrote(&self, room: bool) {
        self.stuck.set(!room);
        if room {
            self.wrote.set(true);
        }
    }

    /// Whether something was written since this was last asked.
    pub(crate) fn made_room(&self) -> bool {
        self.wrote.take()
    }

    /// What the connection waits for, if it is the client's to bring on.
    pub(crate) fn awaited(&self) -> Option<Awaited> {
        if self.stuck.get() {
            Some(Awaited::Room)
        } else if self.turn.get() == Turn::Theirs {
            Some(Awaited::Head)
        } else {
            None
        }
    }
}
