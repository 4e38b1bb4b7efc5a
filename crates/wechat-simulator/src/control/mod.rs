//! The control API below `/simulator`: for tests, and for the phone page, which is built on it.
//!
//! | call | what it does |
//! |---|---|
//! | `GET /people`, `POST /people` | everyone; a new person |
//! | `POST /people/{id}/scan` `{"code"}` | scans a code's content, ticket or picture address |
//! | `POST /people/{id}/follow`, `/unfollow`, `/dismiss` | follows, unfollows, leaves the follow page |
//! | `POST /people/{id}/message` `{"text"}` | writes to the account |
//! | `GET /people/{id}/chat` | what the person reads |
//! | `POST /people/{id}/open` `{"url","consent"?,"from_chat"?,"load_return"?,"form"?}` | opens a link on the phone: the last page; `load_return` false: the address that a code came to, not loaded |
//! | `GET /codes`, `GET /codes/{ticket}.svg` | the codes that work now; a picture |
//! | `GET /deliveries?limit`, `GET /deliveries/{id}` | the pushes and their answers |
//! | `POST /deliveries/{id}/repeat?times` | pushes the same event again, as often, all at once |
//! | `POST /deliveries/release?order` | sends what `hold_pushes` kept back, `oldest_first` or `newest_first` |
//! | `GET /calls` | how often each API path was called |
//! | `GET /faults`, `PUT /faults` | what goes wrong with the API |
//! | `GET /settings`, `PUT /settings` | the account's setup |
//! | `POST /tokens/invalidate` | makes every access token invalid |
//! | `GET /secrets` | what must appear in no log |
//! | `POST /verify` | the console's verification of the callback address |
//! | `GET /events` | server-sent events: what changed |
//!
//! With `?wait=answered`, whatever pushes answers when the last delivery is over, and tells of it.

mod codes;
mod deliveries;
mod events;
mod links;
mod people;
mod problem;
mod switches;

use actix_web::web::{self, ServiceConfig};

pub(crate) use events::Closing;

/// Adds the control API's addresses.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let control = web::scope("/simulator")
        .configure(|scope| service_kit::problem::configure(scope, 64 * 1024))
        .configure(people::configure)
        .configure(links::configure)
        .configure(codes::configure)
        .configure(deliveries::configure)
        .configure(switches::configure)
        .route("/events", web::get().to(events::stream))
        .default_service(web::to(service_kit::problem::not_found));
    config.service(control);
}
