//! The codes, access tokens and refresh tokens of web authorisation. They have nothing to do with
//! the account's own access tokens.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::random;
use crate::setup::Setup;

/// How many of each kind are remembered.
const CAPACITY: usize = 10_000;

/// What a page may learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Who it is, without asking.
    Base,
    /// Nickname and avatar as well.
    UserInfo,
}

/// Who gave what to the account.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The person's identifier in the control API.
    pub(crate) person: String,
    /// The openid to report; a virtual one in a snapshot.
    pub(crate) openid: String,
    /// What was granted.
    pub(crate) scope: Scope,
    /// Whether the person in it is not real.
    pub(crate) snapshot: bool,
}

/// A grant with the tokens for it.
#[derive(Clone, Debug)]
pub(crate) struct TokenUse {
    /// What it gives access to.
    pub(crate) grant: Grant,
    /// For `/sns/userinfo`.
    pub(crate) access_token: String,
    /// For `/sns/oauth2/refresh_token`.
    pub(crate) refresh_token: String,
    /// The access token's life in seconds.
    pub(crate) expires_in: u32,
}

/// Why a code or token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExchangeError {
    /// Nobody was given it.
    Unknown,
    /// A code that was exchanged before.
    Used,
    /// Its time is over.
    Expired,
}

/// Everything that must appear in no log.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// Codes, used or not.
    pub(crate) codes: Vec<String>,
    /// Access tokens.
    pub(crate) access_tokens: Vec<String>,
    /// Refresh tokens.
    pub(crate) refresh_tokens: Vec<String>,
}

/// All that was given.
#[derive(Debug, Default)]
pub(crate) struct WebAccess {
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    codes: Remembered,
    access_tokens: Remembered,
    refresh_tokens: Remembered,
}

#[derive(Debug, Default)]
struct Remembered {
    by_name: HashMap<String, Entry>,
    order: VecDeque<String>,
}

#[derive(Clone, Debug)]
struct Entry {
    grant: Grant,
    ends: Timestamp,
    used: bool,
}

impl Scope {
    /// Reads the name that addresses use.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "snsapi_base" => Some(Self::Base),
            "snsapi_userinfo" => Some(Self::UserInfo),
            _ => None,
        }
    }

    /// The name that answers use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::UserInfo => "snsapi_userinfo",
        }
    }
}

impl WebAccess {
    /// A new code for a grant.
    pub(crate) fn code(&self, grant: Grant, ends: Timestamp) -> String {
        let code = random::web_code();
        self.lock().codes.add(code.clone(), grant, ends);
        code
    }

    /// Exchanges a code, once.
    pub(crate) fn exchange(
        &self,
        code: &str,
        setup: &Setup,
        now: Timestamp,
    ) -> Result<TokenUse, ExchangeError> {
        let mut given = self.lock();
        let grant = given.codes.spend(code, now)?;
        Ok(given.tokens(grant, setup, now))
    }

    /// New tokens for a refresh token, which stays good.
    pub(crate) fn refresh(
        &self,
        refresh_token: &str,
        setup: &Setup,
        now: Timestamp,
    ) -> Result<TokenUse, ExchangeError> {
        let mut given = self.lock();
        let grant = given.refresh_tokens.find(refresh_token, now)?;
        let access_token = given.access_token(grant.clone(), setup, now);
        Ok(TokenUse {
            grant,
            access_token,
            refresh_token: refresh_token.to_owned(),
            expires_in: setup.web_token_lifetime_seconds,
        })
    }

    /// What an access token gives access to.
    pub(crate) fn check(&self, access_token: &str, now: Timestamp) -> Result<Grant, ExchangeError> {
        self.lock().access_tokens.find(access_token, now)
    }

    /// Every remembered code and token.
    pub(crate) fn secrets(&self) -> Secrets {
        let given = self.lock();
        let names = |remembered: &Remembered| remembered.order.iter().cloned().collect();
        Secrets {
            codes: names(&given.codes),
            access_tokens: names(&given.access_tokens),
            refresh_tokens: names(&given.refresh_tokens),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Given {
    fn tokens(&mut self, grant: Grant, setup: &Setup, now: Timestamp) -> TokenUse {
        let refresh_token = random::access_token();
        let ends = now + seconds(setup.web_refresh_lifetime_seconds);
        self.refresh_tokens
            .add(refresh_token.clone(), grant.clone(), ends);
        TokenUse {
            access_token: self.access_token(grant.clone(), setup, now),
            grant,
            refresh_token,
            expires_in: setup.web_token_lifetime_seconds,
        }
    }

    fn access_token(&mut self, grant: Grant, setup: &Setup, now: Timestamp) -> String {
        let access_token = random::access_token();
        let ends = now + seconds(setup.web_token_lifetime_seconds);
        self.access_tokens.add(access_token.clone(), grant, ends);
        access_token
    }
}

impl Remembered {
    fn add(&mut self, name: String, grant: Grant, ends: Timestamp) {
        if self.order.len() >= CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_name.remove(&oldest);
        }
        self.order.push_back(name.clone());
        let used = false;
        self.by_name.insert(name, Entry { grant, ends, used });
    }

    fn find(&self, name: &str, now: Timestamp) -> Result<Grant, ExchangeError> {
        match self.by_name.get(name) {
            None => Err(ExchangeError::Unknown),
            Some(entry) if entry.ends <= now => Err(ExchangeError::Expired),
            Some(entry) => Ok(entry.grant.clone()),
        }
    }

    fn spend(&mut self, name: &str, now: Timestamp) -> Result<Grant, ExchangeError> {
        let entry = self.by_name.get_mut(name).ok_or(ExchangeError::Unknown)?;
        if entry.used {
            return Err(ExchangeError::Used);
        }
        if entry.ends <= now {
            return Err(ExchangeError::Expired);
        }
        entry.used = true;
        Ok(entry.grant.clone())
    }
}

fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}
