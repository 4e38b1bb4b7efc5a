//! WeChat in full: the owner's other backend, nicknames by web authorisation, confirming on the
//! phone.

mod automatic;
mod backend;
mod bans;
mod codes;
mod compat;
mod guessing;
mod made_up_codes;
mod page_login;
mod phone_browser;
mod profile;
mod proxies;
mod relay;
mod relay_outages;
mod relay_reach;
mod relay_unreadable;
mod sites;
mod tap;
mod tickets;
