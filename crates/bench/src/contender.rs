//! Who is measured, in turns: the limits, and each path of the services.

use harness::phone::Mode;

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// Our services, and the limits beside them.
    Ours,
    /// The other program with the same HTTP interface.
    Peer,
}

/// One of those who take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Contender {
    /// Who.
    pub(crate) party: Party,
    /// What.
    pub(crate) work: Work,
}

/// What takes turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// The framework answering static JSON.
    LimitStatic,
    /// The same with one Redis command: L.
    LimitRedis,
    /// The same with one HTTP request.
    LimitHop,
    /// A browser asks where its attempt stands.
    Poll,
    /// Somebody scans whom nobody knows.
    PushNew(Mode),
    /// Somebody scans whose profile is fresh.
    PushKnown,
    /// A browser starts an attempt.
    Open,
    /// From opening the modal to the session.
    Login,
}

/// All of it, in the order of the turns.
pub(crate) const ALL: [Work; 9] = [
    Work::LimitStatic,
    Work::LimitRedis,
    Work::LimitHop,
    Work::Poll,
    Work::PushNew(Mode::Plain),
    Work::PushNew(Mode::Safe),
    Work::PushKnown,
    Work::Open,
    Work::Login,
];

/// The most round trips to Redis that one operation should take, or the only number of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedisTarget {
    /// Round trips, at most.
    RoundTrips(u64),
    /// Commands, exactly, and so round trips.
    OneCommand,
}

impl Work {
    /// Its name on the command line and in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LimitStatic => "limit-static",
            Self::LimitRedis => "limit-redis",
            Self::LimitHop => "limit-hop",
            Self::Poll => "poll",
            Self::PushNew(Mode::Plain) => "push-plain",
            Self::PushNew(Mode::Safe) => "push-safe",
            Self::PushKnown => "push-known",
            Self::Open => "open",
            Self::Login => "login",
        }
    }

    /// Whether it is one of the limits, which nobody else has.
    pub(crate) const fn is_limit(self) -> bool {
        matches!(self, Self::LimitStatic | Self::LimitRedis | Self::LimitHop)
    }

    /// What it is, for people.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::LimitStatic => "limit: actix-web, static JSON",
            Self::LimitRedis => "limit: and one Redis GET (L)",
            Self::LimitHop => "limit: and one HTTP request",
            Self::Poll => "GET /api/login",
            Self::PushNew(Mode::Plain) => "scan with user/info, plain",
            Self::PushNew(Mode::Safe) => "scan with user/info, safe",
            Self::PushKnown => "scan of a known member, plain",
            Self::Open => "POST /api/login, both services",
            Self::Login => "whole login, both services",
        }
    }

    /// The share of L that it should reach.
    pub(crate) const fn target(self) -> Option<f64> {
        match self {
            Self::LimitStatic | Self::LimitRedis | Self::LimitHop => None,
            Self::Poll => Some(1.0),
            Self::PushNew(Mode::Plain) => Some(0.42),
            Self::PushNew(Mode::Safe) => Some(0.32),
            Self::PushKnown => Some(0.4),
            Self::Open => Some(0.17),
            Self::Login => Some(0.065),
        }
    }

    /// What it may ask of Redis.
    pub(crate) const fn redis_target(self) -> Option<RedisTarget> {
        match self {
            Self::Poll => Some(RedisTarget::OneCommand),
            Self::PushNew(_) | Self::PushKnown => Some(RedisTarget::RoundTrips(2)),
            Self::Login => Some(RedisTarget::RoundTrips(7)),
            Self::LimitStatic | Self::LimitRedis | Self::LimitHop | Self::Open => None,
        }
    }

    /// Whether its requests are made for one use.
    pub(crate) const fn is_used_up(self) -> bool {
        matches!(self, Self::PushNew(_) | Self::PushKnown | Self::Open)
    }
}

impl Contender {
    /// L.
    pub(crate) const LIMIT: Self = Self::ours(Work::LimitRedis);

    /// Our services, or a limit.
    pub(crate) const fn ours(work: Work) -> Self {
        let party = Party::Ours;
        Self { party, work }
    }

    /// Its name in reports and in JSON.
    pub(crate) fn name(self) -> String {
        let name = self.work.name();
        match self.party {
            Party::Ours => name.to_owned(),
            Party::Peer => format!("{name}-peer"),
        }
    }

    /// What it is, for people.
    pub(crate) fn what(self) -> String {
        match self.party {
            Party::Ours => self.work.what().to_owned(),
            Party::Peer => format!("  the peer: {}", self.work.name()),
        }
    }

    /// The share of L that it should reach. Of a peer nothing is asked.
    pub(crate) fn target(self) -> Option<f64> {
        let target = self.work.target();
        target.filter(|_| self.party == Party::Ours)
    }

    /// What it may ask of Redis. Of a peer nothing is asked.
    pub(crate) fn redis_target(self) -> Option<RedisTarget> {
        let target = self.work.redis_target();
        target.filter(|_| self.party == Party::Ours)
    }
}
