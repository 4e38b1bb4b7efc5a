//! A headless Chromium of a test's own, driven through chromedriver.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use thirtyfour::{
    BrowserLogEntry, ChromiumLikeCapabilities as _, DesiredCapabilities, LoggingPrefsLogLevel,
    WebDriver, WebElement,
};

use crate::{
    deadline::{PATIENCE, eventually},
    process::{self, Process},
};

/// No sandbox, since containers run tests as root; nothing that talks to the outside by itself.
const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1280,800",
];

/// A visitor's first question; 401 is how the site says "nobody yet".
const SIGNED_OUT: &str = "/api/session - Failed to load resource: the server responded with a \
                          status of 401";

/// A browser with a profile of its own. Dropping it ends every process it consists of.
pub struct Browser {
    // The order matters: the session's end lets Chromium go, and only then its driver is killed.
    driver: WebDriver,
    _processes: Processes,
}

struct Processes {
    // Held for its end alone.
    _chromedriver: Process,
    profile: PathBuf,
}

/// What a page is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Device pixels for each CSS pixel.
    pub scale: u32,
    /// Whether it is a phone with a touch screen.
    pub phone: bool,
}

/// A small laptop.
pub const DESKTOP: Screen = Screen {
    width: 1280,
    height: 800,
    scale: 1,
    phone: false,
};

/// A phone held upright.
pub const PHONE: Screen = Screen {
    width: 390,
    height: 844,
    scale: 2,
    phone: true,
};

/// The same on its side, and small.
pub const LANDSCAPE: Screen = Screen {
    width: 740,
    height: 360,
    scale: 2,
    phone: true,
};

impl Browser {
    /// Starts one that prefers Chinese.
    pub async fn start(log: &Path) -> Self {
        Self::speaking("zh-CN", log).await
    }

    /// Starts one that prefers this language.
    pub async fn speaking(language: &str, log: &Path) -> Self {
        let (processes, address) = Processes::start(log).await;
        // The driver's own client names no TLS implementation, and obeys HTTP_PROXY.
        let http = service_kit::http_client::build(PATIENCE).expect("a client can be made");
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag).expect("a flag is text");
        }
        let profile = format!("--user-data-dir={}", processes.profile.display());
        wanted.add_arg(&profile).expect("a flag is text");
        wanted
            .add_experimental_option("prefs", json!({ "intl.accept_languages": language }))
            .expect("it is JSON");
        wanted
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .expect("it is JSON");
        let driver = WebDriver::builder(address, wanted)
            .client(http)
            .await
            .expect("Chromium starts");
        Self {
            driver,
            _processes: processes,
        }
    }

    /// The `WebDriver` session, for what has no shorter way here.
    pub const fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Opens an address and waits until it is loaded.
    pub async fn visit(&self, url: &str) {
        self.driver.goto(url).await.expect("the page loads");
    }

    /// Opens another tab, in front, and stays with it.
    pub async fn open_tab(&self, url: &str) {
        let tab = self.driver.new_tab().await.expect("a tab opens");
        self.driver
            .switch_to_window(tab)
            .await
            .expect("it is there");
        self.visit(url).await;
    }

    /// Goes to the tab that was opened as number `index`.
    pub async fn go_to_tab(&self, index: usize) {
        let tabs = self.driver.windows().await.expect("there are tabs");
        self.driver
            .switch_to_window(tabs[index].clone())
            .await
            .expect("it is there");
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        self.driver
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
            .json()
            .clone()
    }

    /// Runs a script and waits for what it returns, a promise's outcome if it is one.
    pub async fn run(&self, script: &str) -> Value {
        let outcome = self.driver.execute(script, Vec::new()).await;
        outcome
            .unwrap_or_else(|error| panic!("{error}"))
            .json()
            .clone()
    }

    /// Runs a script before every page's own ones from now on.
    pub async fn prepare(&self, script: &str) {
        let source = json!({ "source": script });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
    }

    /// The value of a JavaScript expression as text; empty if it is none.
    pub async fn text(&self, expression: &str) -> String {
        let value = self.value(expression).await;
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, expression: &str) {
        eventually(expression, async || {
            (self.value(expression).await == json!(true)).then_some(())
        })
        .await;
    }

    /// The element that a JavaScript expression names, once it is there.
    pub async fn element(&self, expression: &str) -> WebElement {
        let script = format!("return {expression};");
        eventually(expression, async || {
            let found = self.driver.execute(script.as_str(), Vec::new()).await;
            found.ok()?.element().ok()
        })
        .await
    }

    /// Clicks an element as a visitor would, once it stands still and nothing covers it.
    pub async fn click(&self, expression: &str) {
        let element = self.element(expression).await;
        eventually(&format!("{expression} can be clicked"), async || {
            element.click().await.ok()
        })
        .await;
    }

    /// Sends a command of the browser's own protocol (CDP).
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.driver
            .cdp()
            .send_raw(command, parameters)
            .await
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Lets no request through whose address matches a pattern such as `*/api/login/events`.
    pub async fn block(&self, patterns: &[&str]) {
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.setBlockedURLs", json!({ "urls": patterns }))
            .await;
    }

    /// Takes the network away, or gives it back.
    pub async fn go_offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await;
    }

    /// Makes the page stand still for a picture on this screen.
    pub async fn pose(&self, screen: Screen, dark: bool) {
        let metrics = json!({
            "width": screen.width, "height": screen.height,
            "deviceScaleFactor": screen.scale, "mobile": screen.phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let touch = json!({ "enabled": screen.phone, "maxTouchPoints": 5 });
        self.devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// The screen as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        self.driver
            .screenshot_as_png()
            .await
            .expect("a picture of the screen")
    }

    /// What a phone's camera reads off this element; `None` where there is no readable code.
    pub async fn qr_code(&self, expression: &str) -> Option<String> {
        let element = self.element(expression).await;
        let picture = element.screenshot_as_png().await.ok()?;
        // It takes a while, in which other connections are to be looked after.
        tokio::task::spawn_blocking(|| read_qr_code(picture))
            .await
            .expect("reading a picture doesn't panic")
    }

    /// Closes it. Panics if any page broke its Content-Security-Policy or reported an error, other
    /// than those that hold one of the `expected` texts.
    pub async fn close(self, expected: &[&str]) {
        let entries = self.driver.browser_log().await.expect("the browser's log");
        let complaints: Vec<&BrowserLogEntry> = entries
            .iter()
            .filter(|entry| is_complaint(entry))
            .filter(|entry| !expected.iter().any(|text| entry.message.contains(text)))
            .collect();
        assert!(complaints.is_empty(), "the pages complain: {complaints:#?}");
        let Self { driver, _processes } = self;
        driver.quit().await.expect("Chromium ends");
    }
}

/// Where a chromedriver listens; `None` if it found no port.
async fn port_of(chromedriver: &Process) -> Option<u16> {
    eventually("chromedriver says where it listens", async || {
        chromedriver.lines().iter().find_map(|line| {
            if line.contains("port not available") {
                return Some(None);
            }
            let (_, port) = line.split_once("successfully on port ")?;
            Some(port.trim_end_matches('.').parse().ok())
        })
    })
    .await
}

fn read_qr_code(picture: Vec<u8>) -> Option<String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    let samples = frame.color_type.samples();
    let width = usize::try_from(frame.width).ok()?;
    let height = usize::try_from(frame.height).ok()?;
    // Of a black-and-white picture, one colour tells as much as all three.
    let lightness = |x, y| pixels[(y * width + x) * samples];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, lightness);
    let (_, content) = image.detect_grids().first()?.decode().ok()?;
    Some(content)
}

