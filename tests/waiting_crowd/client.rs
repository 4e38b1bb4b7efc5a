//! A client process: many browsers that wait at the proxy, from one source address.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use login_protocol::scene::BrowserSecret;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

/// The word that makes this program such a process.
pub(crate) const WORD: &str = "browsers";

/// How many streams are being opened at once.
const AT_ONCE: usize = 24;

/// How long opening one may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// After this it ends whatever happens, so that nothing is left of a run that was killed.
const LIFE: Duration = Duration::from_mins(12);

/// The browser's secret of this number. Random is what nobody can guess; here it is enough that
/// each is another.
pub(crate) fn secret(number: usize) -> BrowserSecret {
    let mut bytes = [0xcd; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    BrowserSecret::from_random(bytes)
}

/// The time that all processes of a machine share, in microseconds.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.expect("it is after 1970").as_micros();
    u64::try_from(since).expect("it is long before the year 500,000")
}

/// Opens the streams, says `open COUNT` or why not, and then `confirmed NUMBER TIME` of each scan
/// that it hears of.
pub(crate) async fn run(words: &[String]) {
    let [proxy, source, first, count] = words else {
        panic!("{WORD} PROXY SOURCE FIRST COUNT");
    };
    let proxy: SocketAddr = proxy.parse().expect("an address");
    let source: Ipv4Addr = source.parse().expect("an address");
    let first: usize = first.parse().expect("a number");
    let count: usize = count.parse().expect("a number");
    // Whatever is open ends with this process.
    let _ = timeout(LIFE, wait(proxy, source, first, count)).await;
}

async fn wait(proxy: SocketAddr, source: Ipv4Addr, first: usize, count: usize) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut browsers = JoinSet::new();
    for number in first..first + count {
        let permit = Arc::clone(&permits).acquire_owned().await;
        browsers.spawn(async move {
            let opened = timeout(PATIENCE, open(proxy, source, number)).await;
            drop(permit);
            let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            match opened {
                Ok(stream) => Some((number, stream)),
                Err(error) => {
                    print(&format!("refused {number} {error}"));
                    None
                }
            }
        });
    }
    let opened: Vec<_> = browsers.join_all().await.into_iter().flatten().collect();
    print(&format!("open {}", opened.len()));
    let mut waiting = JoinSet::new();
    for (number, stream) in opened {
        waiting.spawn(hear(number, stream));
    }
    while waiting.join_next().await.is_some() {}
}

async fn open(proxy: SocketAddr, source: Ipv4Addr, number: usize) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    let mut stream = socket.connect(proxy).await?;
    let cookie = secret(number);
    let request = format!(
        "GET /api/login/events HTTP/1.1\r\nHost: localhost\r\nCookie: wechat-login={}\r\n\r\n",
        cookie.expose()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut said = Vec::new();
    while !holds(&said, "\"status\":\"pending\"") {
        if said.len() > 8192 || stream.read_buf(&mut said).await? == 0 {
            let line = String::from_utf8_lossy(&said);
            let line = line.lines().next().unwrap_or("nothing").to_owned();
            return Err(io::Error::other(format!("it said {line}")));
        }
    }
    Ok(stream)
}

/// Reads on until the stream says that the scan is there.
async fn hear(number: usize, mut stream: TcpStream) {
    let mut said = Vec::new();
    loop {
        let ready = stream.readable().await;
        let read = match ready {
            Ok(()) => stream.read_buf(&mut said).await.unwrap_or(0),
            Err(_) => 0,
        };
        let at = now();
        if holds(&said, "\"status\":\"confirmed\"") {
            print(&format!("confirmed {number} {at}"));
            return;
        }
        if read == 0 {
            print(&format!("lost {number}"));
            return;
        }
        if said.ends_with(b"\n\n") || said.ends_with(b"\n\n\r\n") {
            // What was said is a whole comment, which keeps the connection.
            said = Vec::new();
        }
    }
}

fn holds(said: &[u8], text: &str) -> bool {
    said.windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[expect(
    clippy::print_stdout,
    reason = "it is how the first process hears of it"
)]
fn print(line: &str) {
    println!("{line}");
}
