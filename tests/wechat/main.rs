//! WeChat in full: the owner's other backend, nicknames by web authorisation, confirming on the phone.

mod backend;
mod profile;
mod proxies;
mod relay;
mod relay_outages;
mod tap;
