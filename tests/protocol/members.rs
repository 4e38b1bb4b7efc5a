//! Members: events arrive twice, late and out of order, and the latest one counts.

use jiff::Timestamp;
use login_protocol::{
    identity::MemberId,
    member::{Member, Profile},
    steps::{
        ReadMember, RecordFollow, RecordProfile, RecordUnfollow, RecordVisit, STRANGERS_ARE_KEPT,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Follow(i64),
    Unfollow(i64),
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn profile() -> Profile {
    Profile {
        unionid: Some("a union".to_owned()),
        nickname: Some("小林 \"'{}\u{1f600}".to_owned()),
        avatar_url: Some("https://example.com/a?b=c&d".to_owned()),
        location: Some("浙江 杭州".to_owned()),
    }
}

async fn record(store: &Store, member: &MemberId, event: Event, profile: Option<Profile>) {
    let member = member.clone();
    let done = match event {
        Event::Follow(second) => {
            let step = RecordFollow {
                member,
                at: at(second),
                profile,
            };
            store.run(&step).await
        }
        Event::Unfollow(second) => {
            let step = RecordUnfollow {
                member,
                at: at(second),
            };
            store.run(&step).await.map(drop)
        }
    };
    done.expect("Redis is running");
}

async fn read(store: &Store, member: &MemberId) -> Option<Member> {
    let step = ReadMember {
        member: member.clone(),
    };
    store.run(&step).await.expect("Redis is running")
}

fn orders(events: &[Event]) -> Vec<Vec<Event>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in events.iter().enumerate() {
        let mut rest = events.to_vec();
        rest.remove(index);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}

#[tokio::test]
async fn the_order_of_arrival_doesnt_matter() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for events in [
        [Event::Follow(10), Event::Unfollow(20), Event::Follow(30)],
        [Event::Follow(10), Event::Follow(20), Event::Unfollow(30)],
        [Event::Unfollow(10), Event::Follow(20), Event::Unfollow(30)],
    ] {
        for order in orders(&events) {
            let person = member(&new_openid());
            for event in &order {
                record(&store, &person, *event, None).await;
                record(&store, &person, *event, None).await;
            }
            let found = read(&store, &person).await.expect("they are known");
            let follows = matches!(events[2], Event::Follow(_));
            assert_eq!(found.subscribed, follows, "{order:?}");
            assert_eq!(found.first_seen_at, at(10), "{order:?}");
            assert_eq!(found.last_seen_at, at(30), "{order:?}");
        }
    }
}

#[tokio::test]
async fn a_profile_comes_with_a_follow_and_goes_with_an_unfollow() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    assert_eq!(read(&store, &person).await, None);
    record(&store, &person, Event::Follow(10), Some(profile())).await;
    let found = read(&store, &person).await.expect("they are known");
    assert_eq!(found.nickname, profile().nickname);
    assert_eq!(found.avatar_url, profile().avatar_url);
    assert_eq!(found.unionid, profile().unionid);
    assert_eq!(found.location, profile().location);
    assert_eq!(found.profile_at, Some(at(10)));

    // What WeChat doesn't tell stays as it was.
    record(&store, &person, Event::Follow(15), Some(Profile::default())).await;
    record(&store, &person, Event::Follow(16), None).await;
    let found = read(&store, &person).await.expect("they are known");
    assert_eq!(found.nickname, profile().nickname);
    assert_eq!(found.profile_at, Some(at(15)));

    record(&store, &person, Event::Unfollow(20), None).await;
    // A late push of an earlier follow brings nothing back.
    record(&store, &person, Event::Follow(10), Some(profile())).await;
    let found = read(&store, &person).await.expect("they are remembered");
    assert!(!found.subscribed);
    assert_eq!(
        (found.nickname, found.avatar_url, found.unionid),
        (None, None, None)
    );
    assert_eq!((found.location, found.profile_at), (None, None));
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let fields: Vec<String> = redis.command(&["HKEYS", &keys[0]]).await;
    // Whether and since when they follow or don't, and when they were seen.
    assert_eq!(fields.len(), 5, "nothing of the profile stays: {fields:?}");
}

