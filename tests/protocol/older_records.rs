//! What a version before wrote, which knew one account, one site and two methods: an upgrade in
//! mid-login loses nothing.

use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    method::Method,
    scene::Scene,
    site::Realm,
    steps::{
        Decide, Decision, DecisionEffect, Purpose, ReadAttempt, ReadScan, ReadStatus, RecordScan,
        RedeemAttempt, Redemption, ScanEffect, ShownCode,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member, new_openid, new_scene, realm},
    log_folder,
    redis_server::RedisServer,
};

/// An attempt as version 0.1.0 wrote it, pending.
async fn older_attempt(redis: &RedisServer, content: &str, image_url: &str) -> Scene {
    let scene = new_scene();
    let key = format!("wechat-login:attempt:{{{}}}", scene.as_str());
    let fields = [
        ("status", "pending"),
        ("opened_at_ms", "1795812000000"),
        ("expires_at_ms", "1795812300000"),
        ("content", content),
        ("image_url", image_url),
        ("asker", "Chrome · Windows"),
        ("asker_address", "203.0.113.x"),
    ];
    for (name, value) in fields {
        let _: i64 = redis.command(&["HSET", &key, name, value]).await;
    }
    let _: i64 = redis.command(&["PEXPIRE", &key, "300000"]).await;
    scene
}

async fn scan(store: &Store, scene: &Scene, account: &str, openid: &str) -> ScanEffect {
    let step = RecordScan {
        scene: scene.clone(),
        account: AccountName::parse(account).expect("a name"),
        member: member(openid),
        approval: Approval::Tap,
    };
    store.run(&step).await.expect("Redis is running").effect
}

async fn redeem(store: &Store, scene: &Scene, realm: Realm) -> Redemption {
    let step = RedeemAttempt {
        scene: scene.clone(),
        realm,
        nonce: "a nonce".to_owned(),
        purpose: Purpose::Session,
    };
    store.run(&step).await.expect("Redis is running")
}

#[tokio::test]
async fn an_attempt_without_a_site_goes_on_at_any_site_of_the_default_account() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = new_openid();
    let scene = older_attempt(&redis, "http://weixin.qq.com/q/x", "http://localhost/x").await;
    assert_eq!(
        scan(&store, &scene, "shop", &person).await,
        ScanEffect::Elsewhere
    );
    // It says nothing of approval, so the gateway's rule holds.
    assert_eq!(
        scan(&store, &scene, "default", &person).await,
        ScanEffect::Accepted(AttemptStatus::Scanned)
    );
    let account = AccountName::default();
    let asked = ReadScan {
        scene: scene.clone(),
        account: account.clone(),
    };
    let asked = store.run(&asked).await.expect("Redis is running");
    let asked = asked.expect("it is the account's");
    assert_eq!(asked.site_name, None);
    assert_eq!(asked.asker.address, "203.0.113.x");
    let decide = Decide {
        scene: scene.clone(),
        account,
        member: member(&person),
        decision: Decision::Confirm,
    };
    assert_eq!(
        store.run(&decide).await.expect("Redis is running"),
        DecisionEffect::Stands(AttemptStatus::Confirmed)
    );
    let shop = realm("https://a.example.com", "shop");
    assert_eq!(
        redeem(&store, &scene, shop).await,
        Redemption::Refused(AttemptStatus::Expired)
    );
    for url in ["https://a.example.com", "https://b.example.com"] {
        let Redemption::Redeemed(identified) = redeem(&store, &scene, realm(url, "default")).await
        else {
            panic!("{url} is refused");
        };
        assert_eq!(identified.member, member(&person));
        assert_eq!(identified.method, Method::Scan);
    }
}

#[tokio::test]
async fn an_attempt_without_a_method_is_told_by_its_code() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let code = ShownCode {
        content: "http://weixin.qq.com/q/x".to_owned(),
        image_url: "http://localhost/x".to_owned(),
    };
    for (content, image_url, method, code) in [
        (
            "http://weixin.qq.com/q/x",
            "http://localhost/x",
            Method::Scan,
            Some(code),
        ),
        ("", "", Method::WebAuthorization, None),
    ] {
        let scene = older_attempt(&redis, content, image_url).await;
        let read = ReadAttempt {
            scene: scene.clone(),
            realm: attempts::own_realm(),
        };
        let read = store.run(&read).await.expect("Redis is running");
        let read = read.expect("it is there");
        assert_eq!((read.method, read.code), (method, code));
        assert_eq!(read.status, AttemptStatus::Pending);
        let elsewhere = ReadStatus {
            scene: scene.clone(),
            realm: realm("http://localhost", "shop"),
        };
        let (status, expires_at) = store.run(&elsewhere).await.expect("Redis is running");
        assert_eq!((status, expires_at), (AttemptStatus::Expired, None));
        scan(&store, &scene, "default", &new_openid()).await;
        let key = format!("wechat-login:attempt:{{{}}}", scene.as_str());
        let _: i64 = redis.command(&["HSET", &key, "status", "confirmed"]).await;
        let Redemption::Redeemed(identified) = redeem(&store, &scene, attempts::own_realm()).await
        else {
            panic!("it is refused");
        };
        assert_eq!(identified.method, method);
    }
}
