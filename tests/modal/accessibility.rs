//! axe-core over the gallery: every state in every language and theme, on a laptop and on a phone held
//! either way, in the page and as a dialog.

use std::{fs, path::Path};

use serde_json::{Value, json};
use system_tests::{
    browser::{Browser, DESKTOP, LANDSCAPE, PHONE},
    gallery::{self, MODAL},
    log_folder,
    pages::Pages,
};

/// What axe finds wrong in a document, shortly.
const COMPLAINTS: &str = "const complaints = async (about, rules = {}) => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'], rules });
    return violations.flatMap(({ id, nodes }) => nodes.map(
        (node) => `${about}: ${id}: ${node.target.flat().join(' ')}: ${node.failureSummary}`));
};";

async fn open(browser: &Browser, pages: &Pages) {
    browser.visit(&format!("{}/index.html", pages.origin)).await;
    browser.until("typeof gallery === 'object'").await;
    let axe = Path::new(MODAL).join("node_modules/axe-core/axe.min.js");
    let axe = fs::read_to_string(axe).expect("`npm ci` was run in services/site/modal");
    browser.run(&axe).await;
}

#[track_caller]
fn assert_none(complaints: &Value) {
    let complaints = complaints.as_array().expect("a list");
    let first: Vec<&Value> = complaints.iter().take(5).collect();
    assert!(
        first.is_empty(),
        "{} complaints: {first:#?}",
        complaints.len()
    );
}

#[tokio::test]
async fn every_state_in_the_page_is_accessible() {
    let pages = gallery::serve().await;
    let browser = Browser::start(&log_folder::create()).await;
    for screen in [DESKTOP, PHONE, LANDSCAPE] {
        browser.pose(screen, false).await;
        open(&browser, &pages).await;
        let shown = browser.value("document.querySelectorAll('figure').length");
        assert_eq!(shown.await, json!(31 * 3 * 2));
        let found = browser
            // No page but this one has so many logins in it.
            .run(&format!(
                "{COMPLAINTS} return complaints('inline', {{ 'landmark-unique': {{ enabled: false }} }});"
            ))
            .await;
        assert_none(&found);
    }
    browser.close(&[]).await;
}

#[tokio::test]
async fn every_state_in_a_dialog_is_accessible() {
    let pages = gallery::serve().await;
    let browser = Browser::start(&log_folder::create()).await;
    for screen in [DESKTOP, PHONE, LANDSCAPE] {
        browser.pose(screen, false).await;
        open(&browser, &pages).await;
        let states = browser.value("gallery.states").await;
        for state in states.as_array().expect("a list") {
            let found = browser
                .run(&format!(
                    "{COMPLAINTS} return (async () => {{
                        const found = [];
                        for (const language of gallery.languages) {{
                            for (const theme of gallery.themes) {{
                                await gallery.show({{ state: {state}, language, theme, frame: 'dialog' }});
                                const about = [{state}, language, theme].join(' ');
                                found.push(...await complaints(about));
                            }}
                        }}
                        return found;
                    }})();"
                ))
                .await;
            assert_none(&found);
        }
    }
    browser.close(&[]).await;
}

#[tokio::test]
async fn what_is_wrong_would_be_found() {
    let pages = gallery::serve().await;
    let browser = Browser::start(&log_folder::create()).await;
    browser.pose(DESKTOP, false).await;
    open(&browser, &pages).await;
    let spoil =
        "await gallery.show({ state: 'expired', language: 'en', theme: 'light', frame: 'dialog' });
        const root = document.querySelector('gallery-piece').shadowRoot;
        root.querySelector('.close').removeAttribute('aria-label');
        return complaints('spoilt');";
    let found = browser
        .run(&format!(
            "{COMPLAINTS} return (async () => {{ {spoil} }})();"
        ))
        .await;
    let complaint = found[0].as_str().expect("there is one");
    assert!(
        complaint.starts_with("spoilt: button-name: "),
        "{complaint}"
    );
    browser.close(&[]).await;
}
