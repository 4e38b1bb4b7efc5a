//! Shows the QR code, watches for the scan, and owns the sessions. Knows nothing of WeChat's wire.

use std::process::ExitCode;

use service_kit::command_line::{self, Service};

pub mod account_pictures;
pub mod allowed_origins;
pub mod app;
pub mod cookies;
mod event_streams;
pub mod forward_auth;
pub mod gateway_client;
pub mod login;
pub mod login_methods;
pub mod login_page;
pub mod login_watch;
mod metric_families;
mod new_client;
pub mod oidc;
pub mod public_url;
mod qr_code;
pub mod qr_drawing;
pub mod return_to;
pub mod routes;
pub mod session_watch;
pub mod sessions;
pub mod settings;
mod status_event;
pub mod tickets;
mod timer_wheel;
pub mod user;
pub mod waiting_room;

/// Runs the site as its command line and settings say.
pub fn main() -> ExitCode {
    let service = Service {
        name: "site",
        about: "Serves the login modal and its API, and owns the sessions",
        prefix: settings::PREFIX,
        health_path: "/readyz",
    };
    command_line::main(&service, &[new_client::SUBCOMMAND], &[], app::run)
}
