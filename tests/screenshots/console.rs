//! The owner's console in each of its states, with a month of made-up figures.

use jiff::Timestamp;
use login_protocol::{
    history::{Figure, Figures, Hour},
    steps::NoteHour,
};
use system_tests::{
    browser::{Browser, DESKTOP, Screen},
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    webhook_receiver::SECRET,
};

use crate::album::{Album, Look};

/// Tall enough for the whole overview.
const WHOLE: u32 = 2600;

/// One with everything well, and one with troubles.
pub(crate) struct Consoles {
    well: Stack,
    troubled: Stack,
    person: Person,
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
    let mut person = None;
    for nickname in [
        "小雨",
        "大卫·Smith",
        "一个昵称很长很长很长很长很长很长的人",
        "小林",
    ] {
        person = Some(log_in(&well, nickname).await);
    }
    make_up_a_month(&well).await;
    Consoles {
        well,
        troubled,
        person: person.expect("four have logged in"),
    }
}

async fn log_in(stack: &Stack, nickname: &str) -> Person {
    let person = stack.wechat.person(nickname, true).await;
    let mut visitor = stack.visitor();
    visitor.set_header(
        "user-agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/150.0.0.0 Safari/537.36",
    );
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
    person
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
        person,
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
    browser.close(&["/console"]).await;
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
