//! The owner's console in each of its states, with a month of made-up figures.

use jiff::Timestamp;
use login_protocol::{
    history::{Figure, Figures, Hour},
    steps::NoteHour,
};
use reqwest::Method;
use service_kit::http_client;
use system_tests::{
    browser::{Browser, DESKTOP, Screen},
    deadline::PATIENCE,
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    webhook_receiver::SECRET,
};

use crate::album::{Album, Look};

/// Tall enough for the whole overview.
const WHOLE: u32 = 2600;

/// One with everything well, one with troubles, and one where nobody has been yet.
pub(crate) struct Consoles {
    well: Stack,
    troubled: Stack,
    empty: Stack,
    /// Who has many sessions.
    person: Person,
    /// Who is banned.
    banned: Person,
}

pub(crate) async fn start() -> Consoles {
    let well = Plan::default()
        .sites(2)
        .account("shop")
        .site("SITE__LOGIN__SITE_NAME", "小林花店")
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__CONSOLE__OPENIDS", "oOwner0000000000000000000001")
        .start()
        .await;
    let troubled = Plan::default()
        .sites(0)
        .account("shop")
        .gateway(
            "GATEWAY__ACCOUNT__SHOP__APP_SECRET",
            "00000000000000000000000000000000",
        )
        // Nobody listens there.
        .gateway("GATEWAY__WEBHOOK__CRM__URL", "http://127.0.0.1:9/events")
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET)
        .start()
        .await;
    let newcomer = troubled.wechat.person("小雪", false).await;
    troubled.wechat.follow(&newcomer).await;
    let empty = Plan::default()
        .gateway("GATEWAY__EVENTS__KEEP_DAYS", "0")
        .start()
        .await;
    let banned = log_in(&well, "小雨").await;
    for nickname in ["大卫·Smith", "一个昵称很长很长很长很长很长很长的人"] {
        log_in(&well, nickname).await;
    }
    let person = log_in(&well, "小林").await;
    own_the_place(&well, &banned, &person).await;
    make_up_a_month(&well).await;
    Consoles {
        well,
        troubled,
        empty,
        person,
        banned,
    }
}

/// What the owner's software does there.
async fn own_the_place(stack: &Stack, banned: &Person, other: &Person) {
    let http = http_client::build(PATIENCE).expect("a client can be made");
    for (method, of, what) in [
        (Method::PUT, other, "ban"),
        (Method::DELETE, other, "ban"),
        (Method::PUT, banned, "ban"),
    ] {
        let gateway = &stack.gateways[0].internal;
        let url = format!("{gateway}/v1/members/{}/{what}", of.openid);
        let sent = http.request(method, url).bearer_auth(API_KEY).send().await;
        sent.expect("the gateway answers");
    }
    for _ in 0..12 {
        log_in_again(stack, other).await;
    }
}

async fn log_in(stack: &Stack, nickname: &str) -> Person {
    let person = stack.wechat.person(nickname, true).await;
    log_in_again(stack, &person).await;
    person
}

async fn log_in_again(stack: &Stack, person: &Person) {
    let mut visitor = stack.visitor();
    visitor.set_header(
        "user-agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/150.0.0.0 Safari/537.36",
    );
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
}

/// Busy by day, quiet by night, and a little busier each week.
async fn make_up_a_month(stack: &Stack) {
    let now = Hour::of(Timestamp::now());
    let mut notes = Vec::new();
    for ago in 0..30_u32 * 24 {
        let hour = now.earlier(i64::from(ago));
        let of_day = u64::from((ago + 7) % 24);
        let busy = 12_u64.abs_diff(of_day) * 11 + 9;
        let shown = busy * (60 - u64::from(ago) / 24) / 40 + u64::from(ago * 7 % 13);
        let scanned = shown * 87 / 100;
        let completed = scanned * 96 / 100;
        let mut added = Figures::default();
        for (figure, count) in [
            (Figure::Shown, shown),
            (Figure::Scanned, scanned),
            (Figure::Followed, scanned * 23 / 100),
            (Figure::Confirmed, scanned * 97 / 100),
            (Figure::Completed, completed),
            (Figure::Expired, shown - scanned),
            (Figure::Denied, scanned / 90),
            (Figure::Within100Ms, completed * 71 / 100),
            (Figure::Within250Ms, completed * 22 / 100),
            (Figure::Within500Ms, completed * 5 / 100),
            (Figure::Later, completed / 100),
        ] {
            added.add(figure, count);
        }
        notes.push(NoteHour {
            hour,
            process: "made-up".to_owned(),
            number: 1,
            added,
            waiting: None,
        });
    }
    let written = stack.redis.store().run_all(&notes).await;
    written.expect("Redis runs");
}

fn address(stack: &Stack, path: &str) -> String {
    format!("{}/console{path}", stack.gateways[0].internal)
}

async fn sign_in(browser: &Browser, stack: &Stack) {
    browser.visit(&address(stack, "/sign-in")).await;
    let field = browser.element("document.querySelector('#key')").await;
    field.send_keys(API_KEY).await.expect("keys");
    click(browser, "[name=sign-in]", ".verdict").await;
}

