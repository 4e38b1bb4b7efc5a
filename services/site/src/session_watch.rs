//! Pages of people who are signed in, which are told when they no longer are.
//!
//! Each is a task and takes 2.5 KiB, unlike a browser that waits for a
//! [login](crate::event_streams): it asks for it, and closes the stream while nobody looks at it.

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
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::{sessions::store::Sessions, waiting_room::Seat};

/// How often a silent stream says something, so that proxies keep it open. Then the session is read
/// as well: it may have come to its end by itself, or been ended by a version that tells nobody.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// What it then says: a comment.
const COMMENT: &[u8] = b":\n\n";

/// How long to wait before a session is read again, while Redis is away.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);

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
}

/// A page that is told what becomes of its session.
pub(crate) struct Watcher {
    watch: Arc<SessionWatch>,
    member: MemberId,
    id_sha256: String,
    /// `None` only while it is dropped.
    news: Option<watch::Receiver<()>>,
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
            let (said, is_good) = next.await?;
            let phase = if is_good {
                Phase::GoesOn
            } else {
                Phase::IsOver
            };
            Some((Ok(said), (watcher, phase)))
        })
    }

    /// What is said next, and whether the session is good.
    async fn next(&mut self, is_first: bool) -> (Bytes, bool) {
        let is_news = is_first || self.hear().await;
        let is_good = self.read().await;
        let said = match (is_good, is_news) {
            (true, false) => Bytes::from_static(COMMENT),
            _ if is_first => format!("retry: {RECONNECT_AFTER_MS}\n{}", event(is_good)).into(),
            _ => event(is_good).into(),
        };
        (said, is_good)
    }

    /// Waits for news; `false`: there was none for a while.
    async fn hear(&mut self) -> bool {
        let Some(news) = &mut self.news else {
            return false;
        };
        timeout(KEEP_ALIVE, news.changed()).await.is_ok()
    }

    async fn read(&self) -> bool {
        loop {
            match self.watch.sessions.is_still_good(&self.id_sha256).await {
                Ok(is_good) => return is_good,
                Err(error) => {
                    error.log();
                    sleep(READ_AGAIN_AFTER).await;
                }
            }
        }
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
