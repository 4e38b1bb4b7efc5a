//! What the services can do beside the least work that could do it: rates, latencies, processor
//! time, memory and Redis commands, of the real binaries on one core.
//!
//! `cargo xtask bench` builds this and runs it with a [`plan::Plan`] as its only argument. The
//! binary is also the processes that it measures with: the limits, WeChat's stand-in, and what
//! keeps cores awake.

mod asked_attempts;
mod attempt;
mod attempts;
mod browser;
mod codes;
mod contender;
mod event_stream;
mod fact;
mod file_limit;
mod fleet;
mod http_wire;
mod instructions;
mod kernel_figures;
mod limit;
mod load;
mod login;
mod machine;
mod news;
mod output;
mod peer;
mod phone;
mod plan;
mod providers;
mod publications;
mod redis_statistics;
mod report;
mod round_trips;
mod run;
mod scenes;
mod spinner;
mod stand_in;
mod starting;
mod statistics;
mod turn;
mod waiting;
mod waiting_streams;
mod written_attempts;

use std::{env, process::ExitCode};

use output::say;
use plan::Plan;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["limit", redis_url, stand_in_url] => limit::serve(redis_url, stand_in_url),
        ["stand-in"] => on_one_thread(stand_in::serve()),
        ["spin"] => {
            spinner::spin();
            Ok(())
        }
        [plan] => Plan::from_argument(plan).and_then(|plan| on_one_thread(run::all(plan))),
        _ => Err("run `cargo xtask bench` instead".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// One thread is the cheapest on one core.
fn on_one_thread(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?
        .block_on(work)
}
