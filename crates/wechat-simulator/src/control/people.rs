//! People and what they do: create, scan, follow, unfollow, write, read.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::problem::Problem;
use crate::changes::Change;
use crate::chats::Line;
use crate::journeys::{self, JourneyError, ScanOutcome};
use crate::people::{NewPerson, PersonView};
use crate::push::courier::Dispatch;
use crate::random;
use crate::world::World;

/// The longest name, place or address that a new person may have, in characters.
const LONGEST: usize = 500;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/people", web::get().to(list))
        .route("/people", web::post().to(create))
        .route("/people/{id}/scan", web::post().to(scan))
        .route("/people/{id}/dismiss", web::post().to(dismiss))
        .route("/people/{id}/follow", web::post().to(follow))
        .route("/people/{id}/unfollow", web::post().to(unfollow))
        .route("/people/{id}/message", web::post().to(message))
        .route("/people/{id}/chat", web::get().to(chat));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// That of somebody whom the services know from an earlier simulator.
    openid: Option<String>,
    nickname: Option<String>,
    avatar_url: Option<String>,
    avatar_seed: Option<u64>,
    unionid: Option<String>,
    #[serde(default)]
    follows: bool,
    country: Option<String>,
    province: Option<String>,
    city: Option<String>,
}

/// Whether the caller wants to hear how the push ended.
#[derive(Deserialize)]
struct Waiting {
    wait: Option<WaitFor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WaitFor {
    Answered,
}

#[derive(Deserialize)]
struct Scanned {
    code: String,
}

#[derive(Deserialize)]
struct Written {
    text: String,
}

async fn list(world: Data<World>) -> Json<Vec<PersonView>> {
    let people = world.people.list();
    Json(
        people
            .iter()
            .map(|person| person.view(&world.public_url))
            .collect(),
    )
}

async fn create(world: Data<World>, wanted: Json<Wanted>) -> Result<HttpResponse, Problem> {
    let wanted = wanted.into_inner();
    let texts = [
        &wanted.nickname,
        &wanted.avatar_url,
        &wanted.unionid,
        &wanted.country,
        &wanted.province,
        &wanted.city,
    ];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.chars().count() > LONGEST)
    {
        return Err(Problem::invalid("a text has more than 500 characters"));
    }
    if let Some(openid) = &wanted.openid {
        if !random::is_openid(openid) {
            return Err(Problem::invalid("openid is none that a simulator gives"));
        }
        if world.people.find_by_openid(openid).is_some() {
            return Err(Problem::invalid("somebody has this openid"));
        }
    }
    let avatar_url = wanted.avatar_url.filter(|address| !address.is_empty());
    if avatar_url
        .as_deref()
        .is_some_and(|address| url::Url::parse(address).is_err())
    {
        return Err(Problem::invalid("avatar_url is not an address"));
    }
    let new = NewPerson {
        openid: wanted.openid,
        nickname: wanted.nickname.unwrap_or_else(|| "微信用户".to_owned()),
        avatar_url,
        avatar_seed: wanted.avatar_seed,
        unionid: wanted.unionid,
        follows: wanted.follows,
        country: wanted.country.unwrap_or_else(|| "中国".to_owned()),
        province: wanted.province.unwrap_or_default(),
        city: wanted.city.unwrap_or_default(),
    };
    let person = world.people.add(new, Timestamp::now());
    world.changes.tell(Change::People);
    Ok(HttpResponse::Created().json(person.view(&world.public_url)))
}

async fn scan(
    world: Data<World>,
    id: Path<String>,
    scanned: Json<Scanned>,
    waiting: Query<Waiting>,
) -> Result<HttpResponse, Problem> {
    match journeys::scan(&world, &id, &scanned.code)? {
        ScanOutcome::ChatOpened(dispatch) => {
            answer(&world, Some("chat_opened"), dispatch, &waiting).await
        }
        ScanOutcome::FollowPage | ScanOutcome::OwnCode { follows: false } => {
            Ok(HttpResponse::Ok().json(json!({ "outcome": "follow_page" })))
        }
        ScanOutcome::OwnCode { follows: true } => {
            Ok(HttpResponse::Ok().json(json!({ "outcome": "chat_opened" })))
        }
        ScanOutcome::Page(url) => {
            Ok(HttpResponse::Ok().json(json!({ "outcome": "page", "url": url.as_str() })))
        }
    }
}

async fn dismiss(world: Data<World>, id: Path<String>) -> Result<HttpResponse, Problem> {
    journeys::dismiss(&world, &id)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn follow(
    world: Data<World>,
    id: Path<String>,
    waiting: Query<Waiting>,
) -> Result<HttpResponse, Problem> {
    answer(&world, None, journeys::follow(&world, &id)?, &waiting).await
}

async fn unfollow(
    world: Data<World>,
    id: Path<String>,
    waiting: Query<Waiting>,
) -> Result<HttpResponse, Problem> {
    answer(&world, None, journeys::unfollow(&world, &id)?, &waiting).await
}

async fn message(
    world: Data<World>,
    id: Path<String>,
    written: Json<Written>,
    waiting: Query<Waiting>,
) -> Result<HttpResponse, Problem> {
    let dispatch = journeys::message(&world, &id, &written.text)?;
    answer(&world, None, dispatch, &waiting).await
}

async fn chat(world: Data<World>, id: Path<String>) -> Result<Json<Vec<Line>>, Problem> {
    world.people.find(&id).ok_or(JourneyError::UnknownPerson)?;
    Ok(Json(world.chats.lines(&id)))
}

/// Says what was sent off, and with `wait=answered` how it ended.
async fn answer(
    world: &World,
    outcome: Option<&str>,
    dispatch: Dispatch,
    waiting: &Waiting,
) -> Result<HttpResponse, Problem> {
    let mut body = json!({ "delivery_id": dispatch.delivery_id });
    if let Some(outcome) = outcome {
        body["outcome"] = outcome.into();
    }
    if let Some(WaitFor::Answered) = waiting.wait {
        let ended = dispatch.done.await;
        let delivery = ended
            .ok()
            .and_then(|()| world.deliveries.find(&dispatch.delivery_id));
        body["delivery"] = json!(delivery);
    }
    Ok(HttpResponse::Ok().json(body))
}
