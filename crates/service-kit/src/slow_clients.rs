//! Closes connections whose client starts something and doesn't continue.
//!
//! actix-http limits the time of a connection's first request head, and how long a connection may
//! be idle. It waits forever for the rest of any later head, and for a client that doesn't read its
//! responses.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_http::error::DispatchError;
use tokio::time::{Sleep, sleep};

use crate::{connection_pace::Awaited, held_connection::Handover};

/// How long a client may take for a request's head.
pub(crate) const HEAD: Duration = Duration::from_secs(5);

/// How long a client may read nothing while there is something to read for it that has no room on
/// the way.
pub(crate) const READING: Duration = Duration::from_secs(15);

/// A connection's HTTP, which ends when its client has kept it waiting for too long.
pub(crate) struct Paced<F> {
    http: Pin<Box<F>>,
    connection: Rc<Handover>,
    /// Only while something is awaited, so that a connection that does well costs no timer.
    timer: Option<(Awaited, Pin<Box<Sleep>>)>,
}

impl<F> Paced<F> {
    /// Bounds this one's.
    pub(crate) fn new(http: F, connection: Rc<Handover>) -> Self {
        Self {
            // In a box of its own, which is gone when the connection is held.
            http: Box::pin(http),
            connection,
            timer: None,
        }
    }
}

impl<F: Future<Output = Result<(), DispatchError>>> Future for Paced<F> {
    type Output = Result<(), DispatchError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(ended) = self.http.as_mut().poll(context) {
            return Poll::Ready(ended);
        }
        let Some(awaited) = self.connection.pace.awaited() else {
            self.timer = None;
            return Poll::Pending;
        };
        let progress = awaited == Awaited::Room && self.connection.pace.made_room();
        let timer = self.timer.take();
        let timer = timer.filter(|(since, _)| *since == awaited && !progress);
        let (_, timer) = self.timer.insert(timer.unwrap_or_else(|| {
            let patience = match awaited {
                Awaited::Head => HEAD,
                Awaited::Room => READING,
            };
            (awaited, Box::pin(sleep(patience)))
        }));
        // A client that doesn't read gets no error response either, and half a head has no
        // response.
        timer.as_mut().poll(context).map(|()| Ok(()))
    }
}
