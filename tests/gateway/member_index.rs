//! Members of a version that kept no index.

use std::collections::BTreeSet;

use jiff::Timestamp;
use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    steps::{IndexMember, IndexingTurn, ListMembers, NoteIndexing, RecordFollow, TakeIndexing},
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{member, new_openid},
    deadline::eventually,
    log_folder,
    redis_cluster::RedisCluster,
    redis_server::RedisServer,
    stack::{APP_ID, Plan},
};

use crate::http;

/// More than a walk looks at in one step.
const MANY: usize = 2_000;

/// Stores members as a version did that kept no index.
async fn store_members(store: &Store, count: usize) -> BTreeSet<String> {
    let follows: Vec<RecordFollow> = (0..count)
        .map(|number| RecordFollow {
            member: member(&new_openid()),
            at: Timestamp::from_second(1_700_000_000 + i64::try_from(number).expect("few"))
                .expect("a time"),
            profile: None,
        })
        .collect();
    store.run_all(&follows).await.expect("Redis is running");
    let openids = follows.iter().map(|follow| follow.member.openid.as_str());
    openids.map(str::to_owned).collect()
}

async fn indexed(store: &Store) -> BTreeSet<String> {
    let list = ListMembers {
        app_id: AppId::parse(APP_ID).expect("it is an AppID"),
        before: None,
        limit: 10_000,
    };
    let places = store.run(&list).await.expect("Redis is running");
    let openids = places.iter().map(|place| place.openid.as_str());
    openids.map(str::to_owned).collect()
}

async fn now(store: &Store) -> Timestamp {
    store.server_time().await.expect("Redis is running")
}

/// The next gateway that starts brings them into the index.
async fn comes_to_hold(store: &Store, openids: &BTreeSet<String>) {
    eventually("all are indexed", async || {
        (indexed(store).await == *openids).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_starts_indexes_them_once_and_others_stay_where_they_are() {
    let mut stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let openids = store_members(&store, MANY).await;
    let known = openids.first().expect("there are some");
    let own_place = IndexMember {
        member: member(known),
        first_seen_at: Timestamp::UNIX_EPOCH,
        only_new: false,
    };
    store.run(&own_place).await.expect("Redis is running");
    assert_eq!(indexed(&store).await.len(), 1);
    for gateway in 1..=2 {
        stack.add_gateway().await;
        comes_to_hold(&store, &openids).await;
        let listed = http::get(&stack.gateways[gateway], "/v1/members?limit=1").await;
        let newest = &listed.json["members"][0]["openid"];
        assert!(newest.is_string() && *newest != known.as_str(), "{newest}");
    }
    let list = ListMembers {
        app_id: AppId::parse(APP_ID).expect("it is an AppID"),
        before: None,
        limit: MANY,
    };
    let places = store.run(&list).await.expect("Redis is running");
    assert_eq!(
        places[MANY - 1].openid.as_str(),
        known,
        "it stayed the oldest"
    );
}

#[tokio::test]
async fn one_process_at_a_time_goes_on_where_another_stopped() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let since = now(&store).await;
    let take = async |holder: &str| {
        let step = TakeIndexing {
            holder: holder.to_owned(),
            since,
        };
        store.run(&step).await.expect("Redis is running")
    };
    let note = async |holder: &str, place: &str| {
        let step = NoteIndexing {
            holder: holder.to_owned(),
            node: "a run".to_owned(),
            place: place.to_owned(),
        };
        store.run(&step).await.expect("Redis is running")
    };
    let places = |place: &str| {
        IndexingTurn::Yours(
            [("a run".to_owned(), place.to_owned())]
                .into_iter()
                .collect(),
        )
    };
    assert_eq!(take("one").await, IndexingTurn::Yours([].into()));
    assert_eq!(take("two").await, IndexingTurn::Busy);
    assert!(note("one", "17").await);
    assert!(!note("two", "3").await, "it isn't their turn");
    assert_eq!(take("one").await, places("17"), "its answer got lost");
    // The first one dies, and its time runs out.
    let key = "wechat-login:member-indexing";
    let _: i64 = redis.command(&["HSET", key, "until_ms", "1"]).await;
    assert_eq!(take("two").await, places("17"));
    assert!(!note("one", "99").await, "it comes too late");
    let life: i64 = redis.command(&["TTL", key]).await;
    assert!(life > 0, "{life}");
}

#[tokio::test]
async fn on_a_cluster_all_nodes_are_walked_through() {
    let cluster = RedisCluster::start(&log_folder::create()).await;
    let store = Store::new(&cluster.url().into()).expect("it is an address");
    let openids = store_members(&store, 50).await;
    let mut walk = store.walk().await.expect("Redis is running");
    let nodes = walk.nodes().await.expect("Redis is running");
    assert_eq!(nodes.len(), 3);
    assert!(nodes.iter().all(|node| node.run.is_some()), "{nodes:?}");
    let _stack = http::start(Plan::default().redis(&cluster.url())).await;
    comes_to_hold(&store, &openids).await;
}

#[tokio::test]
async fn a_place_whose_person_is_gone_is_given_up_unless_they_came_back() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let gone = MemberId {
        app_id: AppId::parse(APP_ID).expect("it is an AppID"),
        openid: OpenId::parse(&new_openid()).expect("it is an openid"),
    };
    let index = IndexMember {
        member: gone.clone(),
        first_seen_at: Timestamp::UNIX_EPOCH,
        only_new: false,
    };
    store.run(&index).await.expect("Redis is running");
    let listed = http::get(&stack.gateways[0], "/v1/members").await;
    assert_eq!(listed.json["members"], serde_json::json!([]));
    assert_eq!(listed.json["next_cursor"], serde_json::Value::Null);
    assert_eq!(indexed(&store).await, BTreeSet::new());
}
