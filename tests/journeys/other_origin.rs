//! A page of another origin embeds the modal. Two ports of one host are two origins of the same
//! site, as www.example.com and login.example.com are: the cookies go along, and the browser asks
//! for permission.

use serde_json::json;
use system_tests::{
    browser::{Browser, PHONE},
    login_page::LoginPage,
    phone_tab::WECHAT,
    stack::{Plan, Stack},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A website of its own, whose only page embeds the modal.
struct Shop {
    origin: String,
    serving: JoinHandle<()>,
}

impl Shop {
    fn start(listener: TcpListener, login: &str) -> Self {
        let origin = origin_of(&listener);
        // The page knows what the driver of the site's own page looks for.
        let page = format!(
            "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Shop</title>\
             <main id=\"session\" data-session=\"out\"><wechat-login id=\"login\"></wechat-login></main>\
             <script type=\"module\" src=\"{login}/assets/wechat-login.js\"></script></html>"
        );
        let serving = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(serve(browser, page.clone()));
            }
        });
        Self { origin, serving }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(browser: TcpStream, page: String) {
    let mut browser = BufReader::new(browser);
    let mut line = String::new();
    while browser
        .read_line(&mut line)
        .await
        .is_ok_and(|read| read > 2)
    {
        line.clear();
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close";
    let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
    // An error is a browser that went away.
    let _ = browser.write_all(answer.as_bytes()).await;
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn origin_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("it listens"))
}

/// A system that allows the shop's origin, and the shop.
async fn start() -> (Stack, Shop) {
    let listener = listen().await;
    let plan = Plan::default().site("SITE__PUBLIC__ALLOWED_ORIGINS", &origin_of(&listener));
    let mut stack = plan.start().await;
    stack.publish_site().await;
    let shop = Shop::start(listener, &stack.sites[0].public);
    (stack, shop)
}

/// A promise of what this address of the API answers, as the shop's page reads it.
fn ask(stack: &Stack, path: &str, then: &str) -> String {
    let site = &stack.sites[0].public;
    format!("fetch('{site}{path}', {{ credentials: 'include' }}).then({then})")
}

async fn openid(browser: &Browser, stack: &Stack) -> serde_json::Value {
    let read = "async (answer) => (await answer.json()).user.openid";
    browser.value(&ask(stack, "/api/session", read)).await
}

#[tokio::test]
async fn a_visitor_of_an_allowed_origins_page_logs_in_there() {
    let (stack, shop) = start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &shop.origin).await;
    browser
        .value("addEventListener('wechat-login', (event) => { window.user = event.detail.user; }) ?? true")
        .await;
    // Closing ends the attempt, for which a browser asks with a preflight first.
    page.open_code().await;
    page.close().await;
    let gone = ask(&stack, "/api/login", "(answer) => answer.status === 404");
    browser.until(&gone).await;

    let code = page.open_code().await;
    stack.wechat.scan(&person, &code).await;
    page.becomes("closed").await;
    assert_eq!(browser.value("user.openid").await, json!(person.openid));
    assert_eq!(openid(&browser, &stack).await, json!(person.openid));
    let way = ["loading", "pending", "completing", "confirmed", "closed"];
    assert_eq!(page.states().await[3..], way);
    browser
        .close(&["/api/login - Failed to load resource: the server responded with a status of 404"])
        .await;
}

#[tokio::test]
async fn inside_wechat_the_visitor_comes_back_to_that_page() {
    let (stack, shop) = start().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    browser.pose(PHONE, false).await;
    browser.call_itself(WECHAT).await;
    browser.belongs_to(&person, &stack.wechat).await;
    let address = format!("{}/?item=1", shop.origin);
    LoginPage::visit(&browser, &address).await.open().await;
    browser
        .until("location.pathname === '/connect/oauth2/authorize'")
        .await;
    browser.press("allow").await;
    browser
        .until(&format!("location.href === '{address}#'"))
        .await;
    assert_eq!(openid(&browser, &stack).await, json!(person.openid));
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_page_of_any_other_origin_learns_and_changes_nothing() {
    let (stack, shop) = start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &shop.origin).await;
    let code = page.open_code().await;
    stack.wechat.scan(&person, &code).await;
    page.becomes("closed").await;
    let codes = stack.wechat.calls("/cgi-bin/qrcode/create").await;

    let foreign = Shop::start(listen().await, &stack.sites[0].public);
    let elsewhere = LoginPage::visit(&browser, &foreign.origin).await;
    elsewhere.open().await;
    elsewhere.becomes("offline").await;
    for method in ["GET", "DELETE"] {
        let read = format!(
            "fetch('{}/api/session', {{ credentials: 'include', method: '{method}' }}).then(() => 'read', () => 'kept')",
            stack.sites[0].public
        );
        assert_eq!(browser.text(&read).await, "kept", "{method}");
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, codes);

    browser.visit(&shop.origin).await;
    assert_eq!(openid(&browser, &stack).await, json!(person.openid));
    browser
        .close(&["blocked by CORS policy", "net::ERR_FAILED"])
        .await;
}
