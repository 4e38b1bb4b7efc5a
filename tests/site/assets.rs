//! The page and the modal's files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use reqwest::{
    Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG},
};
use system_tests::stack::{Plan, Stack};
use url::Url;

use crate::answers::{assert_problem, header};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../services/site/src/assets");

/// Every file of the assets' folder and its address.
fn files() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, into);
            } else {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(Path::new(FOLDER), &mut paths);
    let address = |path: &Path| match path.strip_prefix(FOLDER).expect("below").to_str() {
        Some("index.html") => "/".to_owned(),
        Some(name) => format!("/assets/{name}"),
        None => panic!("{} has a strange name", path.display()),
    };
    paths
        .into_iter()
        .map(|path| (path.clone(), address(&path)))
        .collect()
}

#[tokio::test]
async fn every_file_is_served_as_it_is_with_its_media_type() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let files = files();
    assert!(files.len() > 10);
    let mut etags = BTreeSet::new();
    for (path, address) in files {
        let answer = visitor.call(Method::GET, &address).await;
        assert_eq!(answer.status, 200, "{address}");
        assert_eq!(answer.text, fs::read_to_string(&path).unwrap(), "{address}");
        let expected = match path.extension().and_then(|extension| extension.to_str()) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("html") => "text/html; charset=utf-8",
            other => panic!("a media type for {other:?} is to be chosen"),
        };
        let media_type = header(&answer.headers, CONTENT_TYPE.as_str());
        assert_eq!(media_type, expected, "{address}");
        assert!(etags.insert(header(&answer.headers, ETAG.as_str()).to_owned()));

        let head = visitor.call(Method::HEAD, &address).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
        for name in [CONTENT_LENGTH, CONTENT_TYPE, ETAG] {
            assert_eq!(head.headers.get(&name), answer.headers.get(&name));
        }
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let stack = Plan::default().start().await;
    for address in ["/", "/assets/wechat-login.js"] {
        let mut visitor = stack.visitor();
        let answer = visitor.call(Method::GET, address).await;
        let etag = header(&answer.headers, ETAG.as_str()).to_owned();
        assert_eq!(header(&answer.headers, "cache-control"), "no-cache");
        for known in [etag.clone(), format!("\"other\", {etag}")] {
            visitor.set_header("if-none-match", &known);
            // A second request on the same connection: nothing of the first may be left over.
            for _ in 0..2 {
                let again = visitor.call(Method::GET, address).await;
                assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
                assert_eq!(header(&again.headers, ETAG.as_str()), etag);
            }
        }
        visitor.set_header("if-none-match", "\"other\"");
        let changed = visitor.call(Method::GET, address).await;
        assert_eq!((changed.status.as_u16(), changed.text), (200, answer.text));
    }
}

/// What stands in quotes after each of these beginnings.
fn quoted_after<'a>(text: &'a str, beginnings: &[&str]) -> Vec<&'a str> {
    beginnings
        .iter()
        .flat_map(|beginning| text.split(beginning).skip(1))
        .map(|rest| rest.split('"').next().expect("split gives one at least"))
        .collect()
}

async fn assert_served(stack: &Stack, from: &str, references: &[&str]) {
    let base = Url::parse(&format!("{}{from}", stack.sites[0].public)).expect("an address");
    for reference in references {
        let address = base.join(reference).expect("an address");
        assert_eq!(address.origin(), base.origin(), "{from} names {reference}");
        let answer = stack.visitor().call(Method::GET, address.path()).await;
        assert_eq!(answer.status, 200, "{from} names {reference}");
    }
}

#[tokio::test]
async fn the_page_and_the_scripts_name_only_what_is_served() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let page = visitor.call(Method::GET, "/").await.text;
    let references = quoted_after(&page, &[" src=\"/", " href=\"/"]);
    assert!(
        references.contains(&"assets/wechat-login.js"),
        "{references:?}"
    );
    assert_served(&stack, "/", &references).await;
    assert!(page.contains("<wechat-login"));

    let mut imports = 0;
    for (path, address) in files() {
        if path.extension().is_some_and(|extension| extension == "js") {
            let script = fs::read_to_string(&path).unwrap();
            let mut references = quoted_after(&script, &[" from \"", "import \"", "import(\""]);
            // Prose has such words as well.
            references.retain(|reference| reference.starts_with(['.', '/']));
            imports += references.len();
            assert_served(&stack, &address, &references).await;
        }
    }
    assert!(imports > 5, "the modal is made of several files");
}

#[tokio::test]
async fn another_sites_page_may_load_the_modal() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.set_header("origin", "https://shop.example");
    let answer = visitor.call(Method::GET, "/assets/wechat-login.js").await;
    assert_eq!(answer.status, 200);
    let allowed = header(&answer.headers, "access-control-allow-origin");
    assert_eq!(allowed, "*");
}

#[tokio::test]
async fn nothing_beside_the_files_is_served() {
    let stack = Plan::default().start().await;
    for path in [
        "/assets/",
        "/assets/nothing.js",
        "/assets/index.html",
        "/assets/wechat-login",
        "/assets/wechat-login/",
        "/assets/%2e%2e/login.rs",
        "/assets/..%2flogin.rs",
        "/assets//etc/passwd",
        "/assets/page.js%00",
        "/assets/PAGE.JS",
    ] {
        let answer = stack.visitor().call(Method::GET, path).await;
        assert_problem(&answer, 404, "not_found");
    }
}
