//! The event streams of this process that are open.
//!
//! A browser waits for a minute and is told something twice. So a stream is an entry of some
//! hundred bytes in a table, and no task: its timers are numbers in a [wheel](crate::timer_wheel),
//! and whoever learns of news writes them to its socket at once, without waking another thread.
//! With a task of its own a waiting browser took 2.5 KiB; it takes 0.7.

mod table;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use jiff::Timestamp;
use login_protocol::{attempt::AttemptStatus, scene::Scene};
use service_kit::{
    held_connection::{Held, Noticed},
    login_steps::StepCounter,
};

use crate::waiting_room::Seat;
use table::{Table, Ticket};

/// How many timers are served before others may have the table.
const TIMERS_AT_ONCE: usize = 64;

/// All streams.
pub(crate) struct EventStreams {
    table: Mutex<Table>,
    noticed: Noticed,
}

/// A stream that begins: it is told no news yet, and misses none. Dropping it ends it.
pub struct Beginning {
    streams: Arc<EventStreams>,
    /// `None` once the stream goes on without this.
    ticket: Option<Ticket>,
}

/// What the first event said.
pub(crate) struct FirstEvent {
    pub(crate) status: AttemptStatus,
    pub(crate) expires_at: Option<Timestamp>,
    /// When Redis will have no such attempt any more.
    pub(crate) over_at: Instant,
    /// Counts that its time was over.
    pub(crate) expiry: StepCounter,
}

impl EventStreams {
    /// No stream is open.
    pub(crate) fn new(noticed: Noticed) -> Self {
        Self {
            table: Mutex::new(Table::new(Instant::now())),
            noticed,
        }
    }

    /// Begins a stream. To miss no news, begin before reading where the attempt stands.
    pub(crate) fn begin(self: &Arc<Self>, scene: Scene, seat: Seat) -> Beginning {
        Beginning {
            ticket: Some(self.lock().begin(scene, seat)),
            streams: Arc::clone(self),
        }
    }

    /// Tells those who wait for this attempt.
    pub(crate) fn tell(&self, scene: &Scene, status: AttemptStatus) {
        let mut table = self.lock();
        for ticket in table.waiting_for(scene) {
            table.tell(ticket, status);
        }
    }

    /// Tells those who wait for this attempt that it isn't there any more. It counts as expired once,
    /// however many wait; one that was cancelled was [told](Self::tell) so.
    pub(crate) fn tell_it_is_over(&self, scene: &Scene) {
        let mut table = self.lock();
        let waiting = table.waiting_for(scene);
        if let Some(expiry) = waiting.iter().find_map(|ticket| table.expiry(*ticket)) {
            expiry.count();
        }
        for ticket in waiting {
            table.tell(ticket, AttemptStatus::Expired);
        }
    }

    /// When a browser that waits here for this attempt was told that it is confirmed.
    pub(crate) fn told_at(&self, scene: &Scene) -> Option<Timestamp> {
        self.lock().told_at(scene)
    }

    /// The attempts that are waited for.
    pub(crate) fn scenes(&self) -> Vec<Scene> {
        self.lock().scenes().cloned().collect()
    }

    /// One of them, another one each turn.
    pub(crate) fn scene(&self, turn: usize) -> Option<Scene> {
        let table = self.lock();
        let mut scenes = table.scenes();
        scenes.nth(turn % scenes.len().max(1)).cloned()
    }

    /// Forgets the streams whose clients hung up.
    pub(crate) fn hung_up(&self, numbers: impl Iterator<Item = usize>) {
        let mut table = self.lock();
        for number in numbers {
            table.remove(Ticket::of(number));
        }
    }

    /// Serves the timers that are due, and returns the attempts that should be over.
    pub(crate) fn serve_timers(&self, now: Instant) -> Vec<Scene> {
        let mut over = Vec::new();
        // News don't wait for a crowd's timers.
        while self.serve_some_timers(now, &mut over) {}
        over
    }

    /// Whether there may be more.
    fn serve_some_timers(&self, now: Instant, over: &mut Vec<Scene>) -> bool {
        let mut table = self.lock();
        for _ in 0..TIMERS_AT_ONCE {
            let Some((tick, ticket)) = table.due(now) else {
                return false;
            };
            over.extend(table.serve(ticket, tick, now));
        }
        true
    }

    /// An attempt lives longer than was known.
    pub(crate) fn prolong(&self, scene: &Scene, over_at: Instant) {
        let mut table = self.lock();
        for ticket in table.waiting_for(scene) {
            table.prolong(ticket, over_at);
        }
    }

    /// Tells those who wait for this attempt that they are still waiting.
    pub(crate) fn reassure(&self, scene: &Scene) {
        let mut table = self.lock();
        for ticket in table.waiting_for(scene) {
            table.reassure(ticket);
        }
    }

