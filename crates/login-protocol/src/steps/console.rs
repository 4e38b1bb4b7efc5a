//! Who is signed in to the owner's console.

use std::{net::IpAddr, time::Duration};

use super::{
    Operation, Step, UnexpectedReply,
    net_shares::{self, Use, Window},
    words,
};
use crate::{client_nets::widest_net, redis_keys};

/// For how long a browser stays signed in to the console.
pub const CONSOLE_SESSION_LIFETIME: Duration = Duration::from_hours(8);

/// How many sign-ins of a client may fail, and within what time.
const FAILURES: Window = Window {
    length: Duration::from_mins(15),
    share: 10,
};

/// By what somebody signs in to the console. Each has failures of its own: who wears out one of
/// them leaves the other to those who share the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleSignInBy {
    /// The key of the internal API.
    Key,
    /// A code that an owner confirms on the phone.
    Code,
}

impl ConsoleSignInBy {
    fn failures(self, client: IpAddr) -> String {
        let net = widest_net(client).address;
        match self {
            Self::Key => redis_keys::console_sign_ins(net),
            Self::Code => redis_keys::console_codes(net),
        }
    }
}

/// Counts a sign-in as one that failed, before its key is looked at or there is a code.
#[derive(Debug, Clone, Copy)]
pub struct AdmitConsoleSignIn {
    /// By what.
    pub by: ConsoleSignInBy,
    /// Where it comes from.
    pub client: IpAddr,
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleSignIn {
    /// It does.
    Admitted,
    /// Too many have failed.
    Refused {
        /// Until one does again.
        retry_after: Duration,
    },
}

impl Step for AdmitConsoleSignIn {
    type Outcome = ConsoleSignIn;

    fn operation(&self) -> Operation {
        let key = self.by.failures(self.client);
        net_shares::admit(key, self.client, &[FAILURES])
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<ConsoleSignIn, UnexpectedReply> {
        match net_shares::admitted(reply) {
            Some(Use::Counted(_)) => Ok(ConsoleSignIn::Admitted),
            Some(Use::Refused(retry_after)) => Ok(ConsoleSignIn::Refused { retry_after }),
            None => Err(UnexpectedReply {
                step: "AdmitConsoleSignIn",
            }),
        }
    }
}

/// The sign-in didn't fail.
#[derive(Debug, Clone, Copy)]
pub struct GiveBackConsoleSignIn {
    /// By what it was.
    pub by: ConsoleSignInBy,
    /// Where it came from.
    pub client: IpAddr,
}

impl Step for GiveBackConsoleSignIn {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let key = self.by.failures(self.client);
        net_shares::give_back(key, self.client, 1, 0)
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Signs a browser in.
#[derive(Debug, Clone)]
pub struct OpenConsoleSession {
    /// The SHA-256 of its cookie's secret.
    pub id_sha256: String,
    /// What it was signed in by: a digest that can't be made without the cookie.
    pub proof: String,
}

impl Step for OpenConsoleSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let lifetime = CONSOLE_SESSION_LIFETIME.as_millis().to_string();
        Operation::Command {
            name: "SET",
            key: redis_keys::console_session(&self.id_sha256),
            arguments: vec![self.proof.clone(), "PX".to_owned(), lifetime],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// What was this browser signed in by?
#[derive(Debug, Clone)]
pub struct ReadConsoleSession {
    /// The SHA-256 of its cookie's secret.
    pub id_sha256: String,
}

impl Step for ReadConsoleSession {
    type Outcome = Option<String>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::console_session(&self.id_sha256),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Option<String>, UnexpectedReply> {
        match words(reply).as_slice() {
            [proof] => Ok(proof.map(str::to_owned)),
            _ => Err(UnexpectedReply {
                step: "ReadConsoleSession",
            }),
        }
    }
}

/// Signs a browser out.
#[derive(Debug, Clone)]
pub struct EndConsoleSession {
    /// The SHA-256 of its cookie's secret.
    pub id_sha256: String,
}

impl Step for EndConsoleSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "DEL",
            key: redis_keys::console_session(&self.id_sha256),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
