//! What a receiver is to get, and when: each person's events one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use login_protocol::{event::Position, identity::MemberId, webhook::Attempts};

/// Whose events are in order among themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// This person's.
    Member(MemberId),
    /// Nobody's: the event is one by itself.
    Nobody(Position),
}

/// The events that a receiver hasn't got.
#[derive(Default)]
pub(super) struct Agenda {
    queues: HashMap<Whose, Queue>,
    owners: BTreeMap<Position, Whose>,
    /// The first event of each queue of which none is being sent.
    due: BTreeSet<(Timestamp, Position)>,
}

/// Events of one person.
#[derive(Default)]
struct Queue {
    events: BTreeMap<Position, Attempts>,
    /// What is being sent.
    sent: Option<Position>,
    /// What it has in [`Agenda::due`].
    waits: Option<(Timestamp, Position)>,
}

impl Agenda {
    /// Adds an event. One that is there already is due at the earlier time.
    pub(super) fn add(&mut self, position: Position, whose: &Whose, attempts: Attempts) {
        if let Some(whose) = self.owners.get(&position).cloned() {
            let queue = self.queues.get_mut(&whose);
            let known = queue.and_then(|queue| queue.events.get_mut(&position));
            if let Some(known) = known.filter(|known| attempts.due < known.due) {
                *known = attempts;
                self.arrange(&whose);
            }
            return;
        }
        let queue = self.queues.entry(whose.clone()).or_default();
        queue.events.insert(position, attempts);
        self.owners.insert(position, whose.clone());
        self.arrange(whose);
    }

    /// The next event to be sent now. It counts as being sent until it is settled.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<(Position, Attempts)> {
        let (due, position) = *self.due.first()?;
        if due > now {
            return None;
        }
        let whose = self.owners.get(&position)?.clone();
        let queue = self.queues.get_mut(&whose)?;
        queue.sent = Some(position);
        let attempts = *queue.events.get(&position)?;
        self.arrange(&whose);
        Some((position, attempts))
    }

    /// There is nothing left to do about an event.
    pub(super) fn remove(&mut self, position: Position) {
        let Some(whose) = self.owners.remove(&position) else {
            return;
        };
        if let Some(queue) = self.queues.get_mut(&whose) {
            queue.events.remove(&position);
            queue.sent = queue.sent.filter(|sent| *sent != position);
        }
        self.arrange(&whose);
    }

    /// An event that was sent is sent again.
    pub(super) fn postpone(&mut self, position: Position, attempts: Attempts) {
        let Some(whose) = self.owners.get(&position).cloned() else {
            return;
        };
        if let Some(queue) = self.queues.get_mut(&whose) {
            queue.events.insert(position, attempts);
            queue.sent = queue.sent.filter(|sent| *sent != position);
        }
        self.arrange(&whose);
    }

    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    /// The oldest of them.
    pub(super) fn oldest(&self) -> Option<Position> {
        self.owners.keys().next().copied()
    }

    /// Brings along what waits of a queue after it has changed.
    fn arrange(&mut self, whose: &Whose) {
        let Some(queue) = self.queues.get_mut(whose) else {
            return;
        };
        let first = queue.events.first_key_value();
        let waits = first.map(|(position, attempts)| (attempts.due, *position));
        let waits = waits.filter(|_| queue.sent.is_none());
        if waits != queue.waits {
            if let Some(before) = queue.waits {
                self.due.remove(&before);
            }
            self.due.extend(waits);
            queue.waits = waits;
        }
        if queue.events.is_empty() {
            self.queues.remove(whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use login_protocol::identity::{AppId, OpenId};

    use super::*;

    const NOON: &str = "2026-11-28T12:00:00Z";

    fn noon() -> Timestamp {
        NOON.parse().unwrap()
    }

    fn at(second: i64) -> Position {
        Position::at(noon() + SignedDuration::from_secs(second))
    }

    fn person(letter: &str) -> Whose {
        Whose::Member(MemberId {
            app_id: AppId::parse("wx0123456789abcdef").unwrap(),
            openid: OpenId::parse(&letter.repeat(28)).unwrap(),
        })
    }

    fn later(seconds: i64, failed: u32) -> Attempts {
        Attempts {
            failed,
            due: noon() + SignedDuration::from_secs(seconds),
        }
    }

    #[test]
    fn a_persons_events_go_one_after_the_other_and_others_dont_wait() {
        let mut agenda = Agenda::default();
        for (second, letter) in [(1, "a"), (2, "a"), (3, "b")] {
            agenda.add(at(second), &person(letter), Attempts::NONE);
        }
        let sent = |agenda: &mut Agenda, now| agenda.next(now).map(|(position, _)| position);
        assert_eq!(sent(&mut agenda, noon()), Some(at(1)));
        assert_eq!(sent(&mut agenda, noon()), Some(at(3)));
        assert_eq!(sent(&mut agenda, noon()), None);
        // The first one fails: the second waits as well.
        agenda.postpone(at(1), later(5, 1));
        assert_eq!(sent(&mut agenda, noon()), None);
        let then = noon() + SignedDuration::from_secs(5);
        assert_eq!(agenda.next(then), Some((at(1), later(5, 1))));
        agenda.remove(at(1));
        assert_eq!(agenda.oldest(), Some(at(2)));
        assert_eq!(sent(&mut agenda, then), Some(at(2)));
        agenda.remove(at(2));
        agenda.remove(at(3));
        assert_eq!((agenda.len(), agenda.oldest()), (0, None));
        assert!(agenda.queues.is_empty() && agenda.due.is_empty());
    }

    #[test]
    fn an_earlier_event_that_is_sent_again_goes_first() {
        let mut agenda = Agenda::default();
        agenda.add(at(2), &person("a"), later(60, 3));
        agenda.add(at(1), &person("a"), Attempts::NONE);
        agenda.add(at(1), &person("a"), later(60, 3));
        assert_eq!(agenda.next(noon()), Some((at(1), Attempts::NONE)));
        assert_eq!(agenda.next(noon() + SignedDuration::from_mins(2)), None);
        assert_eq!(agenda.len(), 2);
    }

    #[test]
    fn an_event_that_waits_for_another_try_is_hastened_by_the_owner() {
        let mut agenda = Agenda::default();
        agenda.add(at(1), &person("a"), later(3600, 5));
        assert_eq!(agenda.next(noon()), None);
        agenda.add(at(1), &person("a"), Attempts::NONE);
        assert_eq!(agenda.next(noon()), Some((at(1), Attempts::NONE)));
        assert_eq!(agenda.len(), 1);
    }

    #[test]
    fn what_is_nobodys_waits_for_nothing() {
        let mut agenda = Agenda::default();
        for second in [1, 2] {
            agenda.add(at(second), &Whose::Nobody(at(second)), Attempts::NONE);
        }
        assert!(agenda.next(noon()).is_some());
        assert!(agenda.next(noon()).is_some());
    }
}
