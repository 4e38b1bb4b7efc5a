//! The codes on offer, and their pictures.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::problem::Problem;
use crate::codes::Code;
use crate::picture;
use crate::world::World;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/codes", web::get().to(list))
        .route("/codes/{ticket}.svg", web::get().to(picture));
}

#[derive(Serialize)]
struct CodeView {
    ticket: String,
    content: String,
    scene: String,
    expires_at: Option<Timestamp>,
    image_url: String,
}

async fn list(world: Data<World>) -> Json<Vec<CodeView>> {
    let view = |code: Code| CodeView {
        image_url: format!(
            "{}/cgi-bin/showqrcode?ticket={}",
            world.public_url,
            utf8_percent_encode(&code.ticket, NON_ALPHANUMERIC)
        ),
        ticket: code.ticket,
        content: code.content,
        scene: code.scene,
        expires_at: code.expires_at,
    };
    Json(
        world
            .codes
            .on_offer(Timestamp::now())
            .into_iter()
            .map(view)
            .collect(),
    )
}

/// A picture of its own, so that looking at the page is not counted as an API call.
async fn picture(world: Data<World>, ticket: Path<String>) -> Result<HttpResponse, Problem> {
    let code = world.codes.find(&ticket);
    let svg = code.and_then(|code| picture::qr_code::svg(&code.content));
    let svg =
        svg.ok_or_else(|| Problem::unknown("unknown_code", "this WeChat made no such code"))?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "max-age=3600"))
        .body(svg))
}
