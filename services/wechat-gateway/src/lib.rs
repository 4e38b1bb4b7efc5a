//! The only holder of the Official Account's credentials and the only caller of WeChat.

use std::process::ExitCode;

use service_kit::command_line::{self, Service};

pub mod account_picture;
pub mod accounts;
pub mod app;
pub mod audit;
pub mod compat;
mod console;
mod denials;
pub mod digits;
mod doctor;
pub mod events;
mod init;
pub mod login_prompts;
mod member_commands;
pub mod member_indexing;
pub mod member_migration;
pub mod members;
mod metric_families;
pub mod phone;
mod picture_size;
pub mod push;
mod readiness;
pub mod routes;
pub mod settings;
pub mod subjects;
mod unfollows;
pub mod webhooks;
pub mod wechat;

#[cfg(test)]
mod test_account;

/// Runs the gateway as its command line and settings say.
pub fn main() -> ExitCode {
    let service = Service {
        name: "wechat-gateway",
        about: "Creates login QR codes with WeChat and turns scans into logins",
        prefix: settings::PREFIX,
        health_path: "/readyz",
    };
    let groups = [member_commands::GROUP];
    let commands = [doctor::SUBCOMMAND, init::SUBCOMMAND];
    command_line::main(&service, &commands, &groups, app::run)
}
