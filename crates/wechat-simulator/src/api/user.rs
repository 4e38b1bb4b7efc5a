//! `GET /cgi-bin/user/info` and `POST /cgi-bin/user/info/batchget`.
//!
//! Until 2021-12-27 the answer told nickname and avatar; since then the keys are still there and
//! their values are empty. The simulator gives either shape.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use wechat_wire::api::UserInfo;

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

fn described(world: &World, openid: &str) -> Result<UserInfo, Refusal> {
    let person = world
        .people
        .find_by_openid(openid)
        .ok_or_else(|| refusal(40003))?;
    Ok(match &person.follow {
        Some(follow) => follower(world, &person, follow),
        // Somebody else is a success with little in it.
        None => UserInfo {
            subscribe: Some(0),
            openid: person.openid,
            unionid: person.unionid,
            tagid_list: Some(Vec::new()),
            ..UserInfo::default()
        },
    })
}

fn follower(world: &World, person: &Person, follow: &Follow) -> UserInfo {
    let told = world.account.setup().profile_in_user_info;
    let profile = |value: &str| {
        Some(if told {
            value.to_owned()
        } else {
            String::new()
        })
    };
    let scene = follow.scene.clone();
    let number = scene.as_ref().and_then(|scene| scene.parse().ok());
    let by_code = scene.is_some();
    UserInfo {
        subscribe: Some(1),
        openid: person.openid.clone(),
        nickname: profile(&person.nickname),
        sex: Some(0),
        language: Some("zh_CN".to_owned()),
        city: profile(&person.city),
        province: profile(&person.province),
        country: profile(&person.country),
        headimgurl: profile(&person.avatar_address(&world.public_url)),
        subscribe_time: Some(follow.since.as_second()),
        unionid: person.unionid.clone(),
        remark: Some(String::new()),
        groupid: Some(0),
        tagid_list: Some(Vec::new()),
        subscribe_scene: Some(
            if by_code {
                "ADD_SCENE_QR_CODE"
            } else {
                "ADD_SCENE_SEARCH"
            }
            .to_owned(),
        ),
        qr_scene: Some(number.unwrap_or(0)),
        qr_scene_str: Some(scene.filter(|_| number.is_none()).unwrap_or_default()),
    }
}
