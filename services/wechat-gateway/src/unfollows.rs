//! What ends when somebody unfollows an account: their sessions at sites that end them then, and what
//! clients have of them.

use jiff::Timestamp;
use login_protocol::{
    event::EventKind,
    identity::MemberId,
    session_end::SessionEnd,
    steps::{
        AppendEvent, IndexedSession, ReadSessionIndex,
        oidc::{ClientUse, ReadClientUses},
    },
};
use service_kit::{
    client_uses,
    redis::{Store, StoreError},
    sessions::{Ending, PersonsSession},
};

/// An unfollow that is about to be kept.
pub(crate) struct Unfollow<'a> {
    store: &'a Store,
    ending: Option<Ending<'a>>,
    /// The person's sessions, to be read behind it in the same round trip.
    pub(crate) index: ReadSessionIndex,
    /// What clients have of them, likewise.
    pub(crate) uses: ReadClientUses,
}

impl<'a> Unfollow<'a> {
    /// Tells that somebody left, if that is to be told, and which of their sessions end with it:
    /// before they do, since afterwards nobody might come to it.
    pub(crate) async fn announce(
        store: &'a Store,
        member: &'a MemberId,
        left: Option<&AppendEvent>,
    ) -> Result<Self, StoreError> {
        let ending = match left {
            Some(left) => Some(Self::tell(store, member, left).await?),
            None => None,
        };
        let member = member.clone();
        Ok(Self {
            store,
            ending,
            index: ReadSessionIndex {
                member: member.clone(),
            },
            uses: ReadClientUses { member },
        })
    }

    /// The same, if this is what an event tells.
    pub(crate) async fn told_by(
        store: &'a Store,
        member: &'a MemberId,
        event: Option<&AppendEvent>,
    ) -> Result<Option<Self>, StoreError> {
        match event {
            Some(left) if left.happening.kind == EventKind::MemberUnfollowed => {
                Self::announce(store, member, Some(left)).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn tell(
        store: &'a Store,
        member: &'a MemberId,
        left: &AppendEvent,
    ) -> Result<Ending<'a>, StoreError> {
        let ends = |session: &PersonsSession| {
            let place = session.place.as_ref();
            place.is_some_and(|place| place.ends_on_unfollow)
        };
        let ending = Ending::look(store, member, SessionEnd::Unfollowed, ends).await?;
        if !ending.is_empty() {
            store.run(left).await?;
            ending.tell().await?;
        }
        Ok(ending)
    }

    /// Ends what is left of it, once it is kept that its person unfollowed at this time.
    pub(crate) async fn conclude(
        self,
        at: Timestamp,
        index: &[IndexedSession],
        uses: &[ClientUse],
    ) -> Result<(), StoreError> {
        client_uses::unfollowed(self.store, uses, at).await?;
        // One may have begun in between.
        let ending = self
            .ending
            .filter(|ending| !ending.is_empty() || ending.is_surpassed_by(index));
        if let Some(ending) = ending {
            ending.conclude().await?;
        }
        Ok(())
    }
}
