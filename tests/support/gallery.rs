//! The page that shows every state of the modal.

use std::{collections::HashMap, fs, process::Command};

use harness::folder::TemporaryFolder;

use crate::pages::Pages;

/// The modal's package, in which `npm ci` was run.
pub const MODAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../services/site/modal");

/// Serves it, at `/index.html`.
pub async fn serve() -> Pages {
    let folder = TemporaryFolder::create("gallery").expect("a folder can be made");
    let status = Command::new("node")
        .arg("tools/gallery.js")
        .arg(folder.path())
        .current_dir(MODAL)
        .status()
        .expect("node runs");
    assert!(status.success(), "the gallery can be built");
    let mut files = HashMap::new();
    for (name, media_type) in [
        ("index.html", "text/html; charset=utf-8"),
        ("gallery.css", "text/css; charset=utf-8"),
        ("gallery.js", "text/javascript; charset=utf-8"),
    ] {
        let content = fs::read_to_string(folder.path().join(name)).expect("it was made");
        files.insert(format!("/{name}"), (media_type, content));
    }
    let (listener, _) = Pages::listen().await;
    Pages::serve(listener, files, "")
}
