//! The table of open streams: who waits for which attempt, what each was told last, and when it has
//! something to do next. Nothing here waits or locks.

use std::{
    collections::HashMap,
    io, mem,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use login_protocol::{attempt::AttemptStatus, scene::Scene};
use service_kit::{clock::Clock, held_connection::Held, login_steps::StepCounter};

use super::FirstEvent;
use crate::{
    status_event::event,
    timer_wheel::{Tick, TimerWheel},
    waiting_room::Seat,
};

/// How often a silent stream says something, so that proxies keep it open.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// What it then says: a comment.
const COMMENT: &[u8] = b":\n\n";

/// How long after an attempt's end to look whether it is really over, and how long to leave Redis
/// alone while it is away.
pub(super) const EXPIRY_CHECK: Duration = Duration::from_millis(500);

/// How long a stream that was ended waits for its client to notice.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// Which stream: its place in the table, and how often that was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    place: u32,
    use_count: u32,
}

/// All streams.
pub(super) struct Table {
    places: Vec<Place>,
    free: Vec<u32>,
    by_scene: HashMap<Scene, Vec<Ticket>>,
    timers: TimerWheel<Ticket>,
    /// When the site began to stop. No stream begins any more.
    closed_at: Option<Instant>,
}

#[derive(Default)]
struct Place {
    use_count: u32,
    stream: Option<Stream>,
}

struct Stream {
    phase: Phase,
    /// Its socket, once the first event is written.
    held: Option<Held>,
    /// When it has something to do next.
    due: Option<Tick>,
}

enum Phase {
    Waits(Waiting),
    /// It was ended, and its client hasn't noticed yet.
    Ends,
}

struct Waiting {
    scene: Scene,
    /// The news that came before the first event was written.
    early_news: Option<AttemptStatus>,
    /// What the browser was told last.
    told: AttemptStatus,
    expires_at: Option<Timestamp>,
    /// When Redis will have no such attempt any more.
    over_at: Instant,
    /// Counts that its time was over; there is one once the first event is written.
    expiry: Option<StepCounter>,
    /// When the browser was told that it is confirmed.
    confirmed_told_at: Option<Timestamp>,
    _seat: Seat,
}