    /// Ends all streams, and each that begins from now on.
    pub(crate) fn close(&self) {
        self.lock().close();
    }

    /// Whether all were ended, and their clients have noticed or had the time to.
    pub(crate) fn have_ended(&self) -> bool {
        self.lock().have_ended()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beginning {
    /// Goes on with the socket behind the first event.
    pub(crate) fn go_on(mut self, mut held: Held, first: FirstEvent) {
        // Without a poller's place nobody would notice its end. Dropping this ends it.
        if let Some(ticket) = self.ticket
            && self.streams.noticed.add(&mut held, ticket.number()).is_ok()
        {
            self.ticket = None;
            self.streams.lock().go_on(ticket, held, first);
        }
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.streams.lock().remove(ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use login_protocol::{account::AccountName, method::Method, scene::BrowserSecret};
    use service_kit::{
        held_connection::HangUps,
        login_steps::{LoginStep, StepCounters},
    };
    use tokio::{
        io::AsyncReadExt as _,
        net::{TcpListener, TcpStream},
        time::timeout,
    };

    use super::{
        table::{EXPIRY_CHECK, FAREWELL, KEEP_ALIVE},
        *,
    };
    use crate::{
        timer_wheel::TICK,
        waiting_room::{Streams, WaitingRoom},
    };

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// The streams of a site, and a room that has one seat.
    fn site() -> (Arc<EventStreams>, HangUps, Arc<WaitingRoom>) {
        let (hang_ups, noticed) = HangUps::new().unwrap();
        let streams = Arc::new(EventStreams::new(noticed));
        (
            streams,
            hang_ups,
            Arc::new(WaitingRoom::new(Streams::Logins, 1, 1)),
        )
    }

    fn scene(number: u8) -> Scene {
        BrowserSecret::from_random([number; 32]).scene()
    }

    async fn connection() -> (Held, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let browser = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, browser) = tokio::join!(listener.accept(), browser);
        (Held::new(accepted.unwrap().0).unwrap(), browser.unwrap())
    }

    fn first(status: AttemptStatus, left: Duration) -> FirstEvent {
        FirstEvent {
            status,
            expires_at: None,
            over_at: Instant::now() + left,
            expiry: StepCounters::new(LoginStep::Expired, &AccountName::default())
                .of(Method::Scan)
                .clone(),
        }
    }

    async fn rest(browser: &mut TcpStream) -> String {
        let mut rest = String::new();
        let read = timeout(PATIENCE, browser.read_to_string(&mut rest)).await;
        read.expect("the end in time").unwrap();
        rest
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    const MINUTES: Duration = Duration::from_mins(5);

    async fn assert_next(browser: &mut TcpStream, part: &str) {
        let mut read = [0; 256];
        let length = timeout(PATIENCE, browser.read(&mut read)).await;
        let length = length.expect("something in time").unwrap();
        let read = String::from_utf8_lossy(&read[..length]);
        assert!(read.contains(part), "{part:?} in {read:?}");
    }

    #[tokio::test]
    async fn news_before_the_first_event_come_after_it_unless_it_knew_them() {
        for (told, next) in [
            (AttemptStatus::Pending, "confirmed"),
            (AttemptStatus::Confirmed, "consumed"),
        ] {
            let (streams, _hang_ups, room) = site();
            let beginning = streams.begin(scene(1), room.enter(CLIENT).unwrap());
            streams.tell(&scene(2), AttemptStatus::Denied);
            streams.tell(&scene(1), AttemptStatus::Confirmed);
            let (held, mut browser) = connection().await;
            beginning.go_on(held, first(told, MINUTES));
            if next == "confirmed" {
                assert_next(&mut browser, next).await;
            }
            streams.tell(&scene(1), AttemptStatus::Confirmed);
            streams.tell(&scene(1), AttemptStatus::Consumed);
            assert_next(&mut browser, "consumed").await;
        }
    }

    #[tokio::test]
    async fn older_news_before_the_first_event_dont_replace_newer_ones() {
        let (streams, _hang_ups, room) = site();
        let beginning = streams.begin(scene(1), room.enter(CLIENT).unwrap());
        streams.tell(&scene(1), AttemptStatus::Confirmed);
        // What all attempts are read for may have been read before the scan.
        streams.tell(&scene(1), AttemptStatus::Pending);
        let (held, mut browser) = connection().await;
        beginning.go_on(held, first(AttemptStatus::Pending, MINUTES));
        assert_next(&mut browser, "confirmed").await;
    }

    #[tokio::test]
    async fn the_last_news_end_the_stream_and_free_the_seat() {
        let (streams, mut hang_ups, room) = site();
        let (held, mut browser) = connection().await;
        let beginning = streams.begin(scene(1), room.enter(CLIENT).unwrap());
        beginning.go_on(held, first(AttemptStatus::Pending, MINUTES));
        assert!(room.enter(CLIENT).is_err());
        streams.tell(&scene(1), AttemptStatus::Expired);
        assert!(room.enter(CLIENT).is_ok());
        assert!(streams.scenes().is_empty());
        let rest = rest(&mut browser).await;
        assert!(rest.ends_with("\r\n0\r\n\r\n"), "{rest:?}");
        // The browser notices, and then nothing is left.
        drop(browser);
        streams.hung_up(hang_ups.wait(PATIENCE).unwrap());
        streams.close();
        assert!(streams.have_ended());
    }

    #[tokio::test]
    async fn a_hang_up_that_is_told_late_ends_nobody_elses_stream() {
        let (streams, mut hang_ups, room) = site();
        let (held, browser) = connection().await;
        let beginning = streams.begin(scene(1), room.enter(CLIENT).unwrap());
        beginning.go_on(held, first(AttemptStatus::Pending, MINUTES));
        drop(browser);
        let gone: Vec<_> = hang_ups.wait(PATIENCE).unwrap().collect();
        assert_eq!(gone.len(), 1);
        streams.hung_up(gone.iter().copied());
        let (held, mut browser) = connection().await;
        let beginning = streams.begin(scene(2), room.enter(CLIENT).unwrap());
        beginning.go_on(held, first(AttemptStatus::Pending, MINUTES));
        assert_eq!(streams.lock().places(), 1, "the same place");
        streams.hung_up(gone.into_iter());
        streams.tell(&scene(2), AttemptStatus::Confirmed);
        assert_next(&mut browser, "confirmed").await;
    }

    #[tokio::test]
    async fn one_that_never_goes_on_leaves_nothing() {
        let (streams, _hang_ups, room) = site();
        drop(streams.begin(scene(1), room.enter(CLIENT).unwrap()));
        assert!(room.enter(CLIENT).is_ok());
        assert!(streams.scenes().is_empty());
        streams.close();
        assert!(streams.have_ended());
    }

    #[tokio::test]
    async fn a_silent_stream_is_kept_alive_and_looked_after_at_its_attempts_end() {
        let (streams, _hang_ups, room) = site();
        let (held, mut browser) = connection().await;
        let beginning = streams.begin(scene(1), room.enter(CLIENT).unwrap());
        let began = Instant::now();
        let life = Duration::from_millis(89_500);
        beginning.go_on(held, first(AttemptStatus::Pending, life));
        assert!(streams.serve_timers(began + KEEP_ALIVE / 2).is_empty());
        assert!(streams.serve_timers(began + KEEP_ALIVE + TICK).is_empty());
        assert!(
            streams
                .serve_timers(began + Duration::from_secs(89))
                .is_empty()
        );
        let later = began + life + 2 * TICK;
        assert_eq!(streams.serve_timers(later), [scene(1)]);
        // Until more is known, it is looked after again.
        assert_eq!(
            streams.serve_timers(later + EXPIRY_CHECK + TICK),
            [scene(1)]
        );
        streams.prolong(&scene(1), later + MINUTES);
        assert!(streams.serve_timers(later + 4 * EXPIRY_CHECK).is_empty());
        streams.tell(&scene(1), AttemptStatus::Denied);
        let all = rest(&mut browser).await;
        let (comments, event) = all.split_at(all.find("event").unwrap());
        // Prolonging found the timer due once more.
        assert_eq!(comments.matches("3\r\n:\n\n\r\n").count(), 2, "{all:?}");
        assert!(event.contains("denied"));
    }

    #[tokio::test]
    async fn a_site_that_stops_ends_all_streams_and_those_that_begin() {
        let (streams, mut hang_ups, room) = site();
        let late = streams.begin(scene(1), room.enter(CLIENT).unwrap());
        let room = Arc::new(WaitingRoom::new(Streams::Logins, 1, 1));
        let (held, mut early_browser) = connection().await;
        let early = streams.begin(scene(2), room.enter(CLIENT).unwrap());
        early.go_on(held, first(AttemptStatus::Pending, MINUTES));
        let closing = Instant::now();
        streams.close();
        assert!(!streams.have_ended());
        let (held, mut late_browser) = connection().await;
        late.go_on(held, first(AttemptStatus::Pending, MINUTES));
        for browser in [&mut early_browser, &mut late_browser] {
            assert_eq!(rest(browser).await, "0\r\n\r\n");
        }
        assert!(!streams.have_ended(), "they haven't noticed");
        drop([early_browser, late_browser]);
        while !streams.have_ended() {
            let gone: Vec<_> = hang_ups.wait(PATIENCE).unwrap().collect();
            assert!(!gone.is_empty(), "nobody in time");
            streams.hung_up(gone.into_iter());
        }
        assert!(closing.elapsed() < FAREWELL);
    }
}
