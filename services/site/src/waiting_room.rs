//! How many browsers may wait at once, per client and in all. A stream costs memory, so it is
//! counted; a refused browser polls instead.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use login_protocol::steps::subscriber;

/// The open streams of this process.
pub struct WaitingRoom {
    per_client: u32,
    in_all: u32,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    taken: u32,
    by_client: HashMap<IpAddr, u32>,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// This client holds as many streams as one may.
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
    pub fn new(per_client: u32, in_all: u32) -> Self {
        Self {
            per_client,
            in_all,
            seats: Mutex::default(),
        }
    }

    /// Takes a seat for this client.
    ///
    /// # Errors
    ///
    /// When a limit is reached.
    pub fn enter(self: &Arc<Self>, client: IpAddr) -> Result<Seat, Full> {
        let client = subscriber(client);
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if self.in_all > 0 && seats.taken >= self.in_all {
            return Err(Full::Process);
        }
        if self.per_client > 0
            && seats
                .by_client
                .get(&client)
                .is_some_and(|held| *held >= self.per_client)
        {
            return Err(Full::Client);
        }
        seats.taken += 1;
        *seats.by_client.entry(client).or_default() += 1;
        metrics::gauge!("login_streams_open").set(seats.taken);
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
        if let Some(held) = seats.by_client.get_mut(&self.client) {
            *held -= 1;
            if *held == 0 {
                seats.by_client.remove(&self.client);
            }
        }
        metrics::gauge!("login_streams_open").set(seats.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_and_seats_come_back() {
        let room = Arc::new(WaitingRoom::new(1, 2));
        let [first, second, third] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| text.parse().unwrap());
        let seat = room.enter(first).ok().unwrap();
        assert_eq!(room.enter(first).err(), Some(Full::Client));
        let _other = room.enter(second).ok().unwrap();
        assert_eq!(room.enter(third).err(), Some(Full::Process));
        drop(seat);
        assert!(room.enter(third).is_ok());
        assert_eq!(room.seats.lock().unwrap().by_client.len(), 1);
    }

    #[test]
    fn zero_is_no_limit() {
        let room = Arc::new(WaitingRoom::new(0, 0));
        let client = "192.0.2.1".parse().unwrap();
        let seats: Vec<_> = (0..100).filter_map(|_| room.enter(client).ok()).collect();
        assert_eq!(seats.len(), 100);
    }
}
