//! A Redis whose answer gets lost on the way: what it was asked has happened all the same.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use login_protocol::{
    identity::AppId,
    steps::{LockTokenRefresh, ReleaseTokenRefresh},
};
use serde_json::json;
use system_tests::{
    binaries, process,
    stack::{APP_ID, Plan},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
};

use crate::http;

const LOCK: &str = "wechat-login:access-token-lock:{wx00000000000000ee}";

/// Passes everything on to the Redis at this socket; but of the connection that is the first to ask
/// for something with these words, no answer arrives any more. Returns its address.
async fn lossy(redis: &Path, words: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let redis = redis.to_owned();
    tokio::spawn(async move {
        let lost = Arc::new(AtomicBool::new(false));
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, redis.clone(), words, Arc::clone(&lost)));
        }
    });
    format!("redis://{address}")
}

async fn pass(client: TcpStream, redis: PathBuf, words: &'static str, lost: Arc<AtomicBool>) {
    let redis = UnixStream::connect(redis).await.expect("Redis is running");
    let (mut asked, mut told) = client.into_split();
    let (mut answered, mut ask) = redis.into_split();
    let silent = Arc::new(AtomicBool::new(false));
    let silenced = Arc::clone(&silent);
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = answered.read(&mut bytes).await {
            if !silenced.load(Ordering::SeqCst) && told.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = asked.read(&mut bytes).await {
        let has_words = String::from_utf8_lossy(&bytes[..count]).contains(words);
        if has_words && !lost.swap(true, Ordering::SeqCst) {
            silent.store(true, Ordering::SeqCst);
        }
        if ask.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_lock_that_was_got_unknowingly_is_given_back() {
    let mut stack = http::start(Plan::default().gateways(0)).await;
    // Redis knows the scripts, so that the first request takes the lock.
    let store = stack.redis.store();
    let app_id = AppId::parse(APP_ID).expect("it is an AppID");
    let holder = "the test".to_owned();
    let take = LockTokenRefresh {
        app_id: app_id.clone(),
        holder: holder.clone(),
        lease: Duration::from_mins(1),
    };
    assert!(store.run(&take).await.expect("Redis is running"));
    let release = ReleaseTokenRefresh { app_id, holder };
    store.run(&release).await.expect("Redis is running");

    let url = stack.redis.url();
    let socket = url.strip_prefix("redis+unix://").expect("it is a socket");
    let address = lossy(Path::new(socket), "access-token-lock:").await;
    stack.plan = stack.plan.redis(&address);
    // Of a failure that WeChat isn't asked again after for five minutes.
    let refused = json!([{ "path": "/cgi-bin/stable_token", "kind": "errcode", "errcode": 40125 }]);
    stack.wechat.faults(refused).await;
    let no_arguments: [&str; 0] = [];
    let mut gateway = process::start(
        "gateway",
        binaries::path("wechat-gateway"),
        no_arguments,
        &stack.gateway_environment(),
        &stack.log,
    );
    let line = gateway.line_with("can't get an access token").await;
    assert!(line.contains("40125"), "{line}");
    let held: bool = stack.redis.command(&["EXISTS", LOCK]).await;
    assert!(!held, "others would wait for 12 seconds");
}
