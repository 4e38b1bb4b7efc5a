//! Software that takes webhooks, or doesn't.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use crate::deadline::eventually;

/// A secret, as Standard Webhooks want it.
pub const SECRET: &str = "whsec_dGhlIGtleSBvZiBhIHJlY2VpdmVyIGluIHRlc3Rz";

/// An event that was posted.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// When.
    pub at: Instant,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub text: String,
    /// The event.
    pub event: Value,
}

impl Delivery {
    /// The identifier in its headers.
    pub fn id(&self) -> &str {
        let id = self.headers.get("webhook-id").expect("it has one");
        id.to_str().expect("it is plain")
    }

    /// The event's type and its person.
    pub fn what(&self) -> (String, String) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&self.event["type"]),
            text(&self.event["data"]["openid"]),
        )
    }
}

/// How a receiver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// With this status.
    Status(u16),
    /// With a redirect.
    Redirect(String),
    /// Not at all.
    Never,
}

type Rule = Arc<dyn Fn(&Delivery) -> Reply + Send + Sync>;

struct State {
    deliveries: Vec<Delivery>,
    rule: Rule,
}

/// A receiver on a port of its own.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port, and takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let state = Arc::new(Mutex::new(State {
            deliveries: Vec::new(),
            rule: Arc::new(|_| Reply::Status(204)),
        }));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            accepting,
        }
    }

    /// Where it takes events.
    pub fn url(&self) -> String {
        format!("http://{}/hook?key=1", self.address)
    }

    /// Answers as this rule says from now on.
    pub fn answer(&self, rule: impl Fn(&Delivery) -> Reply + Send + Sync + 'static) {
        locked(&self.state).rule = Arc::new(rule);
    }

    /// What was posted so far; each was signed.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let deliveries = locked(&self.state).deliveries.clone();
        for delivery in &deliveries {
            let webhook = Webhook::new(SECRET).expect("it is a secret");
            let verified = webhook.verify(delivery.text.as_bytes(), &delivery.headers);
            verified.expect("it is signed");
            assert_eq!(delivery.event["id"], delivery.id());
        }
        deliveries
    }

    /// What was posted, once it is so much.
    pub async fn first(&self, count: usize) -> Vec<Delivery> {
        eventually("the receiver has got all of it", async || {
            Some(self.deliveries()).filter(|deliveries| deliveries.len() >= count)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    // They end with the receiver.
    let mut serving = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        serving.spawn(serve(client, Arc::clone(&state)));
    }
}

/// Answers requests until the sender goes.
async fn serve(mut client: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    loop {
        let delivery = read(&mut client).await?;
        let rule = Arc::clone(&locked(&state).rule);
        let reply = rule(&delivery);
        locked(&state).deliveries.push(delivery);
        let head = match reply {
            Reply::Status(status) => format!("HTTP/1.1 {status} It\r\n"),
            Reply::Redirect(to) => format!("HTTP/1.1 307 It\r\nlocation: {to}\r\n"),
            Reply::Never => std::future::pending().await,
        };
        let answer = format!("{head}content-length: 0\r\n\r\n");
        client.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn read(client: &mut TcpStream) -> Option<Delivery> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head is text");
    let mut lines = head.lines();
    let mut words = lines.next().expect("a request line").split(' ');
    assert_eq!(words.next(), Some("POST"));
    let path = words.next().expect("a path").to_owned();
    let mut headers = HeaderMap::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a header");
        let name: HeaderName = name.parse().expect("a header's name");
        headers.insert(name, HeaderValue::from_str(value).expect("its value"));
    }
    let length = headers["content-length"].to_str().expect("it is plain");
    let mut body = vec![0; length.parse().expect("a length")];
    client.read_exact(&mut body).await.ok()?;
    let text = String::from_utf8(body).expect("JSON is text");
    Some(Delivery {
        at: Instant::now(),
        path,
        headers,
        event: serde_json::from_str(&text).expect("the body is JSON"),
        text,
    })
}
