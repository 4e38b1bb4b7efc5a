//! `wechat-gateway doctor` against each misconfiguration.

mod account;
mod accounts;
mod addresses;
mod examination;
mod modes;
mod process;
