//! A network that loses answers: requests reach the site, and what it says to some never arrives.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

/// Passes everything on, but loses the answer to the first few requests that begin in one way.
pub(crate) struct LossyProxy {
    url: String,
    address: SocketAddr,
    line: Arc<Line>,
}

struct Line {
    site: String,
    request: &'static str,
    losses: u32,
    lost: AtomicU32,
    over: AtomicBool,
}

impl LossyProxy {
    /// Stands in front of the site at this address.
    pub(crate) fn start(site: &str, request: &'static str, losses: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let line = Arc::new(Line {
            site: site.trim_start_matches("http://").to_owned(),
            request,
            losses,
            lost: AtomicU32::new(0),
            over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&line);
        thread::spawn(move || {
            for browser in listener.incoming().map_while(Result::ok) {
                if accepting.over.load(Ordering::Relaxed) {
                    return;
                }
                accepting.connect(browser);
            }
        });
        Self {
            url: format!("http://{address}"),
            address,
            line,
        }
    }

    /// Where a browser finds the site through this network.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many answers were lost so far.
    pub(crate) fn lost(&self) -> u32 {
        self.line.lost.load(Ordering::Relaxed)
    }
}

impl Drop for LossyProxy {
    fn drop(&mut self) {
        self.line.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Line {
    fn connect(self: &Arc<Self>, browser: TcpStream) {
        // A site that is away looks to the browser as it would without us.
        let Ok(site) = TcpStream::connect(&self.site) else {
            return;
        };
        let (from_site, to_browser) = (site.try_clone(), browser.try_clone());
        let (Ok(from_site), Ok(to_browser)) = (from_site, to_browser) else {
            return;
        };
        let losing = Arc::new(AtomicBool::new(false));
        let (line, mark) = (Arc::clone(self), Arc::clone(&losing));
        thread::spawn(move || line.pass_requests(browser, site, &mark));
        thread::spawn(move || pass_answers(from_site, to_browser, &losing));
    }

    /// A browser sends its next request on a connection only after the last one's answer, and one
    /// of ours fits into one packet: each read is the beginning of a request.
    fn pass_requests(&self, mut browser: TcpStream, mut site: TcpStream, losing: &AtomicBool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = browser.read(&mut buffer) {
            let request = &buffer[..length];
            let count = request.starts_with(self.request.as_bytes())
                && self.lost.load(Ordering::Relaxed) < self.losses;
            if count {
                self.lost.fetch_add(1, Ordering::Relaxed);
                losing.store(true, Ordering::Relaxed);
            }
            if site.write_all(request).is_err() {
                break;
            }
        }
        let _ = site.shutdown(Shutdown::Both);
    }
}

fn pass_answers(mut site: TcpStream, mut browser: TcpStream, losing: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = site.read(&mut buffer) {
        // The site has done its part; its answer is what gets lost.
        if losing.load(Ordering::Relaxed) || browser.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = browser.shutdown(Shutdown::Both);
}
