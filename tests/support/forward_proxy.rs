//! A forward proxy as companies have one: it writes down what is asked of it, and fetches it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A running proxy for plain HTTP. It refuses tunnels.
pub struct ForwardProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl ForwardProxy {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&asked)));
        Self {
            address,
            asked,
            serving,
        }
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The heads of all requests that came, each as it came.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no writer panics").clone()
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            // Whoever goes away is none of the proxy's business.
            let _ = forward(stream, &asked).await;
        });
    }
}

async fn forward(mut client: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            // Also what never becomes a request has come here.
            break bytes.len();
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    asked.lock().expect("no writer panics").push(head.clone());
    // `GET http://host:port/path HTTP/1.1`
    let address = head.split(' ').nth(1).unwrap_or_default();
    let Some((host, _)) = address
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
    else {
        return client
            .write_all(
                b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            )
            .await;
    };
    let mut server = TcpStream::connect(host).await?;
    // One request for each connection, since the next one may be for another host.
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(head.as_bytes()).await?;
    server.write_all(&bytes[end..]).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
