//! A TCP connection to a name that may have several addresses.

use std::{io, net::SocketAddr};

use futures_util::future::select_ok;
use tokio::net::{TcpStream, lookup_host};

/// Connects to whichever of the name's addresses accepts first: one that is silent, such as an
/// IPv6 address without a route, doesn't use up the time of the others.
///
/// # Errors
///
/// When the name has no address, or none of them accepts.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    connect_any(lookup_host((host, port)).await?).await
}

async fn connect_any(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let attempts: Vec<_> = addresses
        .map(|address| Box::pin(TcpStream::connect(address)))
        .collect();
    if attempts.is_empty() {
        let none = "the name has no address";
        return Err(io::Error::new(io::ErrorKind::NotFound, none));
    }
    let (stream, _) = select_ok(attempts).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        net::{TcpListener, TcpSocket},
        time::timeout,
    };

    use super::*;

    /// A listener whose queue is full, so that the system drops whoever else asks.
    async fn silent() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        for _ in 0..16 {
            let connecting = timeout(Duration::from_millis(200), TcpStream::connect(address));
            match connecting.await {
                Ok(connected) => queue.push(connected.unwrap()),
                Err(_) => return (address, listener, queue),
            }
        }
        panic!("a queue of one takes more than sixteen");
    }

    #[tokio::test]
    async fn a_silent_address_doesnt_keep_the_others_from_being_used() {
        let (silent, _listener, _queue) = silent().await;
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [silent, live.local_addr().unwrap()];
        let connecting = connect_any(addresses.into_iter());
        let connected = timeout(Duration::from_secs(1), connecting).await;
        let stream = connected.expect("the other address accepts").unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    }

    #[tokio::test]
    async fn no_address_is_an_error() {
        let error = connect_any(std::iter::empty()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
