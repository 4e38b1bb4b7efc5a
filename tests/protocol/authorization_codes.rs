//! A code of web authorisation is exchanged by one asker, and everybody learns what came of it.

use login_protocol::steps::{Claim, ClaimCode, ReleaseCode, ResolveCode};
use system_tests::{log_folder, redis_server::RedisServer};

fn claim(holder: &str) -> ClaimCode {
    ClaimCode {
        code_sha256: "the-code".to_owned(),
        holder: holder.to_owned(),
    }
}

#[tokio::test]
async fn the_first_asker_has_the_code_also_when_it_asks_again() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let ask = async |holder| store.run(&claim(holder)).await.expect("Redis answers");
    assert_eq!(ask("first").await, Claim::Claimed);
    assert_eq!(ask("second").await, Claim::InProgress);
    assert_eq!(
        ask("first").await,
        Claim::Claimed,
        "its first answer got lost"
    );
    let resolve = ResolveCode {
        code_sha256: "the-code".to_owned(),
        outcome: r#"{"outcome":"kept"}"#.to_owned(),
    };
    store.run(&resolve).await.expect("Redis answers");
    for holder in ["first", "second"] {
        assert_eq!(ask(holder).await, Claim::Resolved(resolve.outcome.clone()));
    }
}

#[tokio::test]
async fn a_code_that_nothing_came_of_can_be_asked_for_again() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let ask = async |holder| store.run(&claim(holder)).await.expect("Redis answers");
    let release = async |holder: &str| {
        let ClaimCode {
            code_sha256,
            holder,
        } = claim(holder);
        let release = ReleaseCode {
            code_sha256,
            holder,
        };
        store.run(&release).await.expect("Redis answers");
    };
    assert_eq!(ask("first").await, Claim::Claimed);
    release("second").await;
    assert_eq!(
        ask("second").await,
        Claim::InProgress,
        "it isn't the second's"
    );
    release("first").await;
    assert_eq!(ask("second").await, Claim::Claimed);
    // A release that arrives twice takes it from nobody.
    release("first").await;
    assert_eq!(ask("third").await, Claim::InProgress);
}
