//! The end of connections whose request bodies nobody wants.
//!
//! When a handler drops a body that comes in chunks, the server would read and throw away what follows
//! for as long as the client sends, or says nothing: it sees no end that it could wait for. So the body
//! is kept until the answer is out; then the server finds it unread, says `Connection: close`, and
//! ends the connection as it does after a body of announced length.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;

/// A request's body, which its handler may drop without its being gone.
#[derive(Clone)]
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// An answer's body, and with it the request's.
pub struct Answer<Body> {
    body: Pin<Box<Body>>,
    _unread: Option<Shared>,
}

impl<Body: MessageBody> MessageBody for Answer<Body> {
    type Error = Body::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_mut().poll_next(context)
    }
}

/// Middleware: ends the connection with the answer if the request's chunks weren't read to their end.
pub async fn end<Body: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<Body>,
) -> Result<ServiceResponse<Answer<Body>>, Error> {
    let unread = request.chunked()?.then(|| {
        let shared = Shared(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream {
            payload: Box::pin(shared.clone()),
        });
        shared
    });
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| Answer {
        body: Box::pin(body),
        _unread: unread,
    }))
}