impl Ticket {
    /// The number by which the poller knows it.
    pub(super) fn number(self) -> usize {
        let number = u64::from(self.use_count) << 32 | u64::from(self.place);
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    pub(super) fn of(number: usize) -> Self {
        let number = number as u64;
        let half = |half: u64| u32::try_from(half).unwrap_or_default();
        Self {
            place: half(number & u64::from(u32::MAX)),
            use_count: half(number >> 32),
        }
    }
}

impl Table {
    /// Nobody waits.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            by_scene: HashMap::new(),
            timers: TimerWheel::new(now),
            closed_at: None,
        }
    }

    /// Adds a stream whose first event isn't written yet.
    pub(super) fn begin(&mut self, scene: Scene, seat: Seat) -> Ticket {
        self.add(Waiting {
            scene,
            early_news: None,
            told: AttemptStatus::Pending,
            expires_at: None,
            over_at: Instant::now(),
            expiry: None,
            confirmed_told_at: None,
            _seat: seat,
        })
    }

    /// Who waits for this attempt.
    pub(super) fn waiting_for(&self, scene: &Scene) -> Vec<Ticket> {
        self.by_scene.get(scene).cloned().unwrap_or_default()
    }

    /// What counts that the time of one that waits was over.
    pub(super) fn expiry(&self, ticket: Ticket) -> Option<&StepCounter> {
        let place = self.places.get(ticket.place as usize)?;
        let place = (place.use_count == ticket.use_count).then_some(place)?;
        match &place.stream.as_ref()?.phase {
            Phase::Waits(waiting) => waiting.expiry.as_ref(),
            Phase::Ends => None,
        }
    }

    /// When the first of those who wait for this attempt was told that it is confirmed.
    pub(super) fn told_at(&self, scene: &Scene) -> Option<Timestamp> {
        let tickets = self.by_scene.get(scene)?;
        let told = tickets.iter().filter_map(|ticket| {
            match &self
                .places
                .get(ticket.place as usize)?
                .stream
                .as_ref()?
                .phase
            {
                Phase::Waits(waiting) => waiting.confirmed_told_at,
                Phase::Ends => None,
            }
        });
        told.min()
    }

    /// The attempts that are waited for.
    pub(super) fn scenes(&self) -> impl ExactSizeIterator<Item = &Scene> {
        self.by_scene.keys()
    }

    /// How many places there are, taken or free.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// The next stream whose timer is due, to be [served](Self::serve).
    pub(super) fn due(&mut self, now: Instant) -> Option<(Tick, Ticket)> {
        self.timers.due(now)
    }

    /// An attempt lives longer than was known.
    pub(super) fn prolong(&mut self, ticket: Ticket, over_at: Instant) {
        if let Some((waiting, _)) = self.waiting(ticket) {
            waiting.over_at = over_at;
        }
    }

    /// Tells one that waits that it still does.
    pub(super) fn reassure(&mut self, ticket: Ticket) {
        self.write(ticket, |held| held.send(COMMENT));
    }

    /// Ends all streams, and each that goes on later.
    pub(super) fn close(&mut self) {
        self.closed_at = Some(Instant::now());
        let tickets: Vec<Ticket> = self.by_scene.values().flatten().copied().collect();
        for ticket in tickets {
            // One that hasn't begun ends when it would.
            self.end(ticket, Held::end);
        }
    }

    /// Whether all were ended, and their clients have noticed or had the time to.
    pub(super) fn have_ended(&self) -> bool {
        self.closed_at
            .is_some_and(|at| self.free.len() == self.places.len() || at.elapsed() > FAREWELL)
    }

    fn add(&mut self, waiting: Waiting) -> Ticket {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            // Nobody has so many file descriptors.
            u32::try_from(self.places.len() - 1).expect("fewer than 2³² streams")
        });
        let scene = waiting.scene.clone();
        let stream = Stream {
            phase: Phase::Waits(waiting),
            held: None,
            due: None,
        };
        let taken = &mut self.places[place as usize];
        taken.stream = Some(stream);
        let ticket = Ticket {
            place,
            use_count: taken.use_count,
        };
        self.by_scene.entry(scene).or_default().push(ticket);
        ticket
    }

    /// Forgets a stream. Its seat is free.
    pub(super) fn remove(&mut self, ticket: Ticket) {
        let place = self.places.get_mut(ticket.place as usize);
        let Some(place) = place.filter(|place| place.use_count == ticket.use_count) else {
            return;
        };
        if let Some(stream) = place.stream.take() {
            place.use_count = place.use_count.wrapping_add(1);
            self.free.push(ticket.place);
            if let Phase::Waits(waiting) = stream.phase {
                self.unlist(&waiting.scene, ticket);
            }
        }
    }

    fn unlist(&mut self, scene: &Scene, ticket: Ticket) {
        if let Some(tickets) = self.by_scene.get_mut(scene) {
            tickets.retain(|other| *other != ticket);
            if tickets.is_empty() {
                self.by_scene.remove(scene);
            }
        }
    }

    fn stream(&mut self, ticket: Ticket) -> Option<&mut Stream> {
        let place = self.places.get_mut(ticket.place as usize)?;
        let stream = place.stream.as_mut()?;
        (place.use_count == ticket.use_count).then_some(stream)
    }

    /// One that waits, and its socket once the first event is written.
    fn waiting(&mut self, ticket: Ticket) -> Option<(&mut Waiting, Option<&Held>)> {
        let stream = self.stream(ticket)?;
        match &mut stream.phase {
            Phase::Waits(waiting) => Some((waiting, stream.held.as_ref())),
            Phase::Ends => None,
        }
    }

    /// Goes on with the socket behind the first event.
    pub(super) fn go_on(&mut self, ticket: Ticket, held: Held, first: FirstEvent) {
        // Its client may have hung up already.
        let Some(stream) = self.stream(ticket) else {
            return;
        };
        stream.held = Some(held);
        let Some((waiting, _)) = self.waiting(ticket) else {
            return;
        };
        waiting.told = first.status;
        waiting.expires_at = first.expires_at;
        waiting.over_at = first.over_at;
        waiting.expiry = Some(first.expiry);
        let early_news = waiting.early_news.take();
        if self.closed_at.is_some() {
            self.end(ticket, Held::end);
            return;
        }
        self.wait(ticket, Instant::now());
        if let Some(status) = early_news {
            self.tell(ticket, status);
        }
    }

    /// Tells one that waits what became of its attempt.
    pub(super) fn tell(&mut self, ticket: Ticket, status: AttemptStatus) {
        let Some((waiting, held)) = self.waiting(ticket) else {
            return;
        };
        if held.is_none() {
            // What is read of all attempts may come later than what was published, and be older.
            if waiting
                .early_news
                .is_none_or(|news| news.may_become(status))
            {
                waiting.early_news = Some(status);
            }
        } else if waiting.told.may_become(status) {
            waiting.told = status;
            let is_confirmed = status == AttemptStatus::Confirmed;
            let event = event(status, waiting.expires_at);
            if status.is_final() {
                self.end(ticket, |held| held.send_last(event.as_bytes()));
            } else {
                self.write(ticket, |held| held.send(event.as_bytes()));
            }
            if is_confirmed && let Some((waiting, _)) = self.waiting(ticket) {
                waiting.confirmed_told_at = Some(Clock::system().now());
            }
        }
    }

    fn write(&mut self, ticket: Ticket, write: impl FnOnce(&Held) -> io::Result<()>) {
        if let Some((_, Some(held))) = self.waiting(ticket)
            && write(held).is_err()
        {
            self.remove(ticket);
        }
    }

    /// Ends one that waits. Its seat is free and its wait over before the client can notice.
    fn end(&mut self, ticket: Ticket, write: impl FnOnce(&Held) -> io::Result<()>) {
        let Some(stream) = self.stream(ticket) else {
            return;
        };
        if stream.held.is_none() {
            return;
        }
        if let Phase::Waits(waiting) = mem::replace(&mut stream.phase, Phase::Ends) {
            self.unlist(&waiting.scene, ticket);
        }
        let noticed_by = self.timers.set(Instant::now() + FAREWELL, ticket);
        let Some(stream) = self.stream(ticket) else {
            return;
        };
        stream.due = Some(noticed_by);
        if stream.held.as_ref().is_none_or(|held| write(held).is_err()) {
            self.remove(ticket);
        }
    }

    /// Sets the timer of one that waits. Expiry is nobody's act, so nobody publishes it: one timer
    /// serves both ends.
    fn wait(&mut self, ticket: Ticket, now: Instant) {
        let Some((waiting, _)) = self.waiting(ticket) else {
            return;
        };
        let at = waiting.over_at.max(now + EXPIRY_CHECK);
        let due = self.timers.set(at.min(now + KEEP_ALIVE), ticket);
        if let Some(stream) = self.stream(ticket) {
            stream.due = Some(due);
        }
    }

    /// Serves a timer, and returns the attempt if it should be over.
    pub(super) fn serve(&mut self, ticket: Ticket, tick: Tick, now: Instant) -> Option<Scene> {
        let stream = self.stream(ticket)?;
        if stream.due != Some(tick) {
            return None;
        }
        let Phase::Waits(waiting) = &stream.phase else {
            self.remove(ticket);
            return None;
        };
        let over = (waiting.over_at <= now).then(|| waiting.scene.clone());
        if over.is_none() {
            self.write(ticket, |held| held.send(COMMENT));
        }
        self.wait(ticket, now);
        over
    }
}