fn is_complaint(entry: &BrowserLogEntry) -> bool {
    let policy = entry.message.contains("Content Security Policy");
    let error = entry.level == "SEVERE" || entry.level == "WARNING";
    (policy || error) && !entry.message.contains(SIGNED_OUT)
}

impl Processes {
    /// Starts chromedriver; returns its address too.
    async fn start(log: &Path) -> (Self, String) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("login-browser-{}-{number}", std::process::id());
        let profile = std::env::temp_dir().join(name);
        fs::create_dir_all(&profile).expect("a folder can be made");
        let home = profile.display().to_string();
        let environment = ["HOME", "TMPDIR"].map(|key| (key.to_owned(), home.clone()));
        let mut starts = 0;
        let (chromedriver, port) = loop {
            starts += 1;
            assert!(starts <= 5, "chromedriver finds no port");
            let chromedriver = process::start(
                &format!("chromedriver-{number}"),
                "chromedriver",
                // It takes a free port and says which one.
                ["--port=0"],
                &environment,
                log,
            );
            // The port that it finds free for IPv6 may be taken for IPv4; then it gives up.
            if let Some(port) = port_of(&chromedriver).await {
                break (chromedriver, port);
            }
        };
        let processes = Self {
            _chromedriver: chromedriver,
            profile,
        };
        (processes, format!("http://127.0.0.1:{port}"))
    }

    /// Kills whatever runs with our profile: a Chromium that didn't end by itself, or whose session
    /// never came about.
    fn kill_chromium(&self) {
        let profile = format!("--user-data-dir={}", self.profile.display());
        // Where there is no /proc, the session's end has to do.
        let running = fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in running {
            let name = process.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = number.and_then(Pid::from_raw) else {
                continue;
            };
            let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let ours = arguments
                .split(|byte| *byte == 0)
                .any(|argument| argument == profile.as_bytes());
            if ours {
                // An error means that it has ended meanwhile.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.kill_chromium();
        // What stays behind is a temporary folder.
        let _ = fs::remove_dir_all(&self.profile);
    }
}
