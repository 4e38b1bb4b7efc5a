//! Pictures of the real system, to look at: every state of the modal, the page, the simulator's
//! phone and the pages it opens; on a desktop and on a phone, light and dark, in Chinese and in
//! English.
//!
//! `TEST_SCREENSHOT_DIR=/tmp/pictures cargo run -p system-tests --example screenshots`
//! `-- console` takes those of the owner's console alone, `-- states` the one of the modal's states.
//! The pictures in the README and in docs/modal.md come from the same run, in its folder `docs`.

mod album;
mod console;
mod modal;
mod pages;
mod phone;
mod readme;

use album::{Album, Look};
use system_tests::{
    browser::{DESKTOP, PHONE},
    stack::Plan,
};

#[tokio::main]
async fn main() {
    let folder = std::env::var_os("TEST_SCREENSHOT_DIR")
        .expect("TEST_SCREENSHOT_DIR names the folder for the pictures");
    let album = Album::new(folder.into());
    let asked_for = |part: &str| std::env::args().any(|argument| argument == part);
    if asked_for("states") {
        readme::take_states(&album).await;
        return;
    }
    let consoles = console::start().await;
    let looks = ["zh-CN", "en"].into_iter().flat_map(|language| {
        [
            (DESKTOP, false),
            (DESKTOP, true),
            (PHONE, false),
            (PHONE, true),
        ]
        .map(|(screen, dark)| Look {
            screen,
            dark,
            language,
        })
    });
    console::picture(&consoles, &album).await;
    for look in looks.clone() {
        console::take(&consoles, &album, look).await;
    }
    if asked_for("console") {
        return;
    }
    readme::take_states(&album).await;
    let stack = Plan::default()
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .start()
        .await;
    // Long enough to be photographed in time, short enough to wait for.
    let short_lived = Plan::default()
        .site("SITE__LOGIN__TTL_SECONDS", "3")
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .start()
        .await;
    let tapping = pages::start().await;
    readme::take(&stack, &album).await;
    for look in looks {
        modal::take(&stack, &short_lived, &album, look).await;
        phone::take(&album, look).await;
        pages::take(&tapping, &album, look).await;
    }
}
