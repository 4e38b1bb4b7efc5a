//! Hourly figures: what is added counts once, whatever becomes of the answer.

use std::time::Duration;

use jiff::Timestamp;
use login_protocol::{
    history::{Figure, Figures, Hour, HourlyRecord},
    steps::{
        AdmitConsoleSignIn, ConsoleSignIn, ConsoleSignInBy, GiveBackConsoleSignIn, NoteHour,
        ReadHour,
    },
};
use service_kit::redis::Store;
use system_tests::{log_folder, redis_server::RedisServer};

fn completed(count: u64) -> Figures {
    let mut figures = Figures::default();
    figures.add(Figure::Completed, count);
    figures
}

async fn read(store: &Store, hour: Hour) -> HourlyRecord {
    store.run(&ReadHour { hour }).await.expect("Redis runs")
}

#[tokio::test]
async fn an_addition_counts_once_however_often_it_is_sent() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let hour = Hour::of(Timestamp::now());
    let note = |process: &str, number, added| NoteHour {
        hour,
        process: process.to_owned(),
        number,
        added,
        waiting: None,
    };
    for note in [
        note("one", 1, completed(3)),
        note("one", 1, completed(3)),
        note("other", 1, completed(4)),
        note("one", 2, completed(5)),
        note("other", 1, completed(4)),
        note("one", 2, completed(5)),
    ] {
        store.run(&note).await.expect("Redis runs");
    }
    assert_eq!(read(&store, hour).await.figures, completed(12));
    assert!(read(&store, hour.earlier(1)).await.figures.is_empty());
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:stats:*"]).await;
    let life: i64 = redis.command(&["TTL", &keys[0]]).await;
    let days = life / (24 * 3600);
    assert_eq!(days, 31, "{life}");
}

#[tokio::test]
async fn replicas_say_how_many_wait_and_the_last_word_stands() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let hour = Hour::of(Timestamp::now());
    for (number, process, waiting) in [(1, "one", 5), (1, "other", 7), (2, "one", 6)] {
        let note = NoteHour {
            hour,
            process: process.to_owned(),
            number,
            added: Figures::default(),
            waiting: Some((waiting, "花店 <b>".to_owned())),
        };
        store.run(&note).await.expect("Redis runs");
    }
    let mut replicas = read(&store, hour).await.replicas;
    replicas.sort_by(|one, other| one.process.cmp(&other.process));
    let told: Vec<_> = replicas
        .iter()
        .map(|replica| {
            (
                replica.process.as_str(),
                replica.waiting,
                replica.site.as_str(),
            )
        })
        .collect();
    assert_eq!(told, [("one", 6, "花店 <b>"), ("other", 7, "花店 <b>")]);
    let age = Timestamp::now().duration_since(replicas[0].at);
    assert!(age.as_secs().abs() < 60, "{age}");
}

#[tokio::test]
async fn ten_keys_may_be_wrong_and_right_ones_do_not_count() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let [client, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
    let by = ConsoleSignInBy::Key;
    let admit = async |client| {
        let admit = AdmitConsoleSignIn { by, client };
        store.run(&admit).await.expect("Redis runs")
    };
    for _ in 0..20 {
        assert_eq!(admit(client).await, ConsoleSignIn::Admitted);
        let give_back = GiveBackConsoleSignIn { by, client };
        store.run(&give_back).await.expect("Redis runs");
    }
    for _ in 0..10 {
        assert_eq!(admit(client).await, ConsoleSignIn::Admitted);
    }
    let ConsoleSignIn::Refused { retry_after } = admit(client).await else {
        panic!("the eleventh is refused");
    };
    assert!(retry_after <= Duration::from_mins(15), "{retry_after:?}");
    assert!(retry_after > Duration::from_mins(14), "{retry_after:?}");
    assert_eq!(admit(other).await, ConsoleSignIn::Admitted);
    let by = ConsoleSignInBy::Code;
    let by_code = AdmitConsoleSignIn { by, client };
    let by_code = store.run(&by_code).await.expect("Redis runs");
    assert_eq!(by_code, ConsoleSignIn::Admitted, "codes have their own");
}
