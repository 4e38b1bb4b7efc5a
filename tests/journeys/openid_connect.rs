//! Logging in on the way to another website: a real browser, from the client's link to the client.

use reqwest::{Method, header::LOCATION};
use system_tests::{
    browser::Browser,
    deadline::{PATIENCE, eventually},
    login_page::CODE,
    stack::Plan,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

/// Serves the client's callback once, and returns the request line and the body.
async fn callback(listener: &TcpListener) -> (String, String) {
    let served = async {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut received = Vec::new();
            while stream.read_buf(&mut received).await.expect("it sends") > 0 {
                let text = String::from_utf8_lossy(&received).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let line = head.lines().next().unwrap_or_default().to_owned();
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    let is_length = name.eq_ignore_ascii_case("content-length");
                    is_length.then(|| value.trim().parse::<usize>().ok())?
                });
                if body.len() < length.unwrap_or(0) {
                    continue;
                }
                let page = "<!doctype html><title>client</title>";
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
                stream.write_all(answer.as_bytes()).await.expect("it reads");
                if line.contains("/callback") {
                    return (line, body.to_owned());
                }
                break;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("the browser comes")
}

#[tokio::test]
async fn a_visitor_scans_and_arrives_at_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = listener.local_addr().expect("it is bound");
    let uri = format!("http://{client}/callback");
    let stack = Plan::default()
        .site(
            "SITE__OIDC__SECRET",
            "oidc-secret-of-more-than-32-characters",
        )
        .site(
            "SITE__CLIENT__WIKI__SECRET",
            "wiki-secret-of-thirty-two-characters",
        )
        .site("SITE__CLIENT__WIKI__REDIRECT_URIS", &uri)
        .site("SITE__CLIENT__WIKI__SITE_NAME", "小林的维基")
        .start()
        .await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    for (mode, begins) in [
        ("query", "GET /callback?code="),
        ("form_post", "POST /callback "),
    ] {
        // The link of the client's page.
        let asked = format!(
            "/oidc/authorize?client_id=wiki&response_type=code&scope=openid&state=s&prompt=login\
             &response_mode={mode}&redirect_uri={uri}"
        );
        let answer = stack.visitor().call(Method::GET, &asked).await;
        let page = answer.headers[LOCATION].to_str().unwrap().to_owned();
        let page = format!("{}/oidc/{page}", stack.sites[0].public);
        browser.visit(&page).await;
        browser
            .until("document.querySelector('#login').dataset.state === 'pending'")
            .await;
        let title = browser
            .text("document.querySelector('h1').textContent")
            .await;
        assert_eq!(title, "登录 小林的维基");
        let code = eventually("a phone can read the code", async || {
            browser.qr_code(CODE).await
        })
        .await;
        stack.wechat.scan(&person, &code).await;
        let (line, body) = callback(&listener).await;
        assert!(line.starts_with(begins), "{line}");
        assert!(format!("{line}{body}").contains("state=s"), "{line} {body}");
        browser.until("document.title === 'client'").await;
    }
    browser.close(&[]).await;
}
