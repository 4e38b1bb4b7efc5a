//! Authorization requests whose visitor has to log in first.

use std::time::Duration;

use jiff::Timestamp;

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{redis_keys, site::SiteId};

static OPEN: AtomicScript = AtomicScript::new(include_str!("request_open.lua"));

/// Keeps a request until its visitor has logged in.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// Whose request.
    pub site: SiteId,
    /// Its name: random, and in the page's URL.
    pub id: String,
    /// The request, as JSON.
    pub data: String,
    /// How long it is kept.
    pub lifetime: Duration,
}

impl Step for OpenRequest {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &OPEN,
            key: redis_keys::oidc_request(&self.site, &self.id),
            arguments: vec![self.data.clone(), self.lifetime.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("opened")] => Ok(()),
            _ => Err(UnexpectedReply {
                step: "OpenRequest",
            }),
        }
    }
}

/// Reads a request.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Whose request.
    pub site: SiteId,
    /// Its name.
    pub id: String,
}

impl Step for ReadRequest {
    /// The request as JSON, and when its page was first shown, by Redis' clock. `None`: there is
    /// none, or its time is up.
    type Outcome = Option<(String, Timestamp)>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::oidc_request(&self.site, &self.id),
            arguments: vec!["data".to_owned(), "opened_at_ms".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match reply {
            [None, ..] => Ok(None),
            [Some(data), Some(opened_at_ms)] => {
                let opened_at = opened_at_ms.parse().ok();
                let opened_at = opened_at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                let opened_at = opened_at.ok_or(UnexpectedReply {
                    step: "ReadRequest",
                })?;
                Ok(Some((data.clone(), opened_at)))
            }
            _ => Err(UnexpectedReply {
                step: "ReadRequest",
            }),
        }
    }
}
