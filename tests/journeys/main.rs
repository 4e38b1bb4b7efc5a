//! Whole journeys in a real browser: the real binaries, a real Redis, the simulator, Chromium.

mod accessibility;
mod accounts;
mod closing;
mod code_life;
mod console;
mod console_axe;
mod forward_auth;
mod hosted_page;
mod login;
mod lossy_proxy;
mod methods;
mod network;
mod openid_connect;
mod other_origin;
mod phone_page;
mod profile;
mod refusals;
mod several_people;
mod tap;
mod web_authorization;
