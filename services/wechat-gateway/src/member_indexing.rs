//! Members of versions that kept no index get into it, in the background. Redis serves others
//! meanwhile: it looks at a few hundred keys at a time, with pauses.
//!
//! A gateway sees to it when it starts, and again a little later, when those of the version before
//! that it replaces have stopped. One does it for all.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    identity::MemberId,
    steps::{
        DropPlace, FinishIndexing, IndexMember, IndexingTurn, MEMBER_KEYS, MemberPlace,
        NoteIndexing, ReadFirstSeen, TakeIndexing, member_of_key,
    },
};
use service_kit::{
    random::{self, NoRandomness},
    redis::{KeyNode, Store, StoreError, Walk},
};
use tokio::time::{Instant, sleep};

/// When it is seen to again: by then the gateways that a new one replaces have stopped.
const AGAIN_AFTER: Duration = Duration::from_mins(10);

/// When it is looked again at what another gateway does, or Redis failed at.
const LOOKED_EVERY: Duration = Duration::from_secs(5);

/// For how long Redis is left alone after each look at a few hundred keys.
const PAUSE: Duration = Duration::from_millis(2);

/// How often it is said how far it has got.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Brings members into the index.
pub struct MemberIndexing {
    store: Arc<Store>,
}

/// Why it isn't done yet.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("another gateway has taken over")]
    TakenOver,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// How far it has got.
struct Progress {
    looked_at: usize,
    added: usize,
    told_at: Instant,
}

impl MemberIndexing {
    /// In this store.
    pub const fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Sees to it for as long as the process runs.
    pub async fn see_to_it(&self) {
        let began = Instant::now();
        let since = loop {
            match self.store.server_time().await {
                Ok(now) => break now,
                // What it is about is logged by whoever needs Redis at once.
                Err(_) => sleep(LOOKED_EVERY).await,
            }
        };
        self.done_since(since).await;
        sleep(AGAIN_AFTER.saturating_sub(began.elapsed())).await;
        let later = since.checked_add(AGAIN_AFTER).unwrap_or(since);
        self.done_since(later).await;
        std::future::pending::<()>().await;
    }

    /// Ends when all are in it who were stored at this time, by Redis' clock.
    pub async fn done_since(&self, since: Timestamp) {
        loop {
            match self.turn(since).await {
                Ok(true) => return,
                Ok(false) | Err(Unfinished::TakenOver) => {}
                Err(error) => {
                    tracing::warn!(%error, "members of a version before can't be indexed yet; trying again");
                }
            }
            sleep(LOOKED_EVERY).await;
        }
    }

    /// Whether it is done.
    async fn turn(&self, since: Timestamp) -> Result<bool, Unfinished> {
        let holder = random::name()?;
        let take = TakeIndexing {
            holder: holder.clone(),
            since,
        };
        let places = match self.store.run(&take).await? {
            IndexingTurn::Done => return Ok(true),
            IndexingTurn::Busy => return Ok(false),
            IndexingTurn::Yours(places) => places,
        };
        let mut progress = Progress {
            looked_at: 0,
            added: 0,
            told_at: Instant::now(),
        };
        let mut walk = self.store.walk().await?;
        for node in walk.nodes().await? {
            let place = node.run.as_ref().and_then(|run| places.get(run));
            match place.map(String::as_str) {
                Some("") => {}
                place => {
                    self.node(&mut walk, &node, &holder, place, &mut progress)
                        .await?;
                }
            }
        }
        if !self.store.run(&FinishIndexing { holder }).await? {
            return Err(Unfinished::TakenOver);
        }
        if progress.added > 0 {
            tracing::info!(
                members = progress.added,
                "indexed the members of a version before"
            );
        }
        Ok(true)
    }

    async fn node(
        &self,
        walk: &mut Walk,
        node: &KeyNode,
        holder: &str,
        place: Option<&str>,
        progress: &mut Progress,
    ) -> Result<(), Unfinished> {
        let mut place = place.map(str::to_owned);
        loop {
            let page = walk.page(node, place.as_deref(), MEMBER_KEYS).await?;
            progress.looked_at += page.keys.len();
            let members = page.keys.iter().filter_map(|key| member_of_key(key));
            progress.added += self.index(members.collect()).await?;
            let step = NoteIndexing {
                holder: holder.to_owned(),
                node: node.run.clone().unwrap_or_default(),
                place: page.next.clone().unwrap_or_default(),
            };
            if !self.store.run(&step).await? {
                return Err(Unfinished::TakenOver);
            }
            progress.tell();
            if page.next.is_none() {
                return Ok(());
            }
            place = page.next;
            sleep(PAUSE).await;
        }
    }

    /// Puts those into the index who aren't in it, and says how many those were.
    async fn index(&self, members: Vec<MemberId>) -> Result<usize, StoreError> {
        let reads: Vec<ReadFirstSeen> = members
            .into_iter()
            .map(|member| ReadFirstSeen { member })
            .collect();
        let seen = self.store.run_all(&reads).await?;
        let (indexed, reads): (Vec<IndexMember>, Vec<ReadFirstSeen>) = reads
            .into_iter()
            .zip(seen)
            .filter_map(|(read, seen)| {
                let index = IndexMember {
                    member: read.member.clone(),
                    first_seen_at: seen?,
                    only_new: true,
                };
                Some((index, read))
            })
            .unzip();
        let were_added = self.store.run_all(&indexed).await?;
        // Who was erased meanwhile left the index before they came into it.
        let seen = self.store.run_all(&reads).await?;
        let erased: Vec<DropPlace> = indexed
            .iter()
            .zip(seen)
            .filter(|(_, seen)| seen.is_none())
            .map(|(index, _)| DropPlace {
                app_id: index.member.app_id.clone(),
                place: MemberPlace::of(&index.member.openid, index.first_seen_at),
            })
            .collect();
        self.store.run_all(&erased).await?;
        Ok(were_added.into_iter().filter(|added| *added).count())
    }
}

impl Progress {
    fn tell(&mut self) {
        if self.told_at.elapsed() < TOLD_EVERY {
            return;
        }
        self.told_at = Instant::now();
        tracing::info!(
            looked_at = self.looked_at,
            members = self.added,
            "indexing the members of a version before"
        );
    }
}
