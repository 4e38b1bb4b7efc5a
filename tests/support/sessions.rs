//! Sessions as the site begins them.

use std::time::Duration;

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    identity::MemberId,
    method::Method,
    site::Realm,
    steps::{Asker, CreateSession, IndexSession, Session, SessionLifetime, SessionPlace},
};
use service_kit::redis::Store;

/// How long they live.
pub const LIFETIME: SessionLifetime = SessionLifetime {
    absolute: Duration::from_hours(24),
    idle: Duration::from_hours(1),
};

/// A session that a scan began, in a browser on Windows, at a site with a name.
pub fn session(person: &MemberId, begun_at: Timestamp, ends_on_unfollow: bool) -> Session {
    // Redis keeps milliseconds.
    let begun_at = Timestamp::from_millisecond(begun_at.as_millisecond()).expect("a time");
    Session {
        member: person.clone(),
        account: AccountName::default(),
        method: Method::Scan,
        begun_at,
        last_seen_at: begun_at,
        place: Some(SessionPlace {
            browser: Asker {
                description: "Chrome · Windows".to_owned(),
                address: "203.0.113.x".to_owned(),
            },
            site_name: "小林花店".to_owned(),
            ends_on_unfollow,
        }),
        approval: None,
        client: None,
    }
}

/// Begins a session under this identifier's hash.
pub async fn begin(store: &Store, realm: &Realm, id_sha256: &str, session: &Session) {
    let create = CreateSession {
        site: realm.site.clone(),
        id_sha256: id_sha256.to_owned(),
        session: session.clone(),
        lifetime: LIFETIME,
    };
    let index = IndexSession::of(&create);
    let (created, ()) = store.run_both(&create, &index).await.expect("Redis runs");
    assert!(created, "it has ended");
}
