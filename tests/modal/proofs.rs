//! Work that a browser does before a login begins, when the site doesn't take it: it may have come
//! too late, or to a replica with another key.

use serde_json::json;
use system_tests::{browser::Browser, stack::Plan};

use crate::shop::{Shop, becomes, inside};

/// Replaces this many proofs by what is none.
fn spoiling(count: u32) -> String {
    format!(
        "const send = window.fetch;
        window.proofs = 0;
        window.fetch = (address, options) => {{
          const url = new URL(address, location.href);
          if (url.searchParams.has('proof')) {{
            window.proofs += 1;
            if (window.proofs <= {count}) url.searchParams.set('proof', 'none');
          }}
          return send(url, options);
        }};"
    )
}

/// A page whose visitor has to work, and a browser that spoils so many proofs; the modal is open.
async fn open(spoilt: u32) -> (Shop, Browser) {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_WITHOUT_PROOF", "1");
    let shop = Shop::of(plan, "<wechat-login></wechat-login>", "").await;
    let browser = Browser::start(&shop.stack.log).await;
    shop.stack.visitor().start_login().await;
    browser.prepare(&spoiling(spoilt)).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    (shop, browser)
}

const REFUSED: &str =
    "Failed to load resource: the server responded with a status of 429 (Too Many Requests)";

#[tokio::test]
async fn it_works_again_for_a_proof_that_was_refused() {
    let (_shop, browser) = open(2).await;
    becomes(&browser, "pending").await;
    assert_eq!(browser.value("proofs").await, json!(3));
    browser.close(&[REFUSED]).await;
}

#[tokio::test]
async fn it_works_three_times_at_most() {
    let (_shop, browser) = open(u32::MAX).await;
    becomes(&browser, "error").await;
    assert_eq!(browser.value("proofs").await, json!(3));
    browser.close(&[REFUSED]).await;
}
