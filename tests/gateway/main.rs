//! The gateway over HTTP: the contract's rows for WeChat, the site and other backends.

mod access_token;
mod api_key;
mod callback;
mod compatible_mode;
mod hostile_pushes;
mod http;
mod lifecycle;
mod listeners;
mod logins;
mod members;
mod operations;
mod outages;
mod plain_mode;
mod push_request;
mod qr_codes;
mod repeated_pushes;
mod safe_mode;
mod settings;
mod settings_file;
mod token_refresh;
mod user_info;
mod verification;
mod web_authorizations;
