//! Limits of request bodies: size, time to arrive, and closing connections whose body nobody reads.
//! They apply on every listener, for every method and route, whoever reads the body.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::{
    HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::StatusCode,
    web::{self, Bytes},
};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

/// The largest body that is read, in bytes. A route may set a lower limit.
pub const LARGEST: usize = 64 * 1024;

/// How long a body may take to arrive, from its request's head on. WeChat sends it with the head,
/// and so does the site; who doesn't is made to let go of the connection.
pub const TIME: Duration = Duration::from_secs(3);

/// A whole body.
///
/// # Errors
///
/// The status that answers a body which can't be read.
pub async fn read(body: web::Payload) -> Result<Bytes, StatusCode> {
    match body.to_bytes_limited(LARGEST).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(error
            .as_error::<PayloadError>()
            .map_or(StatusCode::BAD_REQUEST, refusal)),
        Err(_) => Err(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

/// The status that answers a body which can't be read.
pub fn refusal(error: &PayloadError) -> StatusCode {
    match error {
        PayloadError::Overflow => StatusCode::PAYLOAD_TOO_LARGE,
        PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            StatusCode::REQUEST_TIMEOUT
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A request's body within its bounds. Beyond them reading it fails.
struct Bounded {
    payload: Payload,
    left: usize,
    deadline: Instant,
    /// Made when there is something to wait for: most bodies come with their head.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Stream for Bounded {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready(piece) = Pin::new(&mut self.payload).poll_next(context) else {
            let deadline = self.deadline;
            let patience = &mut self.patience;
            let patience = patience.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            ready!(patience.as_mut().poll(context));
            return Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into()))));
        };
        Poll::Ready(match piece {
            Some(Ok(bytes)) => match self.left.checked_sub(bytes.len()) {
                Some(left) => {
                    self.left = left;
                    Some(Ok(bytes))
                }
                None => Some(Err(PayloadError::Overflow)),
            },
            other => other,
        })
    }
}

/// A request's body, which its handler may drop without its being gone.
#[derive(Clone)]
pub(crate) struct Unread(Rc<RefCell<Bounded>>);

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// Sets the bounds of a request's body, which began now. Keeps the body if it comes in chunks.
///
/// When a handler drops a body that comes in chunks, the server would read and throw away what
/// follows for as long as the client sends, or says nothing: it sees no end that it could wait for.
/// So the body is kept until the answer is out; then the server finds it unread, says `Connection:
/// close`, and ends the connection as it does after a body of announced length.
pub(crate) fn bound(request: &mut ServiceRequest, now: std::time::Instant) -> Option<Unread> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return None;
    }
    let body = Bounded {
        payload,
        left: LARGEST,
        deadline: Instant::from_std(now) + TIME,
        patience: None,
    };
    // The server has refused an encoding that it can't read.
    if request.chunked().unwrap_or(true) {
        let unread = Unread(Rc::new(RefCell::new(body)));
        request.set_payload(Payload::Stream {
            payload: Box::pin(unread.clone()),
        });
        Some(unread)
    } else {
        request.set_payload(Payload::Stream {
            payload: Box::pin(body),
        });
        None
    }
}

/// The response; its connection is closed if the request's chunks weren't read completely.
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use actix_web::test::TestRequest;
    use futures_util::StreamExt as _;

    use super::*;

    /// How much of a body can be read, and what then ends it.
    async fn read_all(
        length: usize,
        headers: (&'static str, String),
    ) -> (usize, Option<StatusCode>) {
        let request = TestRequest::post().set_payload(vec![b'a'; length]);
        let mut request = request.insert_header(headers).to_srv_request();
        let unread = bound(&mut request, Instant::now());
        let chunked = request.headers().contains_key("transfer-encoding");
        assert_eq!(unread.is_some(), chunked);
        let mut body = request.take_payload();
        let mut read = 0;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(bytes) => read += bytes.len(),
                Err(error) => return (read, Some(refusal(&error))),
            }
        }
        (read, None)
    }

    #[actix_web::test]
    async fn a_body_ends_at_the_bound_whoever_reads_it() {
        for length in [1, LARGEST] {
            let announced = ("content-length", length.to_string());
            assert_eq!(read_all(length, announced).await, (length, None));
            let chunked = ("transfer-encoding", "chunked".to_owned());
            assert_eq!(read_all(length, chunked).await, (length, None));
        }
        let too_large = (0, Some(StatusCode::PAYLOAD_TOO_LARGE));
        let announced = ("content-length", (LARGEST + 1).to_string());
        assert_eq!(read_all(LARGEST + 1, announced).await, too_large);
        let chunked = ("transfer-encoding", "chunked".to_owned());
        assert_eq!(read_all(LARGEST + 1, chunked).await, too_large);
    }
}
