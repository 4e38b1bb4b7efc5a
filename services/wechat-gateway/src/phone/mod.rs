//! What a phone opens: pages from the account's reply, and the site inside WeChat.

pub mod browser;
pub mod links;
pub mod pages;
pub mod web_authorization;
pub mod web_authorization_login;
