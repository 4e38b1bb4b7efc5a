//! The record of pushes, and pushing one of them again.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use serde::Deserialize;
use serde_json::json;

use super::problem::Problem;
use crate::push::courier;
use crate::push::deliveries::Delivery;
use crate::push::held::ReleaseOrder;
use crate::world::World;

/// How often one call may repeat a push.
const REPEATS: usize = 500;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/deliveries", web::get().to(list))
        .route("/deliveries/release", web::post().to(release))
        .route("/deliveries/{id}", web::get().to(find))
        .route("/deliveries/{id}/repeat", web::post().to(repeat));
}

#[derive(Deserialize)]
struct Repeat {
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    order: ReleaseOrder,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<usize>,
}

/// The newest deliveries first; all of them without a limit.
async fn list(world: Data<World>, page: Query<Page>) -> Json<Vec<Delivery>> {
    Json(world.deliveries.newest(page.limit.unwrap_or(usize::MAX)))
}

async fn find(world: Data<World>, id: Path<String>) -> Result<Json<Delivery>, Problem> {
    world
        .deliveries
        .find(&id)
        .map(Json)
        .ok_or_else(no_such_delivery)
}

async fn release(world: Data<World>, release: Query<Release>) -> HttpResponse {
    let released = world.held_pushes.release(release.order).await;
    HttpResponse::Ok().json(json!({ "released": released }))
}

async fn repeat(
    world: Data<World>,
    id: Path<String>,
    repeat: Query<Repeat>,
) -> Result<HttpResponse, Problem> {
    if !(1..=REPEATS).contains(&repeat.times) {
        return Err(Problem::invalid("times must be from 1 to 500"));
    }
    let attempts = courier::repeat(&world, &id, repeat.times).await;
    Ok(HttpResponse::Ok().json(attempts.ok_or_else(no_such_delivery)?))
}

fn no_such_delivery() -> Problem {
    Problem::unknown("unknown_delivery", "there is no such delivery")
}
