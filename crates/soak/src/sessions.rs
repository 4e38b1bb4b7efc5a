//! What Redis holds in the end: each person has as many sessions as completed logins, and not one
//! more.

use std::collections::HashMap;

use deadpool_redis::redis::{self, aio::MultiplexedConnection};

use serde_json::Value;

use crate::tally::Tally;

/// How many keys are read in one round trip.
const BATCH: usize = 1000;

/// How the sessions compare with the completed logins.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Comparison {
    /// All sessions.
    pub(crate) sessions: u64,
    /// Those that nobody completed a login for.
    pub(crate) too_many: u64,
    /// Completed logins without a session.
    pub(crate) missing: u64,
}

/// Reads every session and compares.
pub(crate) async fn compare(url: &str, tally: &Tally) -> Result<Comparison, String> {
    let found = read(url)
        .await
        .map_err(|error| format!("the sessions can't be read: {error}"))?;
    Ok(difference(&found, &tally.by_openid()))
}

fn difference(found: &HashMap<String, u64>, completed: &HashMap<String, u64>) -> Comparison {
    let mut comparison = Comparison {
        sessions: found.values().sum(),
        ..Comparison::default()
    };
    for (openid, sessions) in found {
        let completed = completed.get(openid).copied().unwrap_or(0);
        comparison.too_many += sessions.saturating_sub(completed);
    }
    for (openid, completed) in completed {
        let sessions = found.get(openid).copied().unwrap_or(0);
        comparison.missing += completed.saturating_sub(sessions);
    }
    comparison
}

/// The sessions of each person.
async fn read(url: &str) -> redis::RedisResult<HashMap<String, u64>> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut found = HashMap::new();
    for keys in keys(&mut connection).await?.chunks(BATCH) {
        let mut values = redis::cmd("MGET");
        values.arg(keys);
        let values: Vec<Option<String>> = values.query_async(&mut connection).await?;
        for value in values.into_iter().flatten() {
            *found.entry(openid(&value)).or_default() += 1;
        }
    }
    Ok(found)
}

/// Whose session a record is of; empty for one that was ended.
fn openid(record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap_or_default();
    record["openid"].as_str().unwrap_or_default().to_owned()
}

/// The keys of all sessions. A scan may name a key twice, so they are made unique.
async fn keys(connection: &mut MultiplexedConnection) -> redis::RedisResult<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg("wechat-login:session:*")
            .arg("COUNT")
            .arg(BATCH);
        let found: Vec<String>;
        (cursor, found) = scan.query_async(connection).await?;
        keys.extend(found);
        if cursor == 0 {
            break;
        }
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_logins_are_compared_person_by_person() {
        let of = |pairs: &[(&str, u64)]| {
            let owned = pairs
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count));
            owned.collect::<HashMap<_, _>>()
        };
        let found = of(&[("a", 3), ("b", 1), ("c", 1)]);
        let completed = of(&[("a", 2), ("b", 2), ("c", 1)]);
        let compared = difference(&found, &completed);
        assert_eq!(
            (compared.sessions, compared.too_many, compared.missing),
            (5, 1, 1)
        );
    }
}
