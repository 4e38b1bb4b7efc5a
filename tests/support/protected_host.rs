//! A host behind forward authentication, with the configurations of `docs/forward-auth.md`, and the
//! software that it protects.

use std::path::Path;

use harness::ports;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    caddy::Caddy,
    nginx::{Nginx, blocks_of, configuration},
};

/// The document in English.
pub const ENGLISH: &str = include_str!("../../docs/forward-auth.md");
/// The document in Chinese.
pub const CHINESE: &str = include_str!("../../docs/forward-auth.zh-CN.md");

/// Software that shows what it is asked, as text.
pub struct Backend {
    address: String,
    accepting: JoinHandle<()>,
}

impl Backend {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(show(client));
            }
        });
        Self { address, accepting }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers one request with its own head.
async fn show(mut client: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    // A connection that is closed before all is read is reset.
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(Ok(0), |length| length.trim().parse());
    let mut body = vec![0; length.expect("a length is a number")];
    if client.read_exact(&mut body).await.is_err() {
        return;
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        head.len()
    );
    // Whoever has gone doesn't read it.
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.write_all(&head).await;
}

/// Which proxy stands in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Debian's nginx.
    Nginx,
    /// Debian's Caddy.
    Caddy,
}

/// Both.
pub const PROXIES: [Proxy; 2] = [Proxy::Nginx, Proxy::Caddy];

/// A running proxy in front of a backend.
pub struct ProtectedHost {
    // Held for their end alone.
    _backend: Backend,
    _nginx: Option<Nginx>,
    _caddy: Option<Caddy>,
}

/// The document's configuration of this language of configurations, which is the only one.
pub fn snippet(markdown: &str, language: &str) -> String {
    let mut blocks = blocks_of(markdown, language);
    assert_eq!(blocks.len(), 1, "one configuration in {language}");
    blocks.remove(0)
}

/// The only occurrence and each other one of `of` becomes `by`.
#[track_caller]
fn replaced(text: &str, of: &str, by: &str) -> String {
    assert!(text.contains(of), "no {of} in {text}");
    text.replace(of, by)
}

/// A port for a protected host, whose origin a site has to be told before it is started.
pub fn free_port() -> u16 {
    ports::free()
}

impl ProtectedHost {
    /// Starts this proxy on this port, with the document's configuration as it stands but for the
    /// addresses. It asks the site at this address, which is without a scheme.
    pub async fn start(proxy: Proxy, port: u16, site: &str, log: &Path) -> Self {
        let backend = Backend::start().await;
        let (mut nginx, mut caddy) = (None, None);
        match proxy {
            Proxy::Nginx => {
                let text = snippet(ENGLISH, "nginx");
                let text = replaced(&text, "127.0.0.1:3000", &backend.address);
                let text = replaced(&text, "127.0.0.1:8080", site);
                let servers = format!("server {{\nlisten 127.0.0.1:{port};\n{text}}}\n");
                nginx = Some(Nginx::start("nginx", &configuration(&servers), port, log).await);
            }
            Proxy::Caddy => {
                let text = snippet(ENGLISH, "caddyfile");
                let text = replaced(&text, "127.0.0.1:3000", &backend.address);
                let text = replaced(&text, "127.0.0.1:8080", site);
                let text = replaced(&text, "wiki.example.com {", &format!("http://:{port} {{"));
                let text = format!("{{\n\tadmin off\n\tauto_https off\n}}\n\n{text}");
                caddy = Some(Caddy::start("caddy", &text, port, log).await);
            }
        }
        Self {
            _backend: backend,
            _nginx: nginx,
            _caddy: caddy,
        }
    }
}
