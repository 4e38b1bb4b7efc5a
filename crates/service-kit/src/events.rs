//! Taking back what the owner's software was to be told.

use login_protocol::{
    event::{Happening, Position},
    steps::{BlankEvent, ReadEvent},
};

use crate::redis::{Store, StoreError};

/// How often an event changes meanwhile: it is filled in once, and taken back or erased once.
const CHANGES: usize = 3;

/// Takes back an event, as long as this holds of it. Should it happen after all, it is told anew.
/// Returns whether there is none now.
///
/// # Errors
///
/// Redis failed: it may still be there.
pub async fn take_back(
    store: &Store,
    position: Position,
    still: impl Fn(&Happening) -> bool,
) -> Result<bool, StoreError> {
    for _ in 0..CHANGES {
        let found = store.run(&ReadEvent { position }).await?;
        let Some(found) = found.filter(|found| found.happening.is_some()) else {
            return Ok(true);
        };
        if !found.happening.as_ref().is_some_and(&still) {
            return Ok(false);
        }
        if store.run(&BlankEvent { found }).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
