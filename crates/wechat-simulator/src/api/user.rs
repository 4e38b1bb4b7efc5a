//! `GET /cgi-bin/user/info` and `POST /cgi-bin/user/info/batchget`.
//!
//! Until 2021-12-27 the answer told nickname and avatar; since then the keys are still there and
//! their values are empty. The simulator gives either shape.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Refusal, refusal, success};
use super::gate::{authorize, parameters};
use crate::people::{Follow, Person};
use crate::world::World;

/// One person.
pub(super) async fn info(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Deserialize)]
    struct Parameters {
        openid: String,
    }
    authorize(&world, &request)?;
    let parameters = parameters::<Parameters>(&request).ok_or_else(|| refusal(41009))?;
    described(&world, &parameters.openid).map(|info| success(&info))
}

/// Up to a hundred people.
pub(super) async fn batch(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Deserialize)]
    struct Wanted {
        user_list: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        openid: String,
    }
    authorize(&world, &request)?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    if wanted.user_list.len() > 100 {
        return Err(refusal(40032));
    }
    let infos = wanted
        .user_list
        .iter()
        .map(|one| described(&world, &one.openid));
    let infos = infos.collect::<Result<Vec<_>, _>>()?;
    Ok(success(&json!({ "user_info_list": infos })))
}

/// The answer with the members that it had in March 2022.
#[derive(Serialize)]
struct UserInfo {
    subscribe: u8,
    openid: String,
    #[serde(flatten)]
    of_a_follower: Option<FollowerInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
    tagid_list: [u32; 0],
}

/// What it holds of somebody who follows the account.
#[derive(Serialize)]
struct FollowerInfo {
    nickname: String,
    sex: u8,
    language: &'static str,
    city: String,
    province: String,
    country: String,
    headimgurl: String,
    subscribe_time: i64,
    remark: &'static str,
    groupid: u32,
    subscribe_scene: &'static str,
    qr_scene: u32,
    qr_scene_str: String,
}

fn described(world: &World, openid: &str) -> Result<UserInfo, Refusal> {
    let person = world
        .people
        .find_by_openid(openid)
        .ok_or_else(|| refusal(40003))?;
    Ok(UserInfo {
        subscribe: person.follow.is_some().into(),
        of_a_follower: person
            .follow
            .as_ref()
            .map(|follow| follower(world, &person, follow)),
        openid: person.openid,
        unionid: person.unionid,
        tagid_list: [],
    })
}

fn follower(world: &World, person: &Person, follow: &Follow) -> FollowerInfo {
    let told = world.account.setup().profile_in_user_info;
    let profile = |value: &str| {
        if told {
            value.to_owned()
        } else {
            String::new()
        }
    };
    let scene = follow.scene.clone();
    let number = scene.as_ref().and_then(|scene| scene.parse().ok());
    let by_code = scene.is_some();
    FollowerInfo {
        nickname: profile(&person.nickname),
        sex: 0,
        language: "zh_CN",
        city: profile(&person.city),
        province: profile(&person.province),
        country: profile(&person.country),
        headimgurl: profile(&person.avatar_address(&world.public_url)),
        subscribe_time: follow.since.as_second(),
        remark: "",
        groupid: 0,
        subscribe_scene: if by_code {
            "ADD_SCENE_QR_CODE"
        } else {
            "ADD_SCENE_SEARCH"
        },
        qr_scene: number.unwrap_or(0),
        qr_scene_str: scene.filter(|_| number.is_none()).unwrap_or_default(),
    }
}
