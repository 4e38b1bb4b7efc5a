//! The owner's own backend behind the relay: it records what it gets and answers as it is told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// Path and query.
    pub(crate) target: String,
    /// The content type.
    pub(crate) content_type: String,
    /// All headers, their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The values of this header, in their order.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// How the backend answers.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// With this status, content type and body.
    Answer(u16, &'static str, Vec<u8>),
    /// With this status, which leads to this address.
    Redirect(u16, String),
    /// Never.
    Silence,
}

/// A running backend.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    behaviour: Arc<Mutex<Behaviour>>,
    serving: JoinHandle<()>,
}

impl Backend {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let received = Arc::new(Mutex::new(Vec::new()));
        let behaviour = Arc::new(Mutex::new(behaviour));
        let serving = tokio::spawn(serve(
            listener,
            Arc::clone(&received),
            Arc::clone(&behaviour),
        ));
        Self {
            address,
            received,
            behaviour,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/wechat", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no writer panics").clone()
    }

    pub(crate) fn forget(&self) {
        self.received.lock().expect("no writer panics").clear();
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("no writer panics") = behaviour;
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    listener: TcpListener,
    received: Arc<Mutex<Vec<Received>>>,
    behaviour: Arc<Mutex<Behaviour>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (received, behaviour) = (Arc::clone(&received), Arc::clone(&behaviour));
        tokio::spawn(async move {
            // A client that goes away is none of the backend's business.
            let _ = exchange(stream, &received, &behaviour).await;
        });
    }
}

async fn exchange(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    behaviour: &Mutex<Behaviour>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or_else(String::new, |(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").parse().unwrap_or(0);
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let request = Received {
        target,
        content_type: header("content-type"),
        headers: text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: bytes[head..].to_vec(),
    };
    received.lock().expect("no writer panics").push(request);
    let behaviour = behaviour.lock().expect("no writer panics").clone();
    match behaviour {
        Behaviour::Answer(status, content_type, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await
        }
        Behaviour::Redirect(status, location) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await
        }
        Behaviour::Silence => std::future::pending().await,
    }
}
