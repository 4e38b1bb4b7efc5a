//! Our services' attempts and members, written to Redis beforehand by the protocol's own steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    identity::{AppId, MemberId, OpenId},
    member::Profile,
    method::Method,
    scene::BrowserSecret,
    site::{Realm, Site, SiteId},
    steps::{Asker, GiveSubject, OpenAttempt, ReadStatus, RecordFollow, ShownCode},
    subject::{Subject, UnionDigest},
};
use secrecy::SecretString;
use service_kit::redis::Store;
use url::Url;

use crate::attempt::Attempt;

/// How many steps go in one round trip.
const BATCH: usize = 500;

/// What a code of WeChat's encodes; its stand-in says the same.
pub(crate) const CODE_CONTENT: &str =
    "http://weixin.qq.com/q/02cGd9FoRdbFh1HuVy1u1z2026bench0k5QvNw";

/// The public address of the site, whose attempts they are.
pub(crate) const SITE_URL: &str = "http://localhost";

/// Everybody's UnionID; the stand-in of WeChat says the same.
const UNIONID: &str = "o6_bmasdasdsad6_2sgVt7hMZOPfL";

/// Where such a code's picture lies.
const IMAGE_URL: &str = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9xL2taZ2Z3TVRtNzJXV1Brb3ZhYmJJAAIEZ23sUwMEmm3sUw%3D%3D";

/// Where attempts and people come from, each one new.
pub(crate) struct WrittenAttempts {
    store: Store,
    site: Arc<Site>,
    secrets: AtomicU64,
}

impl WrittenAttempts {
    /// In this Redis.
    pub(crate) fn new(redis_url: &str) -> Result<Self, String> {
        let store = Store::new(&SecretString::from(redis_url));
        let site_url = Url::parse(SITE_URL).map_err(|error| error.to_string())?;
        let realm = Realm {
            site: SiteId::of(&site_url),
            account: AccountName::default(),
        };
        Ok(Self {
            store: store.map_err(|error| error.to_string())?,
            site: Arc::new(Site {
                realm,
                name: None,
                approval: None,
                require_following: false,
                client: None,
            }),
            secrets: AtomicU64::new(1),
        })
    }

    /// Opens pending attempts.
    pub(crate) async fn open(
        &self,
        count: usize,
        lifetime: Duration,
    ) -> Result<Vec<Attempt>, String> {
        let secrets: Vec<_> = (0..count).map(|_| self.secret()).collect();
        for batch in secrets.chunks(BATCH) {
            let steps: Vec<_> = batch
                .iter()
                .map(|secret| OpenAttempt {
                    scene: secret.scene(),
                    lifetime,
                    method: Method::Scan,
                    code: Some(ShownCode {
                        content: CODE_CONTENT.to_owned(),
                        image_url: IMAGE_URL.to_owned(),
                    }),
                    digits: None,
                    site: Arc::clone(&self.site),
                    asker: Asker {
                        description: "Chrome · Windows".to_owned(),
                        address: "10.0.0.x".to_owned(),
                    },
                })
                .collect();
            let opened = self.store.run_all(&steps).await;
            opened.map_err(|error| format!("attempts can't be opened: {error}"))?;
        }
        Ok(secrets.iter().map(Attempt::of).collect())
    }

    /// How many of these attempts are confirmed.
    pub(crate) async fn confirmed(&self, attempts: &[Attempt]) -> Result<usize, String> {
        let mut confirmed = 0;
        for batch in attempts.chunks(BATCH) {
            let steps: Vec<_> = batch
                .iter()
                .map(|attempt| ReadStatus {
                    scene: attempt.scene.clone(),
                    realm: self.site.realm.clone(),
                })
                .collect();
            let found = self.store.run_all(&steps).await;
            let found = found.map_err(|error| format!("attempts can't be read: {error}"))?;
            let is_confirmed =
                |(status, _): &&(AttemptStatus, _)| *status == AttemptStatus::Confirmed;
            confirmed += found.iter().filter(is_confirmed).count();
        }
        Ok(confirmed)
    }

    /// People whose profile WeChat told just now.
    pub(crate) async fn members(&self, openids: &[String]) -> Result<(), String> {
        let wrong = |error: &dyn std::fmt::Display| format!("members can't be written: {error}");
        let members = openids.iter().map(|openid| {
            Ok(MemberId {
                app_id: AppId::parse(harness::account::APP_ID).map_err(|error| wrong(&error))?,
                openid: OpenId::parse(openid).map_err(|error| wrong(&error))?,
            })
        });
        let members: Vec<_> = members.collect::<Result<_, String>>()?;
        for batch in members.chunks(BATCH) {
            let follow = |member: &MemberId| RecordFollow {
                member: member.clone(),
                at: Timestamp::now(),
                profile: Some(Profile {
                    unionid: Some(UNIONID.to_owned()),
                    ..Profile::default()
                }),
            };
            // They have logged in before.
            let give = |member: &MemberId| GiveSubject {
                member: member.clone(),
                subject: Subject::from_random([0xbe; 16]),
                given_at: None,
                union: Some(UnionDigest::of(UNIONID)),
            };
            let follow: Vec<_> = batch.iter().map(follow).collect();
            let give: Vec<_> = batch.iter().map(give).collect();
            let recorded = self.store.run_all(&follow).await;
            recorded.map_err(|error| wrong(&error))?;
            let given = self.store.run_all(&give).await;
            given.map_err(|error| wrong(&error))?;
        }
        Ok(())
    }

    /// Random is what nobody can guess; here it is enough that each is another.
    fn secret(&self) -> BrowserSecret {
        let number = self.secrets.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0xbe; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        BrowserSecret::from_random(bytes)
    }
}
