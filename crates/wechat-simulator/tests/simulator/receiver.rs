//! A callback address that records requests byte for byte and answers from a script.

use std::collections::HashMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) parameters: HashMap<String, String>,
    pub(crate) body: String,
}

/// Writes the answer's status and body; `None` hangs up.
pub(crate) type Script = fn(usize, &Received) -> Option<(u16, String)>;

pub(crate) struct CallbackReceiver {
    pub(crate) url: String,
    received: UnboundedReceiver<Received>,
}

impl CallbackReceiver {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wechat/callback", listener.local_addr().unwrap());
        let (sender, received) = unbounded_channel();
        tokio::spawn(serve(listener, script, sender));
        Self { url, received }
    }

    /// The next request; fails when none comes.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(20), self.received.recv()).await;
        next.expect("a request arrives").expect("the receiver runs")
    }

    /// Whether nothing has arrived that was not taken.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

async fn serve(listener: TcpListener, script: Script, sender: UnboundedSender<Received>) {
    for number in 1.. {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(stream, number, script, sender.clone()));
    }
}

async fn answer(
    mut stream: TcpStream,
    number: usize,
    script: Script,
    sender: UnboundedSender<Received>,
) {
    let mut bytes = Vec::new();
    let received = loop {
        stream.read_buf(&mut bytes).await.unwrap();
        if let Some(received) = parse(&bytes) {
            break received;
        }
    };
    let answer = script(number, &received);
    // The test may have ended.
    let _gone = sender.send(received);
    if let Some((status, body)) = answer {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n");
        let _gone = stream.write_all((head + &body).as_bytes()).await;
    }
}

fn parse(bytes: &[u8]) -> Option<Received> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    let target = head.split(' ').nth(1)?;
    let url = url::Url::parse(&format!("http://callback{target}")).unwrap();
    (body.len() == length).then(|| Received {
        head: head.to_owned(),
        parameters: url.query_pairs().into_owned().collect(),
        body: body.to_owned(),
    })
}
