//! `GET /simulator/events`: server-sent events that say what changed.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::changes::Change;
use crate::world::World;

/// How often an idle stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Cancelled when the process stops, so that open streams end by themselves.
#[derive(Clone, Debug)]
pub(crate) struct Closing(pub(crate) CancellationToken);

/// Streams changes until the page goes or the process stops.
pub(super) async fn stream(world: Data<World>, closing: Data<Closing>) -> HttpResponse {
    let listener = (world.changes.listen(), closing.0.clone());
    let events = stream::unfold(listener, |(mut receiver, closing)| async {
        let event = tokio::select! {
            () = closing.cancelled() => return None,
            event = next(&mut receiver) => event?,
        };
        Some((Ok::<_, Infallible>(event), (receiver, closing)))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(events))
}

async fn next(receiver: &mut Receiver<Change>) -> Option<Bytes> {
    let text = match tokio::time::timeout(ALIVE, receiver.recv()).await {
        Ok(Ok(change)) => format!("data: {}\n\n", serde_json::to_string(&change).ok()?),
        // The page was too slow: it reads everything anew.
        Ok(Err(RecvError::Lagged(_))) => "data: {\"changed\":\"everything\"}\n\n".to_owned(),
        Ok(Err(RecvError::Closed)) => return None,
        Err(_) => ": alive\n\n".to_owned(),
    };
    Some(Bytes::from(text))
}