async fn click(browser: &Browser, button: &str, then: &str) {
    browser
        .click(&format!("document.querySelector('{button}')"))
        .await;
    browser
        .until(&format!("document.querySelector('{then}') !== null"))
        .await;
}

pub(crate) async fn take(consoles: &Consoles, album: &Album, look: Look) {
    let Consoles {
        well,
        troubled,
        empty,
        person,
        banned,
    } = consoles;
    let browser = Browser::speaking(look.language, &well.log).await;
    browser.pose(look.screen, look.dark).await;
    browser.visit(&address(well, "/sign-in")).await;
    album.keep(look, "console-1-sign-in", &browser).await;
    let field = browser.element("document.querySelector('#key')").await;
    field.send_keys("wrong").await.expect("keys");
    click(&browser, "[name=sign-in]", ".note").await;
    album.keep(look, "console-2-wrong-key", &browser).await;
    sign_in(&browser, well).await;
    let whole = Screen {
        height: WHOLE,
        ..look.screen
    };
    browser.pose(whole, look.dark).await;
    album.keep(look, "console-3-overview", &browser).await;
    browser.pose(look.screen, look.dark).await;
    let of_person = format!("/members/{}", person.openid);
    for (path, name) in [
        ("/members".to_owned(), "console-4-members"),
        ("/members?q=nobody".to_owned(), "console-5-nobody"),
        (of_person.clone(), "console-6-person"),
        (format!("{of_person}/ban"), "console-7-ban"),
        (format!("{of_person}/erase"), "console-8-erase"),
        ("/members/oNobody".to_owned(), "console-9-no-such-person"),
        (format!("/members/{}", banned.openid), "console-17-banned"),
        ("/activity".to_owned(), "console-18-activity"),
    ] {
        browser.visit(&address(well, &path)).await;
        album.keep(look, name, &browser).await;
    }
    browser.visit(&address(well, "/checks")).await;
    click(&browser, "[name=run]", ".findings li").await;
    album.keep(look, "console-10-checks", &browser).await;
    browser.visit(&address(well, "/webhooks")).await;
    album.keep(look, "console-12-no-webhooks", &browser).await;
    browser.visit(&address(well, "/sign-in")).await;
    click(&browser, "[name=wechat]", ".code svg").await;
    album.keep(look, "console-13-wechat", &browser).await;
    let code = "document.querySelector('.code').dataset.content";
    let code = browser.text(code).await;
    well.wechat.scan(person, &code).await;
    browser
        .until("document.querySelector('.scan .note') !== null")
        .await;
    album
        .keep(look, "console-14-wechat-scanned", &browser)
        .await;
    sign_in(&browser, troubled).await;
    browser.visit(&address(troubled, "/webhooks")).await;
    album.keep(look, "console-15-webhooks", &browser).await;
    click(&browser, ".card .button", "[name=sure]").await;
    album.keep(look, "console-16-redeliver", &browser).await;
    browser.visit(&address(troubled, "")).await;
    browser.pose(whole, look.dark).await;
    album.keep(look, "console-11-troubles", &browser).await;
    browser.visit(&address(troubled, "/checks")).await;
    click(&browser, "[name=run]", ".findings li").await;
    album.keep(look, "console-19-checks-failed", &browser).await;
    sign_in(&browser, empty).await;
    album.keep(look, "console-20-nothing-yet", &browser).await;
    browser.pose(look.screen, look.dark).await;
    for (path, name) in [
        ("/members", "console-21-no-members"),
        ("/activity", "console-22-no-activity"),
    ] {
        browser.visit(&address(empty, path)).await;
        album.keep(look, name, &browser).await;
    }
    lock(empty).await;
    browser.visit(&address(empty, "/sign-in")).await;
    let field = browser.element("document.querySelector('#key')").await;
    field.send_keys("wrong").await.expect("keys");
    click(&browser, "[name=sign-in]", ".note").await;
    album.keep(look, "console-23-locked", &browser).await;
    // For whoever looks next.
    let locks: Vec<String> = empty
        .redis
        .command(&["KEYS", "wechat-login:console-sign-ins:*"])
        .await;
    let _: i64 = empty.redis.command(&["DEL", &locks[0]]).await;
    browser.close(&["/console"]).await;
}

/// Ten wrong keys.
async fn lock(stack: &Stack) {
    let http = http_client::build(PATIENCE).expect("a client can be made");
    for _ in 0..10 {
        let sent = http
            .post(address(stack, "/sign-in"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("key=wrong");
        sent.send().await.expect("the gateway answers");
    }
}

/// The picture in docs/console.md.
pub(crate) async fn picture(consoles: &Consoles, album: &Album) {
    let browser = Browser::speaking("zh-CN", &consoles.well.log).await;
    browser
        .pose(
            Screen {
                height: 1000,
                ..DESKTOP
            },
            false,
        )
        .await;
    sign_in(&browser, &consoles.well).await;
    album.keep_in("docs", "console", &browser).await;
}
