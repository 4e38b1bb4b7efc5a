//! What the owner did, as an event: who, from where, and to whom.

use std::net::IpAddr;

use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, Occasion},
    identity::{AppId, MemberId, OpenId},
    steps::AppendEvent,
};
use service_kit::{
    problem::Problem,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};

/// By which door the owner came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The internal API.
    ApiKey,
    /// The console.
    Console,
    /// The command line.
    CommandLine,
}

impl Door {
    /// The text form, as `data.by` has it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Console => "console",
            Self::CommandLine => "command_line",
        }
    }

    /// The door of this text form.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::ApiKey, Self::Console, Self::CommandLine];
        all.into_iter().find(|door| door.as_str() == name)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// By which door they came.
    pub door: Door,
    /// Which owner, if they signed in to the console by WeChat. Who has the key has no name.
    pub owner: Option<OpenId>,
    /// From which address; `None`: from the machine itself.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Whoever sits at the machine.
    pub const COMMAND_LINE: Self = Self {
        door: Door::CommandLine,
        owner: None,
        address: None,
    };
}

/// What the owner did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerAction {
    /// Banned somebody.
    Ban,
    /// Let somebody in again.
    LiftBan,
    /// Erased somebody.
    Erase,
    /// Ended all sessions of somebody.
    EndSessions,
    /// Ended one session of somebody.
    EndSession,
    /// Exported the members of an account.
    Export,
    /// Moved the members of a former account.
    Migrate,
    /// Had a webhook's events sent again.
    Redeliver,
    /// Signed in to the console.
    SignIn,
    /// Sent a wrong key to the console.
    SignInRefused,
    /// Signed out of the console.
    SignOut,
    /// Ran the checks in the console.
    RunChecks,
}

impl OwnerAction {
    const ALL: [Self; 12] = [
        Self::Ban,
        Self::LiftBan,
        Self::Erase,
        Self::EndSessions,
        Self::EndSession,
        Self::Export,
        Self::Migrate,
        Self::Redeliver,
        Self::SignIn,
        Self::SignInRefused,
        Self::SignOut,
        Self::RunChecks,
    ];

    /// The action of this text form.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// The text form, as `data.action` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::LiftBan => "lift_ban",
            Self::Erase => "erase",
            Self::EndSessions => "end_sessions",
            Self::EndSession => "end_session",
            Self::Export => "export",
            Self::Migrate => "migrate",
            Self::Redeliver => "redeliver",
            Self::SignIn => "sign_in",
            Self::SignInRefused => "sign_in_refused",
            Self::SignOut => "sign_out",
            Self::RunChecks => "run_checks",
        }
    }
}

/// Why it isn't kept what the owner did. Then it isn't done either.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing tells it from what was done before.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<AuditError> for Problem {
    /// What a client reads. The log has the details.
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Store(error) => error.into(),
            AuditError::Randomness(error) => error.into(),
        }
    }
}

/// Something that the owner does, to be appended in front of what it does. Without a stream of events
/// that changes nothing.
#[derive(Debug, Clone)]
pub struct Act {
    actor: Actor,
    action: OwnerAction,
    account: Option<(AccountName, AppId)>,
    member: Option<MemberId>,
    webhook: Option<String>,
}

impl Act {
    /// Something that concerns no account.
    pub const fn new(actor: Actor, action: OwnerAction) -> Self {
        Self {
            actor,
            action,
            account: None,
            member: None,
            webhook: None,
        }
    }

    /// The same at an account.
    #[must_use]
    pub fn at(mut self, account: &AccountName, app_id: &AppId) -> Self {
        self.account = Some((account.clone(), app_id.clone()));
        self
    }

    /// The same to somebody. Not where nothing of them is to stay.
    #[must_use]
    pub fn to(mut self, member: &MemberId) -> Self {
        self.member = Some(member.clone());
        self
    }

    /// The same with a webhook.
    #[must_use]
    pub fn with_webhook(mut self, name: &str) -> Self {
        self.webhook = Some(name.to_owned());
        self
    }

    /// The step that keeps it.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub fn append(self) -> Result<AppendEvent, NoRandomness> {
        const KIND: EventKind = EventKind::OwnerActed;
        let (account, app_id) = self.account.unzip();
        let address = self.actor.address.map(|address| address.to_string());
        let mut happening = Happening::by_owner(account, app_id)
            .with("action", self.action.as_str())
            .with("by", self.actor.door.as_str())
            .done_by(self.actor.owner.as_ref())
            .with("address", address);
        if let Some(webhook) = self.webhook {
            happening = happening.with("webhook", webhook);
        }
        if let Some(member) = &self.member {
            happening = happening.to_member(member);
        }
        Ok(AppendEvent {
            occasion: Occasion::once(KIND, &random::name()?),
            happening,
            opens: false,
        })
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// Redis failed, or there are no random bytes.
    pub async fn record(self, store: &Store) -> Result<(), AuditError> {
        store.run(&self.append()?).await?;
        Ok(())
    }
}
