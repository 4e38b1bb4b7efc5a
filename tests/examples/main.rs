//! The shops in `examples/`, each in its language, driven in a real Chromium: somebody new, somebody
//! who is bound to an account that exists, an unfollow, signing out, a forged form.

use std::path::PathBuf;

use harness::folder::TemporaryFolder;
use reqwest::Method;
use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::CODE,
    nginx::free_port,
    process::{self, Process},
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    visitor::Visitor,
};

const KEY: &str = "a-key-for-the-shops-backend-0123456789";
const TRIGGER: &str = "document.querySelector('wechat-login').shadowRoot.querySelector('.trigger')";

struct Shop {
    url: String,
    stack: Stack,
    _process: Process,
    _data: TemporaryFolder,
}

impl Shop {
    async fn start(program: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let stack = Plan::default()
            .site("SITE__INTERNAL__API_KEY", KEY)
            .site("SITE__PUBLIC__ALLOWED_ORIGINS", &url)
            .start()
            .await;
        let examples = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
        let examples = examples.to_str().expect("its path is text");
        let written = |text: &str| {
            text.replace("{examples}", examples)
                .replace("{address}", &format!("127.0.0.1:{port}"))
        };
        let arguments = arguments.iter().map(|argument| written(argument));
        // The shop's own table of users is no log.
        let data = TemporaryFolder::create("shop").expect("a folder can be made");
        let folder = data.path().to_str().expect("its path is text").to_owned();
        let environment = [
            ("PORT", port.to_string()),
            ("LOGIN", stack.sites[0].public.clone()),
            ("SITE", stack.sites[0].internal.clone()),
            ("SITE_KEY", KEY.to_owned()),
            ("GATEWAY", stack.gateways[0].internal.clone()),
            ("GATEWAY_KEY", API_KEY.to_owned()),
            ("PAGE", format!("{examples}/page.html")),
            ("DATA", folder.clone()),
            ("HOME", folder),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let process = process::start("shop", program, arguments, &environment, &stack.log);
        eventually("the shop listens", async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        Self {
            url,
            stack,
            _process: process,
            _data: data,
        }
    }
}

async fn scan(browser: &Browser, shop: &Shop, person: &Person) {
    browser.until(&format!("{TRIGGER}?.offsetWidth > 0")).await;
    browser.click(TRIGGER).await;
    let code = eventually("a phone can read the code", async || {
        browser
            .qr_code(&CODE.replace("#login", "wechat-login"))
            .await
    })
    .await;
    shop.stack.wechat.scan(person, &code).await;
}

async fn shows(browser: &Browser, who: &str, following: &str) {
    browser
        .until(&format!(
            "document.querySelector('#who')?.innerText.startsWith('{who}') \
             && document.querySelector('#following').innerText === '{following}'"
        ))
        .await;
}

async fn sign_out(browser: &Browser) {
    browser.click("document.querySelector('#out button')").await;
    shows(browser, "未登录", "未关注").await;
}

async fn is_a_shop(program: &str, arguments: &[&str]) {
    let shop = Shop::start(program, arguments).await;
    let browser = Browser::start(&shop.stack.log).await;
    let [newcomer, alice] = [
        shop.stack.wechat.person("小林", true).await,
        shop.stack.wechat.person("小王", true).await,
    ];
    browser.visit(&shop.url).await;
    shows(&browser, "未登录", "未关注").await;
    scan(&browser, &shop, &newcomer).await;
    shows(&browser, "wx-", "已关注").await;
    shop.stack.wechat.unfollow(&newcomer).await;
    browser.visit(&shop.url).await;
    shows(&browser, "wx-", "未关注").await;
    sign_out(&browser).await;

    // An account that exists is bound by a scan, and the scan alone signs it in afterwards.
    browser
        .value(
            "(() => { const { elements } = document.querySelector('#password'); \
             elements.name.value = 'alice'; elements.password.value = 'correct horse'; \
             return true; })()",
        )
        .await;
    browser
        .click("document.querySelector('#password button')")
        .await;
    shows(&browser, "alice", "未关注").await;
    scan(&browser, &shop, &alice).await;
    shows(&browser, "alice", "已关注").await;
    sign_out(&browser).await;
    scan(&browser, &shop, &alice).await;
    shows(&browser, "alice", "已关注").await;
    sign_out(&browser).await;
    browser.close(&["favicon.ico"]).await;

    // A page of somebody else's knows no token, and an invented ticket is nobody's.
    let mut stranger = Visitor::new(&shop.url);
    let page = stranger.call(Method::GET, "/").await.text;
    for path in ["/wechat", "/password", "/out"] {
        let fields = "csrf=guessed&ticket=invented&name=alice&password=correct+horse";
        let answer = stranger.post_form(path, fields.to_owned()).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let (_, token) = page.split_once("name=\"csrf\" value=\"").expect("a token");
    let (token, _) = token.split_once('"').expect("which ends");
    let fields = format!("csrf={token}&ticket=invented");
    let answer = stranger.post_form("/wechat", fields).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_shop_in_php() {
    let script = "{examples}/php/shop.php";
    is_a_shop("php", &["-S", "{address}", script]).await;
}

#[tokio::test]
async fn a_shop_in_python() {
    is_a_shop("/usr/bin/python3", &["{examples}/python/shop.py"]).await;
}

#[tokio::test]
async fn a_shop_in_java() {
    is_a_shop(
        "java",
        &["-Dfile.encoding=UTF-8", "{examples}/java/Shop.java"],
    )
    .await;
}
