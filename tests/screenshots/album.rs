//! Where the pictures go, and how each one is looked at.

use std::{fs, path::PathBuf};

use system_tests::browser::{Browser, Screen};

/// One way to look at everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) screen: Screen,
    pub(crate) dark: bool,
    pub(crate) language: &'static str,
}

impl Look {
    fn folder(self) -> String {
        let device = if self.screen.phone {
            "phone"
        } else {
            "desktop"
        };
        let scheme = if self.dark { "dark" } else { "light" };
        format!("{device}-{scheme}-{}", self.language)
    }
}

/// A folder of pictures.
pub(crate) struct Album {
    folder: PathBuf,
}

impl Album {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps what the browser shows as `<look>/<name>.png`.
    pub(crate) async fn keep(&self, look: Look, name: &str, browser: &Browser) {
        self.keep_in(&look.folder(), name, browser).await;
    }

    /// Keeps what the browser shows as `<folder>/<name>.png`.
    pub(crate) async fn keep_in(&self, folder: &str, name: &str, browser: &Browser) {
        // Two frames later everything that was asked for is on the screen.
        let frames =
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";
        browser.value(&format!("{frames}.then(() => true)")).await;
        self.keep_picture(folder, name, &browser.screenshot().await);
    }

    /// Keeps a picture as `<folder>/<name>.png`.
    pub(crate) fn keep_picture(&self, folder: &str, name: &str, picture: &[u8]) {
        let folder = self.folder.join(folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        fs::write(folder.join(format!("{name}.png")), picture).expect("the picture can be kept");
    }
}
