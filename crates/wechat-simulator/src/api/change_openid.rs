//! `POST /cgi-bin/changeopenid`: the openids of people whose account moved to this one.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, refusal, success};
use super::gate::authorize;
use crate::people::Former;
use crate::world::World;

/// How many may be asked for at once.
const MOST: usize = 100;

#[derive(Deserialize)]
struct Wanted {
    from_appid: String,
    openid_list: Vec<String>,
}

/// Tells the new openid of each who has one.
pub(super) async fn change(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    authorize(&world, &request)?;
    let Wanted {
        from_appid,
        openid_list,
    } = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    if openid_list.is_empty() || openid_list.len() > MOST {
        return Err(refusal(40032));
    }
    if !world.people.has_moved(&from_appid) {
        return Err(refusal(40013));
    }
    let told: Vec<Value> = openid_list
        .into_iter()
        .map(|openid| {
            let former = Former {
                app_id: from_appid.clone(),
                openid,
            };
            match world.people.moved(&former) {
                Some(new) => json!({
                    "ori_openid": former.openid, "new_openid": new, "err_msg": "ok"
                }),
                None => json!({
                    "ori_openid": former.openid, "err_msg": "ori_openid error"
                }),
            }
        })
        .collect();
    Ok(success(&json!({ "result_list": told })))
}
