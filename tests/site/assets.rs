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

/// What the page consists of, and the modal.
const FOLDERS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../services/site/src/assets"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../services/site/modal/dist"),
];

const BUNDLE: &str = "/assets/wechat-login.js";

/// Every file of the assets' folders and its address.
fn files() -> Vec<(PathBuf, String)> {
    let paths = FOLDERS
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("the folder can be read"))
        .map(|entry| entry.expect("an entry").path())
        // The list of the modal's files, for the compiler.
        .filter(|path| path.extension().is_none_or(|extension| extension != "rs"));
    let address = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("index.html") => "/".to_owned(),
        Some(name) => format!("/assets/{name}"),
        None => panic!("{} has a strange name", path.display()),
    };
    paths.map(|path| (path.clone(), address(&path))).collect()
}

/// The files that the bundle fetches when they are wanted, by their names with a digest.
fn pieces() -> Vec<String> {
    let addresses = files().into_iter().map(|(_, address)| address);
    addresses
        .filter(|address| address.starts_with("/assets/wechat-login.") && address != BUNDLE)
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
    for address in ["/", BUNDLE] {
        let mut visitor = stack.visitor();
        let answer = visitor.call(Method::GET, address).await;
        let etag = header(&answer.headers, ETAG.as_str()).to_owned();
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

    let bundle = visitor.call(Method::GET, BUNDLE).await.text;
    let references = quoted_after(&bundle, &["import(\""]);
    assert!(references.len() > 3, "{references:?}");
    assert_served(&stack, BUNDLE, &references).await;
    for piece in pieces() {
        let name = piece.strip_prefix("/assets/").expect("it is there");
        assert!(bundle.contains(name), "the bundle fetches {name}");
    }
}

/// The letters of each coding in a response, and how long it is.
async fn asked_with(stack: &Stack, address: &str, accepting: &str) -> (String, usize) {
    let mut visitor = stack.visitor();
    visitor.set_header("accept-encoding", accepting);
    let answer = visitor.send(Method::GET, address).await;
    assert_eq!(answer.status(), 200, "{address}");
    assert_eq!(header(answer.headers(), "vary"), "Accept-Encoding");
    let coding = header(answer.headers(), "content-encoding").to_owned();
    (coding, answer.bytes().await.expect("a body").len())
}

#[tokio::test]
async fn files_are_compressed_and_a_scan_needs_no_more_than_12_kib() {
    let stack = Plan::default().start().await;
    for address in ["/", "/assets/page.css", "/assets/login-stopped.css", BUNDLE] {
        let (_, plain) = asked_with(&stack, address, "identity").await;
        let (coding, gzip) = asked_with(&stack, address, "gzip, deflate").await;
        assert_eq!(coding, "gzip", "{address}");
        let (coding, brotli) = asked_with(&stack, address, "gzip, deflate, br, zstd").await;
        assert_eq!(coding, "br", "{address}");
        assert!(
            brotli < gzip && gzip < plain,
            "{address}: {brotli}, {gzip}, {plain}"
        );
    }
    let (_, bundle) = asked_with(&stack, BUNDLE, "br").await;
    assert!(bundle <= 12 * 1024, "{bundle} bytes");
    // What may hold a secret isn't.
    let mut visitor = stack.visitor();
    visitor.set_header("accept-encoding", "gzip, br");
    for (method, path) in [
        (Method::POST, "/api/login"),
        (Method::GET, "/api/login/events"),
        (Method::GET, "/api/session"),
    ] {
        let answer = visitor.send(method, path).await;
        assert_eq!(answer.headers().get("content-encoding"), None, "{path}");
    }
}

#[tokio::test]
async fn an_address_with_a_digest_is_kept_for_ever_and_the_stable_one_for_minutes() {
    const FOR_EVER: &str = "public, max-age=31536000, immutable";
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let bundle = visitor.call(Method::GET, BUNDLE).await;
    assert_eq!(
        header(&bundle.headers, "cache-control"),
        "public, max-age=300, stale-while-revalidate=86400"
    );
    // The entity tag is the digest of the bundle's own immutable address.
    let digest = header(&bundle.headers, "etag").trim_matches('"').to_owned();
    let named = format!("/assets/wechat-login.{digest}.js");
    let immutable = visitor.call(Method::GET, &named).await;
    assert_eq!(header(&immutable.headers, "cache-control"), FOR_EVER);
    assert_eq!(immutable.text, bundle.text);
    for piece in pieces() {
        let answer = visitor.call(Method::GET, &piece).await;
        assert_eq!(
            header(&answer.headers, "cache-control"),
            FOR_EVER,
            "{piece}"
        );
        // Another replica's version of it, while one version replaces another.
        let digest = piece.split('.').nth_back(1).expect("it has one");
        let others = piece.replace(digest, &"0".repeat(digest.len()));
        let there = visitor.call(Method::GET, &others).await;
        assert_eq!(header(&there.headers, "cache-control"), "no-cache");
        assert_eq!(there.text, answer.text, "{others}");
    }
    let page = visitor.call(Method::GET, "/").await;
    assert_eq!(header(&page.headers, "cache-control"), "no-cache");
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
        "/assets/wechat-login.nonsense.js",
        "/assets/wechat-login.phone.js",
        "/assets/files.rs",
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
