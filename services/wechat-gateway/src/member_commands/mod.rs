//! `wechat-gateway members …`: looking people up, erasing and banning them, and moving them to
//! another account, on the command line.
//!
//! The commands work on Redis, as the gateway does, and need nothing but its settings: neither the
//! API key nor a gateway that runs.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write},
    process::ExitCode,
    sync::Arc,
};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    identity::{AppId, OpenId},
    member::StoredMember,
    steps::CountMembers,
};
use serde_json::json;
use service_kit::{
    bans::BanError,
    clock::Clock,
    command_line::{Invocation, RunningSubcommand, Subcommand, SubcommandGroup},
    redis::{Store, StoreError},
    settings::InvalidSettings,
};

use crate::{
    audit::{Act, Actor, AuditError, OwnerAction},
    member_indexing::MemberIndexing,
    member_migration::{Migration, MigrationError},
    members::{Members, SessionsError},
    settings::{AccountSettings, GatewaySettings},
};
use progress::Progress;

mod progress;

const ACCOUNT: &str = "account";
const OPENID: &str = "openid";
const SUBSCRIBED: &str = "subscribed";
const LIMIT: &str = "limit";
const FROM: &str = "from";
const YES: &str = "yes";

/// The exit code when the settings or the command line can't be used.
const UNUSABLE: u8 = 2;

/// How many are listed, where nothing is said.
const LISTED: usize = 100;

/// How many are read at once.
const BATCH: usize = 500;

const OF_ACCOUNT: (&str, &str, &str) = (
    ACCOUNT,
    "NAME",
    "The account's name in the settings; default, unless it says otherwise",
);

const WHO: (&str, &str) = (OPENID, "The person's OpenID at the account");

/// The commands.
pub(crate) const GROUP: SubcommandGroup<GatewaySettings> = SubcommandGroup {
    name: "members",
    about: "List, show, export, erase, ban and move the people who have met an account; works on \
            Redis, whether a gateway runs or not",
    subcommands: &[
        Subcommand {
            name: "list",
            about: "List members, those seen first most recently at the top",
            arguments: &[],
            flags: &[],
            options: &[
                OF_ACCOUNT,
                (
                    SUBSCRIBED,
                    "true|false",
                    "Only those who follow the account, or who don't",
                ),
                (
                    LIMIT,
                    "COUNT",
                    "How many at most; 100, unless it says otherwise",
                ),
            ],
            run: |invocation| run(invocation, Task::List),
        },
        Subcommand {
            name: "show",
            about: "Print what is stored of a member, and their sessions, as JSON; exit 1 when \
                    nothing is",
            arguments: &[WHO],
            flags: &[],
            options: &[OF_ACCOUNT],
            run: |invocation| run(invocation, Task::Show),
        },
        Subcommand {
            name: "export",
            about: "Print all members, a line of JSON each",
            arguments: &[],
            flags: &[],
            options: &[OF_ACCOUNT],
            run: |invocation| run(invocation, Task::Export),
        },
        Subcommand {
            name: "erase",
            about: "Erase a person: sessions, open logins, events and all that is stored; a ban \
                    stays. Exit 1 when nothing is stored",
            arguments: &[WHO],
            flags: &[(YES, "Don't ask")],
            options: &[OF_ACCOUNT],
            run: |invocation| run(invocation, Task::Erase),
        },
        Subcommand {
            name: "ban",
            about: "Ban a person, known or not: signs them out everywhere and denies their logins",
            arguments: &[WHO],
            flags: &[],
            options: &[OF_ACCOUNT],
            run: |invocation| run(invocation, Task::Ban),
        },
        Subcommand {
            name: "unban",
            about: "Let a banned person in again",
            arguments: &[WHO],
            flags: &[],
            options: &[OF_ACCOUNT],
            run: |invocation| run(invocation, Task::Unban),
        },
        Subcommand {
            name: "migrate",
            about: "After an account moved (账号迁移): asks WeChat for the members' new OpenIDs, and \
                    carries over subjects, profiles and bans. Goes on where it stopped",
            arguments: &[],
            flags: &[],
            options: &[
                (FROM, "APPID", "The AppID of the former account; required"),
                OF_ACCOUNT,
            ],
            run: |invocation| run(invocation, Task::Migrate),
        },
    ],
};

#[derive(Clone, Copy)]
enum Task {
    List,
    Show,
    Export,
    Erase,
    Ban,
    Unban,
    Migrate,
}

