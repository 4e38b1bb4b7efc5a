//! What a service of ours needs around its own logic.
//!
//! Only what every service uses belongs here; a new concern is a new module.

mod access_log;
pub mod client_address;
pub mod clock_offset;
pub mod command_line;
pub mod endpoint;
pub mod essentials;
pub mod held_connection;
pub mod http_client;
pub mod http_server;
pub mod lifecycle;
pub mod open_files;
pub mod operations;
pub mod problem;
pub mod redis;
pub mod request_id;
pub mod settings;
pub mod settings_parse;
pub mod telemetry;
mod unread_bodies;
