//! What a phone opens: pages from the account's reply, and the site inside WeChat.

pub mod browser;
pub mod confirmation;
pub mod links;
pub mod page_authorization;
pub mod page_login;
pub mod pages;
pub mod profile;
pub mod web_authorization_login;
