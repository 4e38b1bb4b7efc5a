//! WeChat in full: the owner's other backend, nicknames by web authorisation, confirming on the phone.

mod backend;
mod profile;
mod relay;
mod relay_outages;
mod relay_reach;
mod relay_unreadable;
mod tap;