#[tokio::test]
async fn a_visit_keeps_what_was_shown_and_leaves_the_events_their_say() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let visit = async |second: i64, follows: Option<bool>, profile: Option<Profile>| {
        let step = RecordVisit {
            member: person.clone(),
            at: at(second),
            follows,
            unionid: None,
            profile,
        };
        store.run(&step).await.expect("Redis is running");
        read(&store, &person).await.expect("they are known")
    };
    let found = visit(10, Some(false), Some(profile())).await;
    assert!(!found.subscribed, "nobody follows by logging in");
    assert_eq!(found.nickname, profile().nickname);
    assert_eq!(
        (found.profile_at, found.shown_at),
        (Some(at(10)), Some(at(10)))
    );
    assert_eq!((found.first_seen_at, found.last_seen_at), (at(10), at(10)));

    // What WeChat doesn't tell stays as it was.
    let found = visit(20, None, None).await;
    assert_eq!(found.nickname, profile().nickname);
    assert_eq!(found.profile_at, Some(at(10)));
    assert_eq!((found.first_seen_at, found.last_seen_at), (at(10), at(20)));

    // Whoever doesn't follow is forgotten, since no event will say when; whoever follows isn't.
    let key: String = redis.command::<Vec<String>>(&["KEYS", "*"]).await.remove(0);
    let life = async || redis.command::<i64>(&["TTL", &key]).await;
    let month = i64::try_from(STRANGERS_ARE_KEPT.as_secs()).expect("a month");
    assert!((month - 10..=month).contains(&life().await));
    record(&store, &person, Event::Follow(22), None).await;
    assert_eq!(life().await, -1);

    // WeChat's clock may be behind ours: its events count all the same.
    assert!(visit(30, Some(true), None).await.subscribed);
    assert_eq!(life().await, -1);
    record(&store, &person, Event::Unfollow(25), None).await;
    let found = read(&store, &person).await.expect("they are remembered");
    assert!(!found.subscribed);
    assert_eq!((found.nickname, found.profile_at), (None, None));
    assert_eq!(found.last_seen_at, at(30));
}

#[tokio::test]
async fn an_event_that_overtakes_a_visit_is_not_undone() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for (event, subscribed) in [(Event::Unfollow(101), false), (Event::Follow(101), true)] {
        let person = member(&new_openid());
        record(&store, &person, Event::Follow(10), None).await;
        record(&store, &person, event, None).await;
        // WeChat was asked before that, and said the opposite.
        let step = RecordVisit {
            member: person.clone(),
            at: at(100),
            follows: Some(!subscribed),
            unionid: Some("another union".to_owned()),
            profile: Some(profile()),
        };
        store.run(&step).await.expect("Redis is running");
        let found = read(&store, &person).await.expect("they are known");
        assert_eq!(found.subscribed, subscribed, "{event:?}");
        assert_eq!(found.nickname.is_some(), subscribed, "{event:?}");
        assert_eq!(found.unionid.is_some(), subscribed, "{event:?}");
    }
}

#[tokio::test]
async fn an_event_of_the_far_future_outdates_nothing() {
    // Gateways before this one recorded whatever time a push named.
    const A_YEAR: i64 = 365 * 24 * 3600;
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for (future, event, subscribed) in [
        (Event::Follow(A_YEAR), Event::Unfollow(10), false),
        (Event::Unfollow(A_YEAR), Event::Follow(10), true),
    ] {
        let person = member(&new_openid());
        record(&store, &person, future, None).await;
        record(&store, &person, event, None).await;
        let found = read(&store, &person).await.expect("they are known");
        assert_eq!(found.subscribed, subscribed, "{event:?}");
        // From here on the usual order holds.
        let opposite = match event {
            Event::Follow(_) => Event::Unfollow(5),
            Event::Unfollow(_) => Event::Follow(5),
        };
        record(&store, &person, opposite, None).await;
        let found = read(&store, &person).await.expect("they are known");
        assert_eq!(found.subscribed, subscribed, "{event:?}");

        let visitor = member(&new_openid());
        record(&store, &visitor, future, None).await;
        let step = RecordVisit {
            member: visitor.clone(),
            at: at(10),
            follows: Some(subscribed),
            unionid: None,
            profile: None,
        };
        store.run(&step).await.expect("Redis is running");
        let found = read(&store, &visitor).await.expect("they are known");
        assert_eq!(found.subscribed, subscribed, "a visit after {future:?}");
    }
}

