//! The site over HTTP: the contract's rows for browsers and operators, and every refusal in them.

mod answers;
mod assets;
mod attempt_record;
mod cancel;
mod complete;
mod configuration;
mod cookies;
mod cors;
mod events;
mod headers;
mod hostile_clients;
mod in_wechat;
mod lifecycle;
mod limits;
mod operations;
mod origin;
mod outages;
mod proxies;
mod qr_reading;
mod readiness;
mod round_trips;
mod secrecy;
mod session;
mod settings;
mod start;
mod status;
