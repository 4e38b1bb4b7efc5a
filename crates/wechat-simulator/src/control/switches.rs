//! What tests turn: faults, the account's setup, tokens; and what they look at.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, ServiceConfig};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::account::{NAME, ORIGINAL_ID};
use crate::changes::Change;
use crate::faults::{FaultRule, RULES};
use crate::push::client::VerificationOutcome;
use crate::setup::Setup;
use crate::world::World;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/calls", web::get().to(calls))
        .route("/faults", web::get().to(faults))
        .route("/faults", web::put().to(replace_faults))
        .route("/settings", web::get().to(settings))
        .route("/settings", web::put().to(change_settings))
        .route("/tokens/invalidate", web::post().to(invalidate_tokens))
        .route("/secrets", web::get().to(secrets))
        .route("/verify", web::post().to(verify));
}

#[derive(Serialize)]
struct AccountView {
    app_id: String,
    original_id: &'static str,
    name: &'static str,
    #[serde(flatten)]
    setup: Setup,
}

/// Everything that must not appear in anybody's log.
#[derive(Serialize)]
struct Secrets {
    app_secret: String,
    token: String,
    encoding_aes_key: Option<String>,
    access_tokens: Vec<String>,
    web_codes: Vec<String>,
    web_access_tokens: Vec<String>,
    web_refresh_tokens: Vec<String>,
    openids: Vec<String>,
    scenes: Vec<String>,
    tickets: Vec<String>,
}

async fn calls(world: Data<World>) -> Json<BTreeMap<String, u64>> {
    Json(world.calls.all())
}

async fn faults(world: Data<World>) -> Json<Vec<FaultRule>> {
    Json(world.faults.all())
}

async fn replace_faults(
    world: Data<World>,
    rules: Json<Vec<FaultRule>>,
) -> Result<Json<Vec<FaultRule>>, Problem> {
    let rules = rules.into_inner();
    if rules.len() > RULES {
        return Err(Problem::invalid("there may be at most 100 rules"));
    }
    if let Some(complaint) = rules.iter().find_map(FaultRule::complaint) {
        return Err(Problem::invalid(complaint));
    }
    world.faults.replace(rules);
    Ok(Json(world.faults.all()))
}

async fn settings(world: Data<World>) -> Json<AccountView> {
    Json(view(&world, world.account.setup()))
}

async fn change_settings(
    world: Data<World>,
    members: Json<Map<String, Value>>,
) -> Result<Json<AccountView>, Problem> {
    let setup = world.account.change(members.into_inner())?;
    world.changes.tell(Change::Account);
    Ok(Json(view(&world, setup)))
}

async fn invalidate_tokens(world: Data<World>) -> HttpResponse {
    world.tokens.invalidate_all();
    HttpResponse::NoContent().finish()
}

async fn secrets(world: Data<World>) -> Json<Secrets> {
    let credentials = world.account.credentials();
    let open = |secret: &SecretString| secret.expose_secret().to_owned();
    let (scenes, tickets) = world.codes.scenes_and_tickets();
    let web = world.web_access.secrets();
    let people = world.people.list().into_iter();
    Json(Secrets {
        app_secret: open(&credentials.app_secret),
        token: open(&credentials.token_text),
        encoding_aes_key: credentials.encoding_aes_key.as_ref().map(open),
        access_tokens: world.tokens.all(),
        web_codes: web.codes,
        web_access_tokens: web.access_tokens,
        web_refresh_tokens: web.refresh_tokens,
        openids: people
            .flat_map(|person| [person.openid, person.snapshot_openid])
            .collect(),
        scenes,
        tickets,
    })
}

async fn verify(world: Data<World>) -> Json<VerificationOutcome> {
    Json(world.push_client.verify(&world.account).await)
}

fn view(world: &World, setup: Setup) -> AccountView {
    let app_id = world.account.credentials().app_id.clone();
    AccountView {
        app_id,
        original_id: ORIGINAL_ID,
        name: NAME,
        setup,
    }
}