/// WeChat's terms ask that the profile goes, whether or not there is room.
#[tokio::test]
async fn an_unfollow_removes_the_profile_in_a_full_redis() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    record(&store, &person, Event::Follow(1), Some(profile())).await;
    let _: String = redis.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    record(&store, &person, Event::Unfollow(2), None).await;
    let known = read(&store, &person).await.expect("a member");
    assert!(!known.subscribed);
    assert_eq!((known.unionid, known.nickname), (None, None));
    assert_eq!((known.avatar_url, known.location), (None, None));
}

#[tokio::test]
async fn a_unionid_is_kept_without_a_profile_and_lost_to_no_later_answer() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let visit = async |second: i64, unionid: Option<&str>, profile: Option<Profile>| {
        let step = RecordVisit {
            member: person.clone(),
            at: at(second),
            follows: Some(true),
            unionid: unionid.map(str::to_owned),
            profile,
        };
        store.run(&step).await.expect("Redis is running");
        read(&store, &person).await.expect("they are known")
    };
    let found = visit(10, Some("a union"), None).await;
    assert_eq!(found.unionid.as_deref(), Some("a union"));
    assert_eq!(
        (found.profile_at, found.shown_at),
        (None, None),
        "nothing was shown, so WeChat is asked again"
    );
    // What answers later without it, whole or in part.
    let partial = Profile {
        nickname: Some("小林".to_owned()),
        ..Profile::default()
    };
    for profile in [None, Some(Profile::default()), Some(partial)] {
        let found = visit(20, None, profile.clone()).await;
        assert_eq!(found.unionid.as_deref(), Some("a union"));
        record(&store, &person, Event::Follow(30), profile.clone()).await;
        let shown = RecordProfile {
            member: person.clone(),
            at: at(40),
            unionid: None,
            profile,
        };
        assert!(store.run(&shown).await.expect("Redis is running"));
        let found = read(&store, &person).await.expect("they are known");
        assert_eq!(found.unionid.as_deref(), Some("a union"));
    }
    let shown = RecordProfile {
        member: person.clone(),
        at: at(50),
        unionid: Some("another union".to_owned()),
        profile: None,
    };
    assert!(store.run(&shown).await.expect("Redis is running"));
    let found = read(&store, &person).await.expect("they are known");
    assert_eq!(found.unionid.as_deref(), Some("another union"));
    assert_eq!(found.shown_at, Some(at(40)), "nothing was shown");
    assert_eq!(found.nickname.as_deref(), Some("小林"));
}

#[tokio::test]
async fn an_avatar_of_wechats_is_told_as_https_also_when_it_was_kept_otherwise() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let with_avatar = |address: &str| Profile {
        avatar_url: Some(address.to_owned()),
        ..Profile::default()
    };
    let avatar = async || {
        read(&store, &person)
            .await
            .expect("they are known")
            .avatar_url
    };
    let told = with_avatar("http://thirdwx.qlogo.cn/mmopen/x/132");
    record(&store, &person, Event::Follow(10), Some(told)).await;
    let key: String = redis.command::<Vec<String>>(&["KEYS", "*"]).await.remove(0);
    let kept: String = redis.command(&["HGET", &key, "avatar_url"]).await;
    assert_eq!(kept, "https://thirdwx.qlogo.cn/mmopen/x/132");
    assert_eq!(avatar().await, Some(kept));
    // By an older version.
    let kept = "http://wx.qlogo.cn/mmopen/x/0";
    let _: i64 = redis.command(&["HSET", &key, "avatar_url", kept]).await;
    assert_eq!(
        avatar().await.as_deref(),
        Some("https://wx.qlogo.cn/mmopen/x/0")
    );
    let elsewhere = with_avatar("http://example.com/a.png");
    record(&store, &person, Event::Follow(20), Some(elsewhere)).await;
    assert_eq!(avatar().await.as_deref(), Some("http://example.com/a.png"));
}
