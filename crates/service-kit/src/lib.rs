//! What a service of ours needs around its own logic.
//!
//! Only what every service uses belongs here; a new concern is a new module.

mod access_log;
pub mod api_key;
pub mod asker;
pub mod bans;
pub mod build_info;
pub mod client_address;
pub mod client_uses;
pub mod clock;
pub mod clock_offset;
pub mod command_line;
mod connection_pace;
pub mod cookie;
pub mod endpoint;
pub mod essentials;
pub mod events;
pub mod guessable;
pub mod held_connection;
pub mod history;
pub mod http_calls;
pub mod http_client;
pub mod http_server;
pub mod lifecycle;
pub mod metric_family;
pub mod open_files;
pub mod operations;
mod package_files;
pub mod pages;
pub mod private_networks;
pub mod problem;
pub mod random;
pub mod redis;
mod repeated_lines;
pub mod request_bodies;
pub mod request_id;
mod root_cause;
pub mod sessions;
pub mod settings;
pub mod settings_parse;
mod slashes;
mod slow_clients;
pub mod static_file;
pub mod subjects;
pub mod tcp;
pub mod telemetry;
mod unknown_paths;
