//! Whether Redis is there, writable, new enough, and keeps what it is given.

use login_protocol::steps::ProbeWrites;
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::redis::{OLDEST_REDIS, ServerFacts, ServerVersion, Store};
use url::Url;

use super::report::Check;

const NAME: &str = "redis";

/// Asks Redis.
pub(super) async fn check(store: &Store, url: &SecretString) -> Vec<Check> {
    let place = place(url);
    if let Err(error) = store.ping().await {
        return vec![Check::fail(
            NAME,
            format!("{place}: {error}"),
            "Start Redis, and check the address and password in GATEWAY__REDIS__URL; the site needs \
             the same Redis",
        )];
    }
    let facts = store.server_facts().await;
    if let Ok(facts) = &facts
        && facts
            .version
            .as_ref()
            .is_some_and(ServerVersion::is_too_old)
    {
        return vec![version(facts)];
    }
    let probe = ProbeWrites {
        prober: "doctor".to_owned(),
    };
    if let Err(error) = store.run(&probe).await {
        return vec![Check::fail(
            NAME,
            format!("{place} answers, but can't be written to: {error}"),
            "Use the primary, not a replica; give it memory; and let this user run EVAL and SET on \
             wechat-login:*",
        )];
    }
    let mut checks = vec![Check::ok(
        NAME,
        format!("{place} answers and can be written to"),
    )];
    match facts {
        Ok(facts) => checks.extend([version(&facts), persistence(&facts), eviction(&facts)]),
        Err(error) => checks.push(Check::skip(
            "redis_version",
            format!("Redis doesn't answer INFO: {error}"),
        )),
    }
    checks
}

fn version(facts: &ServerFacts) -> Check {
    const NAME: &str = "redis_version";
    let Some(version) = &facts.version else {
        return Check::skip(NAME, "Redis doesn't report its version");
    };
    if version.is_too_old() {
        return Check::fail(
            NAME,
            format!("{version} is too old"),
            format!(
                "Use Redis {OLDEST_REDIS} or newer: older ones refuse scripts that read the clock and write"
            ),
        );
    }
    Check::ok(NAME, version.to_string())
}

fn persistence(facts: &ServerFacts) -> Check {
    const NAME: &str = "redis_persistence";
    match facts.append_only {
        Some(true) => Check::ok(NAME, "every write goes to the append-only file"),
        Some(false) => Check::warn(
            NAME,
            "the append-only file is off: when Redis restarts, logins in progress, sessions and members \
             since the last snapshot are lost",
            "Set appendonly yes in redis.conf",
        ),
        None => Check::skip(
            NAME,
            "Redis doesn't report whether it has an append-only file",
        ),
    }
}

fn eviction(facts: &ServerFacts) -> Check {
    const NAME: &str = "redis_eviction";
    match facts.maxmemory_policy.as_deref() {
        Some("noeviction") => Check::ok(NAME, "noeviction"),
        Some(policy) => Check::warn(
            NAME,
            format!(
                "maxmemory-policy is {policy}: when memory is full, sessions and members are evicted"
            ),
            "Set maxmemory-policy noeviction, or give these services a Redis of their own",
        ),
        None => Check::skip(NAME, "Redis doesn't report its maxmemory-policy"),
    }
}

/// The URL without what may be secret in it.
fn place(url: &SecretString) -> String {
    let Ok(url) = Url::parse(url.expose_secret()) else {
        return "Redis".to_owned();
    };
    let port = url.port().map(|port| format!(":{port}"));
    format!(
        "{}://{}{}{}",
        url.scheme(),
        url.host_str().unwrap_or_default(),
        port.unwrap_or_default(),
        url.path()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Status;

    #[test]
    fn the_password_is_not_shown() {
        for (url, shown) in [
            (
                "redis://:hunter2@10.0.0.1:6380/2",
                "redis://10.0.0.1:6380/2",
            ),
            (
                "rediss://me:hunter2@redis.example.com",
                "rediss://redis.example.com",
            ),
            (
                "redis+unix:///run/redis.sock?pass=hunter2",
                "redis+unix:///run/redis.sock",
            ),
        ] {
            assert_eq!(place(&SecretString::from(url)), shown);
        }
    }

    #[test]
    fn facts_are_judged() {
        let facts = |version: &str, append_only: u8, policy: &str| {
            ServerFacts::parse(&format!(
                "redis_version:{version}\r\naof_enabled:{append_only}\r\nmaxmemory_policy:{policy}\r\n"
            ))
        };
        let good = facts("5.0.14", 1, "noeviction");
        assert_eq!(version(&good).status, Status::Ok);
        assert_eq!(persistence(&good).status, Status::Ok);
        assert_eq!(eviction(&good).status, Status::Ok);
        let bad = facts("4.0.9", 0, "allkeys-lru");
        assert_eq!(version(&bad).status, Status::Fail);
        assert_eq!(persistence(&bad).status, Status::Warn);
        assert_eq!(eviction(&bad).status, Status::Warn);
        let silent = ServerFacts::default();
        for check in [version(&silent), persistence(&silent), eviction(&silent)] {
            assert_eq!(check.status, Status::Skip);
        }
    }
}
