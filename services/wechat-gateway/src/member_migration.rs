//! The members of an account that moved (公众号账号迁移): WeChat tells their openids at the new
//! account for those at the former one, up to fifteen days after the move.

use std::{error::Error, fmt, sync::Arc};

use login_protocol::{
    account::AccountName,
    identity::{AppId, MemberId, OpenId},
    steps::{
        ForgetMigration, GiveSubject, IndexMember, KeepMigration, ListMembers, MemberPlace,
        MoveMember, ReadMember, ReadMigration, ReadSubject,
    },
};
use service_kit::{
    bans::{self, BanError},
    clock::Clock,
    redis::{Store, StoreError},
};
use wechat_wire::api::ChangedOpenId;

use crate::{
    settings::{Credentials, WechatSettings},
    wechat::{access_tokens::AccessTokens, api::Api, clock::WechatClock, error::WechatError},
};

/// How many WeChat tells at once.
const BATCH: usize = 100;

/// Moves the members of one account to another.
pub struct Migration {
    from: AppId,
    to: AppId,
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    store: Arc<Store>,
}

/// Why it stopped. Beginning again goes on there.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// No HTTP client can be made.
    #[error("no HTTP client can be made: {0}")]
    Client(Box<dyn Error + Send + Sync>),
    /// WeChat refused, or can't be reached.
    #[error("WeChat: {0}")]
    Wechat(#[from] WechatError),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A ban couldn't be carried over.
    #[error(transparent)]
    Ban(#[from] BanError),
}

/// What became of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// How many were looked at.
    pub done: u64,
    /// How many have their subject at the new account.
    pub moved: u64,
    /// How many had logged in at the new account before, and keep the subject that they got there.
    pub known_there: u64,
    /// For how many WeChat told no OpenID: they don't follow the new account, or it doesn't know
    /// them.
    pub untold: u64,
}

impl fmt::Display for Moved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            done,
            moved,
            known_there,
            untold,
        } = self;
        write!(
            formatter,
            "{done} members: {moved} moved, {known_there} keep the subject that they got at the new \
             account, {untold} have no OpenID there"
        )
    }
}

impl Migration {
    /// From this AppID to the account of these credentials.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(
        account: AccountName,
        from: AppId,
        credentials: &Credentials,
        wechat: &WechatSettings,
        store: Arc<Store>,
        clock: Clock,
    ) -> Result<Self, MigrationError> {
        let wechat_clock = Arc::new(WechatClock::new(clock.clone()));
        let api = Api::new(account, credentials, wechat, wechat_clock);
        let api = Arc::new(api.map_err(MigrationError::Client)?);
        let (token_mode, redis) = (credentials.token_mode, Arc::clone(&store));
        Ok(Self {
            from,
            to: credentials.app_id.clone(),
            tokens: Arc::new(AccessTokens::new(
                Arc::clone(&api),
                redis,
                token_mode,
                clock,
            )),
            api,
            store,
        })
    }

    /// Moves all who haven't been moved, and says after each batch how many were looked at.
    ///
    /// # Errors
    ///
    /// WeChat or Redis failed. Those of the batches before are moved.
    pub async fn run(&self, mut progress: impl FnMut(u64)) -> Result<Moved, MigrationError> {
        let (from, to) = (self.from.clone(), self.to.clone());
        let read = ReadMigration {
            from: from.clone(),
            to: to.clone(),
        };
        let mut before = self.store.run(&read).await?;
        let mut moved = Moved::default();
        loop {
            let ask = ListMembers {
                app_id: from.clone(),
                before: before.clone(),
                limit: BATCH,
            };
            let places = self.store.run(&ask).await?;
            let Some(last) = places.last().cloned() else {
                self.store.run(&ForgetMigration { from, to }).await?;
                return Ok(moved);
            };
            self.batch(&places, &mut moved).await?;
            progress(moved.done);
            let keep = KeepMigration {
                from: from.clone(),
                to: to.clone(),
                place: last.clone(),
            };
            self.store.run(&keep).await?;
            before = Some(last);
        }
    }

    async fn batch(&self, places: &[MemberPlace], moved: &mut Moved) -> Result<(), MigrationError> {
        let openids: Vec<OpenId> = places.iter().map(|place| place.openid.clone()).collect();
        let told = self
            .tokens
            .with_token(async |token| self.api.change_openids(token, &self.from, &openids).await)
            .await?;
        moved.done += places.len() as u64;
        let mut told_of = 0;
        for ChangedOpenId {
            ori_openid,
            new_openid,
            ..
        } in told.result_list
        {
            let former = OpenId::parse(&ori_openid).ok();
            let Some(former) = former.filter(|former| openids.contains(former)) else {
                continue;
            };
            let Some(new) = new_openid.and_then(|new| OpenId::parse(&new).ok()) else {
                continue;
            };
            told_of += 1;
            if self.one(former, new).await? {
                moved.moved += 1;
            } else {
                moved.known_there += 1;
            }
        }
        moved.untold += (places.len() as u64).saturating_sub(told_of);
        Ok(())
    }

    /// Whether the person's subject is the one that they had.
    async fn one(&self, former: OpenId, new: OpenId) -> Result<bool, MigrationError> {
        let former = MemberId {
            app_id: self.from.clone(),
            openid: former,
        };
        let new = MemberId {
            app_id: self.to.clone(),
            openid: new,
        };
        let read = ReadMember {
            member: former.clone(),
        };
        let read_subject = ReadSubject {
            member: former.clone(),
        };
        let (known, given) = self.store.run_both(&read, &read_subject).await?;
        if bans::is_banned(&self.store, &former).await? {
            bans::ban(&self.store, new.clone()).await?;
        }
        let mut is_theirs = true;
        if let Some(given) = given {
            let give = GiveSubject {
                member: new.clone(),
                subject: given.subject,
                given_at: Some(given.given_at),
                union: given.union,
            };
            is_theirs = self.store.run(&give).await?.subject == give.subject;
        }
        if let Some(known) = known {
            let index = IndexMember {
                member: new.clone(),
                first_seen_at: known.first_seen_at,
                only_new: true,
            };
            let copy = MoveMember { member: new, known };
            self.store.run_both(&index, &copy).await?;
        }
        Ok(is_theirs)
    }
}
