//! `POST /cgi-bin/qrcode/create` and `GET /cgi-bin/showqrcode`.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use wechat_wire::api::QrCodeCreated;

use super::answer::{Refusal, refusal, success};
use super::gate::{authorize, parameters};
use crate::changes::Change;
use crate::picture;
use crate::world::World;

/// The longest life of a temporary code, in seconds. What WeChat does with a longer one is not
/// documented; here it is cut.
const LONGEST: u64 = 2_592_000;

/// The life of a temporary code for which none was asked, in seconds.
const DEFAULT: u64 = 60;

/// How many permanent codes an account may have.
const PERMANENT_CODES: usize = 100_000;

/// The highest number of a permanent code.
const PERMANENT_SCENE_IDS: u64 = 100_000;

/// `scene_id` is read loosely: WeChat takes any JSON there and reports what it made of it.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    expire_seconds: Option<u64>,
    #[serde(default)]
    action_name: String,
    #[serde(default)]
    action_info: Value,
}

/// Creates a code.
pub(super) async fn create(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    authorize(&world, &request)?;
    if body.is_empty() {
        return Err(refusal(44002));
    }
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| refusal(40052))?;
    let permanent = wanted.action_name.starts_with("QR_LIMIT_");
    let scene = scene(&wanted)?;
    if permanent && world.codes.permanent() >= PERMANENT_CODES {
        return Err(refusal(45029));
    }
    let seconds = wanted
        .expire_seconds
        .filter(|seconds| *seconds > 0)
        .unwrap_or(DEFAULT);
    let lifetime = (!permanent).then_some(seconds.min(LONGEST));
    let lifetime_seconds = lifetime.and_then(|seconds| u32::try_from(seconds).ok());
    let code = world
        .codes
        .create(scene, lifetime_seconds, Timestamp::now());
    world.changes.tell(Change::Codes);
    Ok(success(&QrCodeCreated {
        ticket: code.ticket,
        expire_seconds: lifetime,
        url: code.content,
    }))
}

/// Shows a code's picture. The ticket is decoded once, so a doubly encoded one is unknown.
pub(super) async fn show(world: Data<World>, request: HttpRequest) -> HttpResponse {
    #[derive(Deserialize)]
    struct Parameters {
        ticket: String,
    }
    let code = parameters::<Parameters>(&request)
        .and_then(|parameters| world.codes.find(&parameters.ticket))
        .filter(|code| !code.expired(Timestamp::now()));
    match code.and_then(|code| picture::qr_code::jpeg(&code.content)) {
        Some(picture) => HttpResponse::Ok().content_type("image/jpg").body(picture),
        None => HttpResponse::NotFound().finish(),
    }
}

/// The scene as the pushes will report it.
fn scene(wanted: &Wanted) -> Result<String, Refusal> {
    let scene = &wanted.action_info["scene"];
    match wanted.action_name.as_str() {
        "QR_STR_SCENE" | "QR_LIMIT_STR_SCENE" => {
            let text = scene["scene_str"].as_str().unwrap_or_default();
            let fits = (1..=64).contains(&text.chars().count());
            fits.then(|| text.to_owned()).ok_or_else(|| refusal(40053))
        }
        "QR_SCENE" => number(scene),
        "QR_LIMIT_SCENE" => match scene["scene_id"].as_u64() {
            Some(id @ 1..=PERMANENT_SCENE_IDS) => Ok(id.to_string()),
            _ => Err(refusal(40053)),
        },
        _ => Err(refusal(40052)),
    }
}

/// A string in place of a number is reported as 0 (GitHub thread offu/WeRoBot#93), a number over 32
/// bits as the highest one.
fn number(scene: &Value) -> Result<String, Refusal> {
    if scene["scene_id"].is_string() || scene["scene_str"].is_string() {
        return Ok("0".to_owned());
    }
    match scene["scene_id"].as_u64() {
        None | Some(0) => Err(refusal(40053)),
        Some(id) => Ok(id.min(u64::from(u32::MAX)).to_string()),
    }
}
