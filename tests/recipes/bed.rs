//! A system with the client of a page, and the software of that page beside it.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
};

use harness::{child::Group, process::Recipe};
use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::CODE,
    nginx::free_port,
    process::Process,
    simulator::Person,
    stack::{Plan, Stack},
};

use crate::page::{Page, variables};

/// Where `cargo xtask recipes` installs what comes from `PyPI` and npm.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("recipes");
    assert!(
        folder.is_dir(),
        "cargo xtask recipes installs what this needs"
    );
    folder
}

/// A running system.
pub(crate) struct Bed {
    pub(crate) stack: Stack,
    pub(crate) browser: Browser,
    pub(crate) person: Person,
    /// Where the software is reached.
    pub(crate) url: String,
    /// The files of the page, as it is followed here.
    pub(crate) folder: PathBuf,
    page: Page,
    port: u16,
    site: String,
    public: String,
    /// Held for its end.
    software: Vec<Process>,
}

impl Bed {
    /// Starts the system of a page in which the software is at `public`.
    pub(crate) async fn of(name: &str, public: &str) -> Self {
        let page = Page::read(name);
        // Two hosts, as on the internet.
        let (site_port, port) = (free_port(), free_port());
        let site = format!("http://localhost:{site_port}");
        let url = format!("http://127.0.0.1:{port}");
        let mut plan = Plan::default()
            .site("SITE__PUBLIC__BIND", &format!("127.0.0.1:{site_port}"))
            .site("SITE__PUBLIC__URL", &site)
            .site(
                "SITE__OIDC__SECRET",
                "oidc-secret-of-more-than-32-characters",
            );
        for (key, value) in variables(page.file("site.env")) {
            plan = plan.site(&key, &value.replace(public, &url));
        }
        let stack = plan.start().await;
        let browser = Browser::start(&stack.log).await;
        let person = stack.wechat.person("小林", true).await;
        // Below what npm installed, so that Node finds it.
        let folder = installed().join("node").join(format!("run-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder can be made");
        Self {
            stack,
            browser,
            person,
            url,
            folder,
            page,
            port,
            site,
            public: public.to_owned(),
            software: Vec::new(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A text of the page, as it is followed here: other addresses, nothing else.
    fn followed(&self, text: &str) -> String {
        text.replace("3000", &self.port.to_string())
            .replace("https://login.example.com", &self.site)
            .replace(&self.public, &self.url)
    }

    /// One of the page's files, as it is followed here.
    pub(crate) fn file(&self, name: &str) -> String {
        self.followed(self.page.file(name))
    }

    /// Writes all of the page's files.
    pub(crate) fn write_files(&self) {
        for (name, text) in self.page.files() {
            self.write(name, &self.followed(text));
        }
    }

    /// Writes a file that the page takes for granted.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// What comes from `PyPI` or npm.
    pub(crate) fn program(name: &str) -> String {
        installed().join(name).display().to_string()
    }

    /// Starts the software with its files' folder around it, and waits until it listens.
    pub(crate) async fn start(&mut self, words: &[&str], environment: &[(String, String)]) {
        let mut recipe = Recipe::new("software", "env", &self.stack.log);
        recipe.arguments = vec![format!("--chdir={}", self.folder.display())];
        recipe
            .arguments
            .extend(words.iter().map(|word| (*word).to_owned()));
        recipe.environment = environment.iter().cloned().collect();
        // Not around the files: Next.js takes nothing from there.
        let home = Self::program("home");
        recipe.environment.insert("HOME".to_owned(), home);
        recipe.group = Group::Own;
        let process = Process::spawn(recipe).unwrap_or_else(|failure| panic!("{failure}"));
        self.software.push(process);
        let port = self.port;
        eventually("the software listens", async || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
    }

    /// Scans the code of the login page, to which the software has led the browser.
    pub(crate) async fn scan(&self) {
        self.browser
            .until("document.querySelector('#login')?.dataset.state === 'pending'")
            .await;
        let code = eventually("a phone can read the code", async || {
            self.browser.qr_code(CODE).await
        })
        .await;
        self.stack.wechat.scan(&self.person, &code).await;
    }

    /// Waits until the software's page has this text.
    pub(crate) async fn shows(&self, text: &str) {
        let expected = format!(
            "location.origin === '{}' && document.body?.innerText.includes('{text}')",
            self.url
        );
        self.browser.until(&expected).await;
    }
}
