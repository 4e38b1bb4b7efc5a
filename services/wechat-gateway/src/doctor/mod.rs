//! `wechat-gateway doctor`: what is wrong with an installation, and what to do about it.
//!
//! It reads the gateway's settings, asks Redis, WeChat and the public address, and changes nothing
//! but a key in Redis that lives for a second and a code at WeChat that lives for a minute. The
//! gateway may run beside it.

use std::{
    io::{self, IsTerminal as _},
    pin::Pin,
    process::ExitCode,
    time::Duration,
};

use service_kit::{
    clock::Clock,
    clock_offset::ClockOffset,
    command_line::{Invocation, Subcommand},
    http_client,
    lifecycle::ServiceError,
    redis::{REDIS_URL, Store},
    settings::Settings,
};
use tokio::time::timeout;

use crate::{settings as keys, wechat::api::Api};
use report::{Check, Colour};
use surroundings::WebAuthorization;

mod account;
mod callback;
mod clock;
mod failures;
mod redis;
mod report;
pub(crate) mod settings;
mod surroundings;

/// How long one question to an address of the owner's may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long everything may take. Every question is bounded; this is for what nobody thought of.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);

const JSON: &str = "json";

/// The exit code when something failed.
const FAILED: u8 = 1;
/// The exit code when the settings can't be used.
const UNUSABLE: u8 = 2;

/// The subcommand.
pub(crate) const SUBCOMMAND: Subcommand = Subcommand {
    name: "doctor",
    about: "Check the settings, Redis, the clock, the WeChat account and the public address, and say what to \
            do; exit 0, 1 when something failed, or 2 when the settings can't be used",
    flags: &[(JSON, "Print one JSON object for scripts")],
    run: |invocation| -> Pin<Box<dyn Future<Output = ExitCode>>> { Box::pin(run(invocation)) },
};

async fn run(invocation: Invocation) -> ExitCode {
    let (checks, code) = examine(invocation.settings).await;
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
    // Whoever closed the output early doesn't want the rest; the exit code is for the others.
    drop(written);
    ExitCode::from(code)
}

async fn examine(
    settings: Result<Settings, service_kit::settings::InvalidSettings>,
) -> (Vec<Check>, u8) {
    let values = match settings {
        Ok(values) => values,
        Err(error) => return (settings::unusable(&[error]), UNUSABLE),
    };
    let contradictions = settings::contradictions(&values);
    if !contradictions.is_empty() {
        return (settings::unusable(&contradictions), UNUSABLE);
    }
    let checks = match timeout(WHOLE_TIMEOUT, Box::pin(all(&values))).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(ServiceError::Settings(error))) => {
            return (settings::unusable(&[error]), UNUSABLE);
        }
        Ok(Err(error)) => vec![Check::fail(
            "doctor",
            error.to_string(),
            "Look whether this machine has its certificates (ca-certificates)",
        )],
        Err(_) => vec![Check::fail(
            "doctor",
            format!("the checks took longer than {} s", WHOLE_TIMEOUT.as_secs()),
            "Look at this machine's network and name resolution",
        )],
    };
    let code = if report::is_ok(&checks) { 0 } else { FAILED };
    (checks, code)
}

/// Everything, at once where nothing waits for another.
async fn all(values: &Settings) -> Result<Vec<Check>, ServiceError> {
    let redis_url = values.get(&REDIS_URL)?;
    let store = Store::new(&redis_url).map_err(ServiceError::client)?;
    let api = Api::new(
        values.get(&keys::APP_ID)?,
        values.get(&keys::APP_SECRET)?,
        values.get(&keys::API_URL)?,
        values.get(&keys::MP_URL)?,
        values.optional(&keys::PROXY_URL)?.as_ref(),
    );
    let api = api.map_err(ServiceError::client)?;
    let http = http_client::build(CALL_TIMEOUT).map_err(ServiceError::client)?;
    let public_url = values.optional(&keys::PUBLIC_URL)?;
    let relay_url = values.optional(&keys::RELAY_URL)?;
    let files = values.optional(&keys::VERIFICATION_FILES)?;
    let web_authorization = WebAuthorization {
        public_url: public_url.as_ref(),
        files: &files.unwrap_or_default(),
    };
    let callback_token = values.get(&keys::TOKEN)?;
    let token_mode = values.get(&keys::TOKEN_MODE)?;

    let clock = Clock::system();
    let (redis, by_redis, by_wechat, account, callback, relay, domain) = tokio::join!(
        redis::check(&store, &redis_url),
        ClockOffset::measure(&clock, store.server_time()),
        ClockOffset::measure(&clock, async {
            api.server_time().await.ok().flatten().ok_or(())
        }),
        account::check(&api, &store, token_mode),
        callback::check(&http, public_url.as_ref(), &callback_token),
        surroundings::relay(&http, relay_url.as_ref()),
        surroundings::domain(&http, &web_authorization),
    );
    let mut checks = settings::hints(values)?;
    checks.extend(redis);
    checks.push(clock::judge(by_wechat.ok(), by_redis.ok()));
    checks.extend(account);
    checks.extend(callback);
    checks.extend([relay, domain]);
    Ok(checks)
}
