//! Hourly figures of all logins, for the owner's console.

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply};
use crate::{
    history::{Figure, Figures, Hour, HourlyRecord, Replica},
    redis_keys,
};

static NOTE: AtomicScript = AtomicScript::new(include_str!("history_note.lua"));

/// Adds what a process has counted to an hour's figures. A repeat after a lost answer adds nothing,
/// as long as it has the same hour and number.
#[derive(Debug, Clone)]
pub struct NoteHour {
    /// The hour.
    pub hour: Hour,
    /// The process that has counted; without spaces.
    pub process: String,
    /// Its additions' numbers increase.
    pub number: u64,
    /// What it has counted since its last addition.
    pub added: Figures,
    /// Of a site's replica: how many browsers wait at it, and the site's name.
    pub waiting: Option<(u64, String)>,
}

impl Step for NoteHour {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let report = self.waiting.as_ref();
        let report = report.map_or_else(String::new, |(waiting, site)| format!("{waiting} {site}"));
        let mut arguments = vec![
            self.process.clone(),
            self.number.to_string(),
            self.hour.forgotten_at().to_string(),
            report,
        ];
        for figure in Figure::ALL {
            let count = self.added.of(figure);
            if count > 0 {
                arguments.extend([figure.as_str().to_owned(), count.to_string()]);
            }
        }
        Operation::Script {
            script: &NOTE,
            key: redis_keys::history(self.hour),
            arguments,
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// What was counted in an hour? Figures of a later version are skipped.
#[derive(Debug, Clone, Copy)]
pub struct ReadHour {
    /// The hour.
    pub hour: Hour,
}

impl Step for ReadHour {
    type Outcome = HourlyRecord;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGETALL",
            key: redis_keys::history(self.hour),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<HourlyRecord, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "ReadHour" };
        let mut record = HourlyRecord::default();
        for pair in reply.chunks(2) {
            let [Some(field), Some(value)] = pair else {
                return Err(unexpected());
            };
            if let Some(process) = field.strip_prefix('@') {
                record
                    .replicas
                    .push(replica(process, value).ok_or_else(unexpected)?);
            } else if let Some(figure) = Figure::parse(field) {
                record
                    .figures
                    .add(figure, value.parse().map_err(|_| unexpected())?);
            }
        }
        Ok(record)
    }
}

fn replica(process: &str, report: &str) -> Option<Replica> {
    let mut words = report.splitn(3, ' ');
    let at = words.next()?.parse().ok()?;
    Some(Replica {
        process: process.to_owned(),
        at: Timestamp::from_millisecond(at).ok()?,
        waiting: words.next()?.parse().ok()?,
        site: words.next()?.to_owned(),
    })
}
