//! A SOCKS5 proxy (RFC 1928) with a user and a password (RFC 1929). It writes down where its
//! clients go.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const VERSION: u8 = 5;
const BY_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;

/// A running proxy that lets in who has this name and password.
pub struct SocksProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl SocksProxy {
    /// Starts one on a free port.
    pub async fn start(user: &'static str, password: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let served = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let asked = Arc::clone(&served);
                tokio::spawn(async move {
                    // Whoever goes away is none of the proxy's business.
                    let _ = serve(stream, user, password, &asked).await;
                });
            }
        });
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

    /// Where its clients went, `host:port`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no writer panics").clone()
    }
}

impl Drop for SocksProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    user: &str,
    password: &str,
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let [_version, methods] = read(&mut client).await?;
    sized(&mut client, methods).await?;
    client.write_all(&[VERSION, BY_PASSWORD]).await?;
    let [_version, length] = read(&mut client).await?;
    let presented_user = sized(&mut client, length).await?;
    let [length] = read(&mut client).await?;
    let presented_password = sized(&mut client, length).await?;
    let is_let_in = presented_user == user && presented_password == password;
    client.write_all(&[1, u8::from(!is_let_in)]).await?;
    if !is_let_in {
        asked
            .lock()
            .expect("no writer panics")
            .push("refused".to_owned());
        return Ok(());
    }
    let [_version, command, _, kind] = read(&mut client).await?;
    assert_eq!(command, CONNECT);
    let host = match kind {
        IPV4 => Ipv4Addr::from(read::<4>(&mut client).await?).to_string(),
        NAME => {
            let [length] = read(&mut client).await?;
            sized(&mut client, length).await?
        }
        other => panic!("an address of kind {other}"),
    };
    let port = u16::from_be_bytes(read(&mut client).await?);
    let address = format!("{host}:{port}");
    asked
        .lock()
        .expect("no writer panics")
        .push(address.clone());
    let mut server = TcpStream::connect(address).await?;
    client
        .write_all(&[VERSION, 0, 0, IPV4, 0, 0, 0, 0, 0, 0])
        .await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn read<const COUNT: usize>(client: &mut TcpStream) -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn sized(client: &mut TcpStream, length: u8) -> io::Result<String> {
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
