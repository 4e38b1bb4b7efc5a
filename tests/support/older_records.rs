//! What the version before left in Redis and in browsers, as a file. The example `older_records`
//! makes it with that version's own binaries; `resilience::upgrade` goes on from it.

use std::{collections::BTreeMap, fs, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{redis_server::RedisServer, stack::Stack, visitor::Visitor};

/// Everything, in the middle of several logins.
#[derive(Debug, Serialize, Deserialize)]
pub struct OlderRecords {
    /// The commit that wrote it.
    pub commit: String,
    /// When it was written down, in milliseconds since 1970.
    recorded_at_ms: i64,
    /// The browsers by what their people were doing.
    pub browsers: BTreeMap<String, Browser>,
    keys: BTreeMap<String, Record>,
}

/// A browser in front of the site.
#[derive(Debug, Serialize, Deserialize)]
pub struct Browser {
    /// Whose phone goes with it.
    pub openid: String,
    /// What the code that it shows encodes.
    pub content: String,
    /// Its cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// The session that it got and never heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_session: Option<String>,
    /// The browser on the phone, if it has been to the gateway's pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// A phone in front of the question whether to log in.
#[derive(Debug, Serialize, Deserialize)]
pub struct Phone {
    /// Path and query with which WeChat sent it back.
    pub back: String,
    /// The location that it was sent to from there.
    pub asking: String,
    cookies: BTreeMap<String, String>,
}

/// A key's value, and for how long it still lives.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// None: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    lives_for_ms: Option<i64>,
    #[serde(flatten)]
    value: Value,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Value {
    String(String),
    Hash(BTreeMap<String, String>),
}

impl OlderRecords {
    /// Writes down what this Redis holds.
    pub async fn of(
        commit: &str,
        redis: &RedisServer,
        browsers: BTreeMap<String, Browser>,
    ) -> Self {
        let recorded_at_ms = Timestamp::now().as_millisecond();
        let names: Vec<String> = redis.command(&["KEYS", "*"]).await;
        let mut keys = BTreeMap::new();
        // It ends within a second, and nobody looks at it.
        for name in names
            .into_iter()
            .filter(|key| !key.contains(":ready-probe:"))
        {
            let kind: String = redis.command(&["TYPE", &name]).await;
            let value = match kind.as_str() {
                "string" => Value::String(redis.command(&["GET", &name]).await),
                "hash" => Value::Hash(redis.command(&["HGETALL", &name]).await),
                other => panic!("{name} is a {other}, which can't be written down yet"),
            };
            let life: i64 = redis.command(&["PTTL", &name]).await;
            let lives_for_ms = (life >= 0).then_some(life);
            keys.insert(
                name,
                Record {
                    lives_for_ms,
                    value,
                },
            );
        }
        Self {
            commit: commit.to_owned(),
            recorded_at_ms,
            browsers,
            keys,
        }
    }

    /// Where those of this commit are kept.
    pub fn file(commit: &str) -> PathBuf {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/resilience/fixtures");
        PathBuf::from(folder).join(format!("version-{}.json", &commit[..7]))
    }

    /// Reads those of this commit.
    pub fn read(commit: &str) -> Self {
        let file = Self::file(commit);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; the example older_records makes it",
                file.display()
            )
        });
        let records: Self = serde_json::from_str(&text).expect("it is what was written");
        assert_eq!(records.commit, commit);
        records
    }

    /// Keeps them for the tests.
    pub fn write(&self) {
        let text = serde_json::to_string_pretty(self).expect("texts and numbers can be written");
        fs::write(Self::file(&self.commit), text + "\n").expect("the file can be written");
    }

    /// Puts everything into this Redis as if it had been written just now: each key lives for as
    /// long as it had left, and each moment in a value is as far from now as it was from the
    /// recording. The day in the name of a count of QR codes stays, so on another day nobody reads
    /// it.
    pub async fn load(&self, redis: &RedisServer) {
        let recorded_at = Timestamp::from_millisecond(self.recorded_at_ms).expect("it is a time");
        let since = Timestamp::now().duration_since(recorded_at);
        for (name, record) in &self.keys {
            match &record.value {
                Value::String(text) => {
                    let text = self.moved(text, since);
                    let _: String = redis.command(&["SET", name, &text]).await;
                }
                Value::Hash(fields) => {
                    for (field, text) in fields {
                        let text = self.moved(text, since);
                        let _: i64 = redis.command(&["HSET", name, field, &text]).await;
                    }
                }
            }
            if let Some(life) = record.lives_for_ms {
                let set: i64 = redis.command(&["PEXPIRE", name, &life.to_string()]).await;
                assert_eq!(set, 1, "{name}");
            }
        }
    }

    /// A value's words, with the moments among them moved. A number that is within a week of the
    /// recording, in milliseconds or in seconds, is a moment: these records hold no other number of
    /// that size.
    fn moved(&self, text: &str, since: SignedDuration) -> String {
        const WEEK: i64 = 7 * 24 * 60 * 60;
        let word = |word: &str| {
            let Ok(number) = word.parse::<i64>() else {
                return word.to_owned();
            };
            let is_near = |moment: i64, unit: i64| (number - moment).abs() <= WEEK * unit;
            if is_near(self.recorded_at_ms, 1000) {
                (number + i64::try_from(since.as_millis()).expect("years")).to_string()
            } else if is_near(self.recorded_at_ms / 1000, 1) {
                (number + since.as_secs()).to_string()
            } else {
                word.to_owned()
            }
        };
        let words: Vec<String> = text.split(' ').map(word).collect();
        words.join(" ")
    }

    /// The value of this field of the only key that begins so.
    pub fn field(&self, beginning: &str, field: &str) -> &str {
        let mut found = self
            .keys
            .iter()
            .filter(|(key, _)| key.starts_with(beginning));
        match (found.next(), found.next()) {
            (
                Some((
                    _,
                    Record {
                        value: Value::Hash(fields),
                        ..
                    },
                )),
                None,
            ) => &fields[field],
            _ => panic!("there isn't one hash {beginning}"),
        }
    }
}

impl Browser {
    /// What this browser holds now.
    pub fn of(visitor: &mut Visitor, openid: &str, content: &str) -> Self {
        Self {
            openid: openid.to_owned(),
            content: content.to_owned(),
            cookies: visitor.cookies().clone(),
            lost_session: None,
            phone: None,
        }
    }

    /// The same browser, in front of the first site.
    pub fn visitor(&self, stack: &Stack) -> Visitor {
        with_cookies(stack.visitor(), &self.cookies)
    }
}

impl Phone {
    /// What the phone's browser holds now.
    pub fn of(visitor: &mut Visitor, back: &str, asking: &str) -> Self {
        Self {
            back: back.to_owned(),
            asking: asking.to_owned(),
            cookies: visitor.cookies().clone(),
        }
    }

    /// The same browser, in front of the first gateway.
    pub fn visitor(&self, stack: &Stack) -> Visitor {
        with_cookies(Visitor::new(&stack.gateways[0].public), &self.cookies)
    }
}

fn with_cookies(mut visitor: Visitor, cookies: &BTreeMap<String, String>) -> Visitor {
    visitor.cookies().clone_from(cookies);
    visitor
}
