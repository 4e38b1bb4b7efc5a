//! A WeChat to develop and test against: its server API, its pushes, and a phone in the browser.
//!
//! It plays `api.weixin.qq.com`, `mp.weixin.qq.com` and the WeChat app for one Official Account.
//! Below `/simulator` a control API says who does what with the phone; the phone page at `/` is
//! built on it. Nothing is kept on disk.

mod account;
mod api;
mod calls;
mod changes;
mod chats;
mod codes;
mod connect;
mod control;
mod faults;
mod journeys;
mod message_window;
mod other_accounts;
mod people;
mod phone;
mod phone_browser;
mod picture;
mod push;
mod quotas;
mod random;
mod settings;
mod setup;
mod ticket;
mod tokens;
mod web_authorization;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;

use actix_web::App;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig, scope};
use service_kit::command_line::{self, Service};
use service_kit::http_server;
use service_kit::lifecycle::{self, ServiceError};
use tokio::task::JoinSet;

use account::Account;
use control::Closing;
use other_accounts::OtherAccounts;
use phone_browser::browsers::PhoneBrowsers;
use push::client::PushClient;
use settings::SimulatorSettings;
use world::World;

static SERVICE: Service = Service {
    name: "wechat-simulator",
    about: "A WeChat to develop and test against: the API, the pushes and a phone",
    prefix: "SIMULATOR",
    health_path: "/healthz",
};

fn main() -> ExitCode {
    command_line::main(&SERVICE, &[], &[], run)
}

async fn run(settings: SimulatorSettings) -> Result<(), ServiceError> {
    let listener = lifecycle::bind(settings.bind, &settings::BIND)?;
    let address = listener.local_addr()?;
    let public_url = settings.public_url(address);
    let world = Data::new(world(settings.account, public_url.clone())?);
    let mut others = BTreeMap::new();
    for (name, account) in settings.others {
        let public_url = format!("{public_url}{}/{name}", other_accounts::BELOW);
        others.insert(name, Data::new(self::world(account, public_url)?));
    }
    let others = Data::new(OtherAccounts::new(others));
    let shutdown = lifecycle::shutdown_on_signal()?;
    let closing = Data::new(Closing(shutdown.clone()));
    let server = http_server::serve(listener, move || {
        let mut app = App::new()
            .app_data(others.clone())
            .app_data(closing.clone());
        for (name, world) in others.iter() {
            let base = format!("{}/{name}", other_accounts::BELOW);
            app = app.service(scope(&base).app_data(world.clone()).configure(configure));
        }
        app.app_data(world.clone())
            .configure(configure)
            .wrap(from_fn(other_accounts::dispatch))
    })?;
    announce(address);
    lifecycle::run_until_stopped(vec![server], JoinSet::new(), shutdown).await
}

fn world(account: Account, public_url: String) -> Result<World, ServiceError> {
    let push_client =
        PushClient::new().map_err(|error| ServiceError::Background(error.to_string()))?;
    let phone_browsers =
        PhoneBrowsers::new().map_err(|error| ServiceError::Background(error.to_string()))?;
    Ok(World::new(account, push_client, phone_browsers, public_url))
}

/// All that there is of one account.
fn configure(config: &mut ServiceConfig) {
    api::configure(config);
    connect::configure(config);
    control::configure(config);
    phone::configure(config);
}

#[expect(
    clippy::print_stdout,
    reason = "the line is for the one who started the simulator"
)]
fn announce(address: std::net::SocketAddr) {
    println!("wechat-simulator ready http://{address}");
}