/// Why a command wasn't carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    #[error("{0}")]
    Usage(String),
    #[error("nothing is stored of this person")]
    Unknown,
    #[error("nothing was erased")]
    Declined,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ban(#[from] BanError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Migration(#[from] MigrationError),
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

fn run(invocation: Invocation<GatewaySettings>, task: Task) -> RunningSubcommand {
    Box::pin(async move {
        match carry_out(invocation, task).await {
            Ok(()) => ExitCode::SUCCESS,
            // Who reads only the beginning, as `head` does, has all they want.
            Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            Err(failure) => {
                eprintln!("wechat-gateway: {failure}");
                match failure {
                    Failure::Settings(_) | Failure::Usage(_) => ExitCode::from(UNUSABLE),
                    _ => ExitCode::FAILURE,
                }
            }
        }
    })
}

/// How a command was called, and what it works with.
struct Called {
    name: AccountName,
    account: AccountSettings,
    settings: GatewaySettings,
    store: Arc<Store>,
    members: Members,
    options: std::collections::BTreeMap<&'static str, String>,
    flags: Vec<&'static str>,
}

impl Called {
    fn new(invocation: Invocation<GatewaySettings>) -> Result<Self, Failure> {
        let Invocation {
            settings,
            flags,
            options,
        } = invocation;
        let settings = settings?;
        let wanted = options.get(ACCOUNT).map_or("default", String::as_str);
        let found = settings
            .accounts
            .iter()
            .find(|(name, _)| name.as_str() == wanted);
        let Some((name, account)) = found else {
            let usage = format!("the settings have no account {wanted}; name one with --account");
            return Err(Failure::Usage(usage));
        };
        let account = account.clone();
        let store = Store::new(&settings.redis_url).map_err(StoreError::from)?;
        let store = Arc::new(store);
        let app_id = account.credentials.app_id.clone();
        Ok(Self {
            members: Members::new(
                name.clone(),
                app_id,
                Arc::clone(&store),
                settings.webhooks.keys().cloned().collect(),
            ),
            name,
            account,
            settings,
            store,
            options,
            flags,
        })
    }

    fn openid(&self) -> Result<OpenId, Failure> {
        let given = self.options.get(OPENID).map_or("", String::as_str);
        OpenId::parse(given).map_err(|error| Failure::Usage(format!("the OpenID: {error}")))
    }

    async fn count(&self, app_id: &AppId) -> Result<u64, StoreError> {
        let app_id = app_id.clone();
        self.store.run(&CountMembers { app_id }).await
    }
}

async fn carry_out(invocation: Invocation<GatewaySettings>, task: Task) -> Result<(), Failure> {
    let called = Called::new(invocation)?;
    match task {
        Task::List => list(&called).await,
        Task::Show => show(&called).await,
        Task::Export => export(&called).await,
        Task::Erase => erase(&called).await,
        Task::Ban => {
            called
                .members
                .ban(called.openid()?, &Actor::COMMAND_LINE)
                .await?;
            eprintln!("banned, and signed out everywhere");
            Ok(())
        }
        Task::Unban => {
            called
                .members
                .lift_ban(called.openid()?, &Actor::COMMAND_LINE)
                .await?;
            eprintln!("not banned");
            Ok(())
        }
        Task::Migrate => migrate(called).await,
    }
}

async fn list(called: &Called) -> Result<(), Failure> {
    let usage = |option: &str| Failure::Usage(format!("--{option} has no such value"));
    let limit = called
        .options
        .get(LIMIT)
        .map(|limit| limit.parse::<usize>());
    let limit = limit
        .transpose()
        .map_err(|_| usage(LIMIT))?
        .unwrap_or(LISTED);
    let subscribed = called.options.get(SUBSCRIBED);
    let subscribed = subscribed.map(|wanted| wanted.parse::<bool>());
    let subscribed = subscribed.transpose().map_err(|_| usage(SUBSCRIBED))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(
        out,
        "{:<28}  {:<22}  {:<7}  {:<6}  {:<20}  nickname",
        "openid", "sub", "follows", "banned", "first seen"
    )?;
    let mut left = limit;
    let mut before = None;
    while left > 0 {
        let page = called.members.page(before, left.min(BATCH), subscribed);
        let page = page.await?;
        left -= page.members.len();
        for stored in &page.members {
            write_row(&mut out, stored)?;
        }
        let Some(next) = page.next else {
            break;
        };
        before = Some(next);
    }
    out.flush()?;
    Ok(())
}

fn write_row(out: &mut impl Write, stored: &StoredMember) -> io::Result<()> {
    let StoredMember { sub, member } = stored;
    let yes_or_no = |yes| if yes { "yes" } else { "no" };
    let first_seen = member.first_seen_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    // What people call themselves can't control a terminal.
    let nickname: String = member
        .nickname
        .iter()
        .flat_map(|nickname| nickname.chars())
        .filter(|character| !character.is_control())
        .collect();
    writeln!(
        out,
        "{:<28}  {:<22}  {:<7}  {:<6}  {first_seen:<20}  {nickname}",
        member.openid.as_str(),
        sub.as_ref().map_or("-", |sub| sub.as_str()),
        yes_or_no(member.subscribed),
        yes_or_no(member.banned),
    )
}

async fn show(called: &Called) -> Result<(), Failure> {
    let openid = called.openid()?;
    let stored = called.members.find(openid.as_str()).await?;
    let stored = stored.ok_or(Failure::Unknown)?;
    let sessions = match called.members.sessions(openid.as_str()).await {
        Ok(sessions) => sessions,
        Err(SessionsError::Store(error)) => return Err(error.into()),
        Err(_) => Vec::new(),
    };
    let sessions: Vec<_> = sessions
        .iter()
        .map(|session| session.listed(None))
        .collect();
    let shown = json!({ "member": stored, "sessions": sessions });
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &shown).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

async fn export(called: &Called) -> Result<(), Failure> {
    called.members.note_export(&Actor::COMMAND_LINE).await?;
    let total = called.count(&called.account.credentials.app_id).await?;
    let mut progress = Progress::new("exporting", total);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut before = None;
    let mut done = 0;
    loop {
        let page = called.members.page(before, BATCH, None).await?;
        for stored in &page.members {
            serde_json::to_writer(&mut out, stored).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        done += page.members.len() as u64;
        progress.show(done);
        let Some(next) = page.next else {
            break;
        };
        before = Some(next);
    }
    out.flush()?;
    progress.finish(done);
    Ok(())
}

async fn erase(called: &Called) -> Result<(), Failure> {
    let openid = called.openid()?;
    if !called.flags.contains(&YES) {
        ask(called, &openid).await?;
    }
    if called
        .members
        .erase(openid.as_str(), &Actor::COMMAND_LINE)
        .await?
    {
        eprintln!("erased");
        Ok(())
    } else {
        Err(Failure::Unknown)
    }
}

/// Asks whoever sits at the terminal.
async fn ask(called: &Called, openid: &OpenId) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        let usage = "erasing asks first, and there is no terminal to ask at; say --yes";
        return Err(Failure::Usage(usage.to_owned()));
    }
    let stored = called.members.find(openid.as_str()).await?;
    let since = stored.map(|stored| stored.member.first_seen_at);
    let since = since.map_or_else(
        || "of whom nothing is stored".to_owned(),
        |at: Timestamp| format!("first seen at {at}"),
    );
    eprint!(
        "Erase {} of the account {}, {since}? This can't be undone. [y/N] ",
        openid.as_str(),
        called.name.as_str(),
    );
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Declined),
    }
}

