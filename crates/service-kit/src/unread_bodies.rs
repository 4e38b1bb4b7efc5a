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
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    web::Bytes,
};
use futures_util::Stream;

/// A request's body, which its handler may drop without its being gone.
#[derive(Clone)]
pub(crate) struct Unread(Rc<RefCell<Payload>>);

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// Keeps a request's body if it comes in chunks.
pub(crate) fn keep(request: &mut ServiceRequest) -> Result<Option<Unread>, Error> {
    let unread = request.chunked()?.then(|| {
        let unread = Unread(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream {
            payload: Box::pin(unread.clone()),
        });
        unread
    });
    Ok(unread)
}

/// The answer, whose connection ends with it if the request's chunks weren't read to their end.
pub(crate) fn answer(
    response: ServiceResponse<impl MessageBody + 'static>,
    unread: Option<Unread>,
) -> ServiceResponse<BoxBody> {
    let response = response.map_into_boxed_body();
    match unread {
        None => response,
        Some(unread) => response.map_body(|_, body| {
            BoxBody::new(Answer {
                body,
                _unread: unread,
            })
        }),
    }
}

/// An answer's body, and with it the request's.
struct Answer {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
