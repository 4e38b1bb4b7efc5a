//! Telling that logins are denied.

use super::AppendEvent;
use crate::{
    account::AccountName,
    event::{EventKind, Happening, Occasion},
    identity::MemberId,
    scene::Scene,
};

/// Why a login is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The person who scanned said no.
    Person,
    /// The owner banned them.
    Banned,
}

impl Denial {
    /// The text form, as `data.reason` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Banned => "banned",
        }
    }
}

impl AppendEvent {
    /// What the owner's software is told of it, once for an attempt.
    pub fn of_denial(
        account: &AccountName,
        member: &MemberId,
        scene: &Scene,
        denial: Denial,
    ) -> Self {
        const KIND: EventKind = EventKind::LoginDenied;
        Self {
            occasion: Occasion::of(KIND, member, &[scene.as_str()]),
            happening: Happening::new(KIND, account.clone(), member)
                .with("reason", denial.as_str()),
            opens: false,
        }
    }
}
