//! A Redis that says other things of itself than the one behind it: what no server at hand is.

use std::{path::PathBuf, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
};

use crate::redis_server::RedisServer;

/// More than any answer to our questions has, so that one arrives in one piece.
const LARGEST_ANSWER: usize = 256 * 1024;

/// A running one. Dropping it takes no new connections.
pub struct RedisProxy {
    url: String,
    accepting: JoinHandle<()>,
}

impl RedisProxy {
    /// Passes everything on to this Redis, and its answers back through `rewrite`, which changes
    /// bytes in their place.
    pub async fn start(
        redis: &RedisServer,
        rewrite: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("redis://{}", listener.local_addr().expect("it listens"));
        let socket = PathBuf::from(redis.url().replace("redis+unix://", ""));
        let rewrite = Arc::new(rewrite);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let rewrite = Arc::clone(&rewrite);
                let server = UnixStream::connect(&socket).await;
                let server = server.expect("Redis is running");
                tokio::spawn(pass_on(client, server, move |answer| rewrite(answer)));
            }
        });
        Self { url, accepting }
    }

    /// Its address, for the services' settings.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RedisProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass_on(client: TcpStream, server: UnixStream, rewrite: impl Fn(&mut [u8])) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = async {
        let mut answer = vec![0; LARGEST_ANSWER];
        while let Ok(length @ 1..) = from_server.read(&mut answer).await {
            let answer = &mut answer[..length];
            rewrite(answer);
            if to_client.write_all(answer).await.is_err() {
                return;
            }
        }
    };
    // The end of either side is the end of both.
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        () = answers => {}
    }
}

/// Writes `text` over what follows each `mark`, whose own text stays.
pub fn overwrite_after(answer: &mut [u8], mark: &[u8], text: impl Fn(&[u8]) -> Vec<u8>) {
    let mut at = 0;
    while let Some(found) = answer[at..]
        .windows(mark.len())
        .position(|piece| piece == mark)
    {
        let start = at + found + mark.len();
        let end = answer[start..]
            .iter()
            .position(|byte| *byte == b'\r')
            .map_or(answer.len(), |length| start + length);
        let written = text(&answer[start..end]);
        assert_eq!(written.len(), end - start, "in its place");
        answer[start..end].copy_from_slice(&written);
        at = end;
    }
}

/// Makes it a Redis 4.0.
pub fn say_4_0(answer: &mut [u8]) {
    overwrite_after(answer, b"redis_version:", |version| {
        let patch = "1".repeat(version.len().saturating_sub("4.0.".len()));
        format!("4.0.{patch}").into_bytes()
    });
}

/// Makes its clock go this much ahead, as the services' write probe reads it.
pub fn clock_ahead(milliseconds: u64) -> impl Fn(&mut [u8]) {
    move |answer| {
        overwrite_after(answer, b"written\r\n$13\r\n", |time| {
            let time = std::str::from_utf8(time).expect("it is a number");
            let time: u64 = time.parse().expect("it is a number");
            (time + milliseconds).to_string().into_bytes()
        });
    }
}
