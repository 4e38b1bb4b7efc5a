//! Login attempts and people as the services' steps know them, for tests that do without a site.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    identity::{AppId, MemberId, OpenId},
    method::Method,
    scene::{BrowserSecret, Scene},
    site::{Realm, Site, SiteId},
    steps::{Asker, OpenAttempt, Purpose, ReadStatus, RedeemAttempt, Redemption, ShownCode},
};
use service_kit::redis::Store;

use crate::stack::APP_ID;

/// How long an attempt of these tests lives: longer than any of them runs.
pub const LIFETIME: Duration = Duration::from_mins(5);

static COUNT: AtomicU32 = AtomicU32::new(1);

/// A scene that no other test of this process has.
pub fn new_scene() -> Scene {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    BrowserSecret::from_random(bytes).scene()
}

/// An openid that no other test of this process has, in the simulator's form.
pub fn new_openid() -> String {
    format!("oSim{:024}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// This person towards the made-up account.
pub fn member(openid: &str) -> MemberId {
    MemberId {
        app_id: AppId::parse(APP_ID).expect("it is an AppID"),
        openid: OpenId::parse(openid).expect("it is an openid"),
    }
}

/// The realm of a site at this address, whose visitors log in to this account.
pub fn realm(url: &str, account: &str) -> Realm {
    Realm {
        site: SiteId::of(&url.parse().expect("it is a URL")),
        account: AccountName::parse(account).expect("it is an account's name"),
    }
}

/// The realm of the attempts that [`open`] makes.
pub fn own_realm() -> Realm {
    realm("http://localhost", "default")
}

/// A site that leaves its name and the approval to the gateway.
pub fn silent_site(realm: Realm) -> Site {
    Site {
        realm,
        name: None,
        approval: None,
        require_following: false,
        client: None,
    }
}

/// Writes a pending attempt as the site does and returns its scene.
pub async fn open(store: &Store) -> Scene {
    let scene = new_scene();
    open_again(store, &scene, LIFETIME).await;
    scene
}

/// Writes a pending attempt of this scene, unless there is one.
pub async fn open_again(store: &Store, scene: &Scene, lifetime: Duration) {
    open_at(store, scene, lifetime, silent_site(own_realm())).await;
}

/// Writes a pending attempt of this site.
pub async fn open_at(store: &Store, scene: &Scene, lifetime: Duration, site: Site) {
    let step = OpenAttempt {
        scene: scene.clone(),
        lifetime,
        method: Method::Scan,
        code: Some(ShownCode {
            content: "http://weixin.qq.com/q/test".to_owned(),
            image_url: "http://localhost/test".to_owned(),
        }),
        digits: None,
        site: Arc::new(site),
        asker: Asker {
            description: "Chrome · Windows".to_owned(),
            address: "203.0.113.x".to_owned(),
        },
    };
    store.run(&step).await.expect("Redis is running");
}

/// Where an attempt stands.
pub async fn status(store: &Store, scene: &Scene) -> AttemptStatus {
    let step = ReadStatus {
        scene: scene.clone(),
        realm: own_realm(),
    };
    store.run(&step).await.expect("Redis is running").0
}

/// Takes the login as the browser would.
pub async fn redeem(store: &Store, scene: &Scene, nonce: &str) -> Redemption {
    let step = RedeemAttempt {
        scene: scene.clone(),
        realm: own_realm(),
        nonce: nonce.to_owned(),
        purpose: Purpose::Session,
    };
    store.run(&step).await.expect("Redis is running")
}

/// The openid of the person that a confirmed attempt belongs to. This redeems it.
pub async fn owner(store: &Store, scene: &Scene) -> String {
    match redeem(store, scene, "a test's nonce").await {
        Redemption::Redeemed(identified) => identified.member.openid.as_str().to_owned(),
        refused => panic!("nobody's: {refused:?}"),
    }
}
