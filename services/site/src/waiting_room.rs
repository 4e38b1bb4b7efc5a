//! How many browsers may hold streams open at once, per client and in all. A stream costs memory, so
//! it is counted; a refused browser polls instead.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use login_protocol::client_nets::{Net, nets};
use metrics::{Counter, Gauge};

/// What streams are open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Browsers that wait for a login.
    Logins,
    /// Pages that watch their session.
    Sessions,
}

/// The open streams of this process.
pub struct WaitingRoom {
    per_client: u32,
    in_all: u32,
    seats: Mutex<Seats>,
    shown: Gauge,
    refused_client: Counter,
    refused: Counter,
}

#[derive(Default)]
struct Seats {
    taken: u32,
    /// Of each client, and of each wider network.
    by_net: HashMap<Net, u32>,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// This client has as many streams as it may.
    Client,
    /// The process does.
    Process,
}

/// A seat; dropping it frees it.
pub struct Seat {
    room: Arc<WaitingRoom>,
    client: IpAddr,
}

impl WaitingRoom {
    /// A room with these limits; 0 is no limit.
    pub fn new(streams: Streams, per_client: u32, in_all: u32) -> Self {
        let (open, refused) = match streams {
            Streams::Logins => ("login_streams_open", "login_streams_refused_total"),
            Streams::Sessions => ("session_streams_open", "session_streams_refused_total"),
        };
        Self {
            per_client,
            in_all,
            seats: Mutex::default(),
            shown: metrics::gauge!(open),
            refused_client: metrics::counter!(refused, "limit" => "client"),
            refused: metrics::counter!(refused, "limit" => "process"),
        }
    }

    /// How many wait.
    pub fn taken(&self) -> u32 {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.taken
    }

    /// Takes a seat for this client.
    ///
    /// # Errors
    ///
    /// When a limit is reached.
    pub fn enter(self: &Arc<Self>, client: IpAddr) -> Result<Seat, Full> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if self.in_all > 0 && seats.taken >= self.in_all {
            self.refused.increment(1);
            return Err(Full::Process);
        }
        let is_full = |net: Net| {
            let held = seats.by_net.get(&net).copied().unwrap_or_default();
            held >= self.per_client.saturating_mul(net.factor)
        };
        if self.per_client > 0 && nets(client).into_iter().flatten().any(is_full) {
            self.refused_client.increment(1);
            return Err(Full::Client);
        }
        seats.taken += 1;
        for net in nets(client).into_iter().flatten() {
            *seats.by_net.entry(net).or_default() += 1;
        }
        self.shown.set(seats.taken);
        Ok(Seat {
            room: Arc::clone(self),
            client,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self
            .room
            .seats
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        seats.taken -= 1;
        for net in nets(self.client).into_iter().flatten() {
            if let Some(held) = seats.by_net.get_mut(&net) {
                *held -= 1;
                if *held == 0 {
                    seats.by_net.remove(&net);
                }
            }
        }
        self.room.shown.set(seats.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_and_seats_come_back() {
        let room = Arc::new(WaitingRoom::new(Streams::Logins, 1, 2));
        let [first, second, third] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| text.parse().unwrap());
        let seat = room.enter(first).ok().unwrap();
        assert_eq!(room.enter(first).err(), Some(Full::Client));
        let _other = room.enter(second).ok().unwrap();
        assert_eq!(room.enter(third).err(), Some(Full::Process));
        drop(seat);
        assert!(room.enter(third).is_ok());
        assert_eq!(room.seats.lock().unwrap().by_net.len(), 1);
    }

    #[test]
    fn a_wider_net_has_a_few_clients_seats_and_no_more() {
        let room = Arc::new(WaitingRoom::new(Streams::Logins, 1, 0));
        let subnet = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 1]);
        let seats: Vec<_> = (0..0xffff)
            .filter_map(|number| room.enter(subnet(number)).ok())
            .collect();
        assert_eq!(seats.len(), 16, "of a /48");
        drop(seats);
        assert!(room.seats.lock().unwrap().by_net.is_empty());
        let seats: Vec<_> = (0..0xff)
            .filter_map(|number| room.enter(subnet(number)).ok())
            .collect();
        assert_eq!(seats.len(), 4, "of a /56");
    }

    #[test]
    fn zero_is_no_limit() {
        let room = Arc::new(WaitingRoom::new(Streams::Logins, 0, 0));
        let client = "192.0.2.1".parse().unwrap();
        let seats: Vec<_> = (0..100).filter_map(|_| room.enter(client).ok()).collect();
        assert_eq!(seats.len(), 100);
    }
}