async fn migrate(called: Called) -> Result<(), Failure> {
    let from = called.options.get(FROM).map(|from| AppId::parse(from));
    let Some(Ok(from)) = from else {
        let usage = "name the former account's AppID: --from wx…";
        return Err(Failure::Usage(usage.to_owned()));
    };
    if from == called.account.credentials.app_id {
        let usage = "--from is the account that the settings have: name the former one";
        return Err(Failure::Usage(usage.to_owned()));
    }
    // Whoever a version before stored is moved as well.
    let indexing = MemberIndexing::new(Arc::clone(&called.store));
    let now = called.store.server_time().await?;
    indexing.done_since(now).await;
    let mut progress = Progress::new("moving", called.count(&from).await?);
    let migration = Migration::new(
        called.name.clone(),
        from,
        &called.account.credentials,
        &called.settings.wechat,
        Arc::clone(&called.store),
        Clock::system(),
    )?;
    let act = Act::new(Actor::COMMAND_LINE, OwnerAction::Migrate);
    let act = act.at(&called.name, &called.account.credentials.app_id);
    act.record(&called.store).await?;
    let moved = migration.run(|done| progress.show(done)).await?;
    progress.finish(moved.done);
    let mut out = io::stdout().lock();
    writeln!(out, "{moved}")?;
    Ok(())
}
