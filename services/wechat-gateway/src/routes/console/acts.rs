//! `/console/activity`: what the owner did.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use login_protocol::event::Position;
use serde::Deserialize;

use super::page::{Visit, not_found, store_failed};
use crate::console::{
    Console,
    pages::{ActsPage, Place},
};

#[derive(Deserialize)]
pub(super) struct Asked {
    /// The identifier of the last event that was looked at.
    before: Option<String>,
}

/// `GET /console/activity`.
pub(super) async fn list(
    visit: Visit,
    asked: Query<Asked>,
    console: Data<Console>,
) -> HttpResponse {
    let say = visit.say;
    let before = asked.before.as_deref().map(Position::of_event_id);
    let Ok(before) = before.transpose() else {
        return not_found(say);
    };
    match console.acts(before).await {
        Ok(acts) => {
            let page = ActsPage {
                say,
                acts: acts.as_ref(),
            };
            visit.page(Place::Acts, say.say("操作记录", "Activity"), &page)
        }
        Err(error) => store_failed(say, &error),
    }
}
