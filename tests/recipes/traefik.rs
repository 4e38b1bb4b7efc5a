//! The configuration of Traefik in `docs/connect-an-account.md`, run by a real Traefik.

use std::{fs, net::TcpStream, path::Path};

use reqwest::Method;
use system_tests::{
    deadline::eventually,
    nginx::{blocks_of, free_port, without_comments},
    process,
    stack::Plan,
    visitor::Visitor,
};

use crate::bed::Bed;

const ENGLISH: &str = include_str!("../../docs/connect-an-account.md");
const CHINESE: &str = include_str!("../../docs/connect-an-account.zh-CN.md");

fn snippet(markdown: &str) -> String {
    let blocks = blocks_of(markdown, "yaml");
    let [block] = blocks.as_slice() else {
        panic!("one configuration: {blocks:?}");
    };
    block.clone()
}

/// It as it stands, but for the addresses and without TLS.
fn here(site: &str) -> String {
    let mut text = snippet(ENGLISH);
    for (of, by) in [
        ("Host(`login.example.com`)", "Host(`127.0.0.1`)"),
        ("      tls: { certResolver: letsencrypt }\n", ""),
        ("http://127.0.0.1:8080", site),
    ] {
        assert!(text.contains(of), "no {of} in {text}");
        text = text.replace(of, by);
    }
    text
}

/// Puts it where Traefik watches, whole at once.
fn write(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).expect("it can be written");
    fs::rename(new, file).expect("it can be replaced");
}

#[test]
fn both_languages_show_the_same_configuration() {
    assert_eq!(
        without_comments(&snippet(ENGLISH)),
        without_comments(&snippet(CHINESE))
    );
}

#[tokio::test]
async fn logins_through_traefik_go_on_while_it_reloads() {
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let plan = Plan::default()
        .site("SITE__PUBLIC__URL", &public)
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1")
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "3");
    let stack = plan.start().await;
    let site = stack.sites[0].public.clone();
    let (folder, access) = (stack.log.join("dynamic"), stack.log.join("access.log"));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let file = folder.join("login.yml");
    write(&file, &here(&site));
    let arguments = [
        format!("--entryPoints.websecure.address=127.0.0.1:{port}"),
        format!("--providers.file.directory={}", folder.display()),
        format!("--accessLog.filePath={}", access.display()),
        "--accessLog.fields.names.RequestPath=drop".to_owned(),
        "--global.checkNewVersion=false".to_owned(),
        "--global.sendAnonymousUsage=false".to_owned(),
    ];
    let program = Bed::program("python/bin/traefik");
    let _traefik = process::start("traefik", program, arguments, &[], &stack.log);
    eventually("Traefik listens and has read its file", async || {
        TcpStream::connect(("127.0.0.1", port)).ok()?;
        let answer = Visitor::new(&public).try_call(Method::GET, "/").await?;
        (answer.status == 200).then_some(())
    })
    .await;

    let person = stack.wechat.person("小林", true).await;
    let mut visitor = Visitor::new(&public);
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    let both = "Host(`127.0.0.1`) || Host(`other.localhost`)";
    write(&file, &here(&site).replace("Host(`127.0.0.1`)", both));
    let mut other = Visitor::new(&public);
    other.set_header("host", "other.localhost");
    eventually("Traefik has read its file again", async || {
        let answer = other.try_call(Method::GET, "/assets/icon.svg").await?;
        (answer.status == 200).then_some(())
    })
    .await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    assert_eq!(visitor.complete().await["openid"], person.openid.as_str());

    // Whatever a client makes up, it stays one client.
    let mut forger = Visitor::new(&public);
    for (number, status) in [201, 201, 429].into_iter().enumerate() {
        forger.cookies().clear();
        forger.set_header("x-forwarded-for", &format!("203.0.113.{number}"));
        let answer = forger.call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }

    let path = "/login/wechat?code=a-secret-code&state=a";
    assert_eq!(visitor.call(Method::GET, path).await.status, 303);
    assert_eq!(other.call(Method::GET, "/the-last").await.status, 404);
    // It writes what is dropped as a dash.
    let written = eventually("Traefik has written its log", async || {
        let written = fs::read_to_string(&access).unwrap_or_default();
        written.contains(" 404 ").then_some(written)
    })
    .await;
    assert!(!written.contains("a-secret-code"), "{written}");
}
