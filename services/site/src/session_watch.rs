//! Pages of people who are signed in, which are told when they no longer are.
//!
//! Each is a task and takes 2.5 KiB, unlike a browser that waits for a login (`event_streams`): it
//! asks for it, and closes the stream while nobody looks at it.

use std::{
    collections::{HashMap, hash_map::Entry},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use login_protocol::identity::MemberId;
use serde::Serialize;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::{sessions::store::Sessions, waiting_room::Seat};

/// How often a silent stream says something, so that proxies keep it open. Then the session is read
/// as well: it may have come to its end by itself, or been ended by a version that tells nobody.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// What it then says: a comment.
const COMMENT: &str = ":\n\n";

/// How long to wait before a session is read again that couldn't be.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// By how many milliseconds at most these times differ between streams, so that they don't all read
/// at once.
const SPREAD: u64 = 4000;

/// How many sessions are read at once: whatever wakes all streams holds no login up.
const READS_AT_ONCE: usize = 32;

/// How long a browser waits before it opens a broken stream again.
const RECONNECT_AFTER_MS: u32 = 1000;

/// What such a page is told.
#[derive(Serialize, ToSchema)]
pub(crate) struct Standing {
    /// Whether the session is good.
    signed_in: bool,
}

/// The pages of this process.
pub struct SessionWatch {
    sessions: Arc<Sessions>,
    shutdown: CancellationToken,
    by_person: Mutex<HashMap<MemberId, watch::Sender<()>>>,
    reads: Semaphore,
}

/// A page that is told what becomes of its session.
pub(crate) struct Watcher {
    watch: Arc<SessionWatch>,
    member: MemberId,
    id_sha256: String,
    /// `None` only while it is dropped.
    news: Option<watch::Receiver<()>>,
    /// Whether there was news, and the session couldn't be read yet.
    is_owed: bool,
    _seat: Seat,
}

/// How far a stream is.
enum Phase {
    Begins,
    GoesOn,
    IsOver,
}

impl SessionWatch {
    /// Nobody watches yet.
    pub fn new(sessions: Arc<Sessions>, shutdown: CancellationToken) -> Self {
        Self {
            sessions,
            shutdown,
            by_person: Mutex::default(),
            reads: Semaphore::new(READS_AT_ONCE),
        }
    }

    /// Begins to watch a session of this person.
    pub(crate) fn begin(
        self: &Arc<Self>,
        member: MemberId,
        id_sha256: String,
        seat: Seat,
    ) -> Watcher {
        let news = match self.lock().entry(member.clone()) {
            Entry::Occupied(known) => known.get().subscribe(),
            Entry::Vacant(unknown) => unknown.insert(watch::Sender::new(())).subscribe(),
        };
        Watcher {
            watch: Arc::clone(self),
            member,
            id_sha256,
            news: Some(news),
            is_owed: true,
            _seat: seat,
        }
    }

    /// Has the sessions of this person read again that are watched here.
    pub(crate) fn look_at(&self, member: &MemberId) {
        if let Some(watchers) = self.lock().get(member) {
            watchers.send_replace(());
        }
    }

    /// Has all sessions read again that are watched here: news of them may have been missed.
    pub(crate) fn look_at_all(&self) {
        for watchers in self.lock().values() {
            watchers.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MemberId, watch::Sender<()>>> {
        self.by_person
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Server-sent events: one at once, and one whenever there is news of the person. The last one
    /// says that the session is over.
    pub(crate) fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold((self, Phase::Begins), |(mut watcher, phase)| async move {
            let is_first = match phase {
                Phase::Begins => true,
                Phase::GoesOn => false,
                Phase::IsOver => return None,
            };
            let shutdown = watcher.watch.shutdown.clone();
            let next = shutdown.run_until_cancelled(watcher.next(is_first));
            let (said, phase) = next.await?;
            Some((Ok(said), (watcher, phase)))
        })
    }

    /// What is said next.
    async fn next(&mut self, is_first: bool) -> (Bytes, Phase) {
        if !is_first {
            self.hear().await;
        }
        let retry = format!("retry: {RECONNECT_AFTER_MS}\n");
        let mut said = if is_first { retry } else { String::new() };
        let phase = match self.read().await {
            Some(false) => {
                said += &event(false);
                Phase::IsOver
            }
            Some(true) if self.is_owed => {
                self.is_owed = false;
                said += &event(true);
                Phase::GoesOn
            }
            // Nothing is known while Redis is away, or nothing is new: the stream is kept open.
            _ => {
                said += COMMENT;
                Phase::GoesOn
            }
        };
        (said.into(), phase)
    }

    /// Waits for news, or for the time to look without any.
    async fn hear(&mut self) {
        let patience = if self.is_owed {
            READ_AGAIN_AFTER
        } else {
            KEEP_ALIVE
        };
        let seed: u64 = self.id_sha256.bytes().map(u64::from).sum();
        let patience = patience.saturating_sub(Duration::from_millis(seed * 97 % SPREAD));
        if let Some(news) = &mut self.news
            && timeout(patience, news.changed()).await.is_ok()
        {
            self.is_owed = true;
        }
    }

    /// Whether the session is good; `None`: Redis is away, which others tell.
    async fn read(&self) -> Option<bool> {
        let _turn = self.watch.reads.acquire().await;
        let read = self.watch.sessions.is_still_good(&self.id_sha256).await;
        read.inspect_err(|error| tracing::debug!(%error, "can't read a watched session yet"))
            .ok()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.news = None;
        let mut by_person = self.watch.lock();
        if let Entry::Occupied(known) = by_person.entry(self.member.clone())
            && known.get().is_closed()
        {
            known.remove();
        }
    }
}

fn event(signed_in: bool) -> String {
    let body = serde_json::to_string(&Standing { signed_in }).unwrap_or_default();
    format!("event: session\ndata: {body}\n\n")
}
