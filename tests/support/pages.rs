//! A website of somebody's own, whose pages embed the modal.

use std::{collections::HashMap, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Serves files until it is dropped.
pub struct Pages {
    /// Scheme, host and port.
    pub origin: String,
    serving: JoinHandle<()>,
}

/// A file: its media type and content.
pub type File = (&'static str, String);

impl Pages {
    /// A free port, for those who have to know the origin before the pages.
    pub async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        (listener, format!("http://{address}"))
    }

    /// Serves these files by their paths, under this Content-Security-Policy if it isn't empty.
    pub fn serve(listener: TcpListener, files: HashMap<String, File>, policy: &str) -> Self {
        let address = listener.local_addr().expect("it listens");
        let site = Arc::new((files, policy.to_owned()));
        let serving = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(answer(browser, Arc::clone(&site)));
            }
        });
        Self {
            origin: format!("http://{address}"),
            serving,
        }
    }

    /// Serves one page at `/`.
    pub fn serve_page(listener: TcpListener, page: String, policy: &str) -> Self {
        let file = ("text/html; charset=utf-8", page);
        Self::serve(listener, HashMap::from([("/".to_owned(), file)]), policy)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(browser: TcpStream, site: Arc<(HashMap<String, File>, String)>) {
    let mut browser = BufReader::new(browser);
    let mut request = String::new();
    // An error, here and below, is a browser that went away.
    let _ = browser.read_line(&mut request).await;
    let mut line = String::new();
    while browser
        .read_line(&mut line)
        .await
        .is_ok_and(|read| read > 2)
    {
        line.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let (files, policy) = &*site;
    let response = match files.get(path) {
        Some((media_type, content)) => {
            let policy = match policy.as_str() {
                "" => String::new(),
                policy => format!("Content-Security-Policy: {policy}\r\n"),
            };
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n{policy}Connection: close\r\n\
                 Content-Length: {}\r\n\r\n{content}",
                content.len()
            )
        }
        // A browser asks for an icon by itself; an empty one is no mistake of the page's.
        None if path == "/favicon.ico" => {
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned()
        }
        None => {
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
    };
    let _ = browser.write_all(response.as_bytes()).await;
}
