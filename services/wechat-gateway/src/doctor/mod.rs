//! `wechat-gateway doctor`: what is wrong with an installation, and what to do about it.
//!
//! It reads the gateway's settings and queries Redis, WeChat and the public URL. It changes nothing
//! but a key in Redis that lives for a second and a QR code that lives for a minute. The gateway
//! may be running.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use futures_util::future::try_join_all;
use login_protocol::account::AccountName;
use service_kit::{
    clock::Clock,
    clock_offset::ClockOffset,
    command_line::{Invocation, RunningSubcommand, Subcommand},
    http_client,
    lifecycle::ServiceError,
    redis::Store,
    settings::InvalidSettings,
};
use tokio::time::timeout;

use crate::{
    settings::{AccountSettings, GatewaySettings},
    wechat::{api::Api, clock::WechatClock},
};
use report::{Check, Colour};
use surroundings::WebAuthorization;

mod account;
mod callback;
mod clock;
mod failures;
mod own_settings;
mod redis;
pub(crate) mod report;
pub(crate) mod settings;
mod surroundings;

/// How long one request to a URL of the owner may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long everything may take. Every question is bounded; this is for what nobody thought of.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);

const JSON: &str = "json";
const ACCOUNT: &str = "account";

/// The exit code when something failed.
const FAILED: u8 = 1;
/// The exit code when the settings can't be used.
const UNUSABLE: u8 = 2;

/// The subcommand.
pub(crate) const SUBCOMMAND: Subcommand<GatewaySettings> = Subcommand {
    name: "doctor",
    about: "Check settings, Redis, clock, WeChat accounts and the public URL, and say what to \
            do; exit 0, 1 when something failed, or 2 when the settings can't be used",
    arguments: &[],
    flags: &[(JSON, "Print one JSON object for scripts")],
    options: &[(
        ACCOUNT,
        "NAME",
        "Examine this account alone, such as default",
    )],
    run: |invocation| -> RunningSubcommand { Box::pin(run(invocation)) },
};

async fn run(invocation: Invocation<GatewaySettings>) -> ExitCode {
    let account = invocation.options.get(ACCOUNT).map(String::as_str);
    let (checks, code) = examine(invocation.settings, account).await;
    let output = &mut io::stdout().lock();
    let written = if invocation.flags.contains(&JSON) {
        report::write_json(output, &checks)
    } else {
        let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let colour = if coloured {
            Colour::Always
        } else {
            Colour::Never
        };
        report::write_lines(output, &checks, colour)
    };
    // If the output was closed early, the exit code still counts.
    drop(written);
    ExitCode::from(code)
}

/// What is wrong with the installation that has these settings.
pub(crate) async fn findings(settings: GatewaySettings) -> Vec<Check> {
    let (checks, _) = examine(Ok(settings), None).await;
    checks
}

async fn examine(
    settings: Result<GatewaySettings, InvalidSettings>,
    account: Option<&str>,
) -> (Vec<Check>, u8) {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return (settings::unusable(&error), UNUSABLE),
    };
    let accounts: Vec<_> = settings
        .accounts
        .iter()
        .filter(|(name, _)| account.is_none_or(|wanted| wanted == name.as_str()))
        .collect();
    if accounts.is_empty() {
        return (vec![no_such_account(&settings)], UNUSABLE);
    }
    let examined = timeout(WHOLE_TIMEOUT, Box::pin(all(&settings, &accounts))).await;
    let checks = match examined {
        Ok(Ok(checks)) => checks,
        Ok(Err(error)) => vec![Check::fail(
            "doctor",
            error.to_string(),
            "Check that this machine has CA certificates (ca-certificates)",
        )],
        Err(_) => vec![Check::fail(
            "doctor",
            format!("the checks took longer than {} s", WHOLE_TIMEOUT.as_secs()),
            "Check this machine's network and DNS resolution",
        )],
    };
    let code = if report::is_ok(&checks) { 0 } else { FAILED };
    (checks, code)
}

fn no_such_account(settings: &GatewaySettings) -> Check {
    let names: Vec<String> = settings
        .accounts
        .iter()
        .map(|(name, _)| name.into())
        .collect();
    Check::fail(
        "doctor",
        "the settings have no account of this name",
        format!("Name one of them with --account: {}", names.join(", ")),
    )
}

/// Everything, concurrently where checks are independent.
async fn all(
    settings: &GatewaySettings,
    accounts: &[(AccountName, &AccountSettings)],
) -> Result<Vec<Check>, ServiceError> {
    let store = Store::new(&settings.redis_url).map_err(ServiceError::client)?;
    let http = http_client::build(CALL_TIMEOUT).map_err(ServiceError::client)?;
    let installation = Installation {
        settings,
        store: &store,
        http: &http,
    };
    let web_authorization = WebAuthorization {
        public_url: settings.public.url.as_ref(),
        files: &settings.public.verification_files,
    };
    let examined = accounts
        .iter()
        .map(|(name, account)| examined_account(&installation, name, account));
    let (redis, by_redis, accounts, domain) = tokio::join!(
        redis::check(&store, &settings.redis_url),
        ClockOffset::measure(Clock::system(), store.server_time()),
        try_join_all(examined),
        surroundings::domain(&http, &web_authorization),
    );
    let accounts = accounts?;
    let by_wechat = accounts.iter().find_map(|account| account.clock);
    let mut checks = settings::hints(settings);
    checks.extend(redis);
    checks.push(clock::judge(by_wechat, by_redis.ok()));
    checks.extend(accounts.into_iter().flat_map(|account| account.checks));
    checks.push(domain);
    Ok(checks)
}

/// What every account's examination works with.
struct Installation<'a> {
    settings: &'a GatewaySettings,
    store: &'a Store,
    http: &'a reqwest::Client,
}

/// What one account's examination found.
struct ExaminedAccount {
    checks: Vec<Check>,
    /// This machine's clock beside WeChat's.
    clock: Option<ClockOffset>,
}

async fn examined_account(
    installation: &Installation<'_>,
    name: &AccountName,
    account: &AccountSettings,
) -> Result<ExaminedAccount, ServiceError> {
    let Installation {
        settings,
        store,
        http,
    } = installation;
    let credentials = &account.credentials;
    let clock = Arc::new(WechatClock::new(Clock::system()));
    let api = Api::new(name.clone(), credentials, &settings.wechat, clock);
    let api = api.map_err(ServiceError::Client)?;
    let public_url = settings.public.url.as_ref();
    let callback_url = public_url.map(|url| callback::url(url, name));
    let (clock, asked, callback, relay) = tokio::join!(
        ClockOffset::measure(Clock::system(), async {
            api.server_time().await.ok().flatten().ok_or(())
        }),
        account::check(&api, store, credentials.token_mode),
        callback::check(http, callback_url.as_ref(), &credentials.token),
        surroundings::relay(http, account.relay.url.as_ref()),
    );
    let mut checks = settings::of_account(credentials, public_url);
    checks.extend(asked);
    checks.extend(callback);
    checks.push(relay);
    Ok(ExaminedAccount {
        checks: checks.into_iter().map(|check| check.of(name)).collect(),
        clock: clock.ok(),
    })
}
