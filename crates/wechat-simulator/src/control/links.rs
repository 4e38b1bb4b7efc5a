//! Opening a link on somebody's phone.

use std::collections::HashMap;

use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;

use super::problem::Problem;
use crate::journeys::JourneyError;
use crate::phone_browser::{self, Behaviour, Opened};
use crate::world::World;

pub(super) fn configure(config: &mut ServiceConfig) {
    config.route("/people/{id}/open", web::post().to(open));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    url: String,
    #[serde(default = "yes")]
    consent: bool,
    #[serde(default = "yes")]
    from_chat: bool,
    #[serde(default = "yes")]
    load_return: bool,
    form: Option<HashMap<String, String>>,
}

fn yes() -> bool {
    true
}

async fn open(
    world: Data<World>,
    id: Path<String>,
    link: Json<Link>,
) -> Result<Json<Opened>, Problem> {
    let person = world.people.find(&id).ok_or(JourneyError::UnknownPerson)?;
    let link = link.into_inner();
    let behaviour = Behaviour {
        consent: link.consent,
        from_chat: link.from_chat,
        load_return: link.load_return,
        form: link.form,
    };
    let opened = phone_browser::open(&world, &person, &link.url, &behaviour).await?;
    Ok(Json(opened))
}
