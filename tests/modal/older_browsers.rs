//! Browsers of some years ago: what they lack is taken away from today's before the page's scripts.

use serde_json::json;
use system_tests::browser::Browser;
use thirtyfour::Key;

use crate::shop::{LOGIN, Shop, becomes, code, inside};

/// Safari and iOS before 16.4: no style sheets that scripts construct.
const NO_CONSTRUCTED_SHEETS: &str = "
    delete Document.prototype.adoptedStyleSheets;
    delete ShadowRoot.prototype.adoptedStyleSheets;
    delete CSSStyleSheet.prototype.replaceSync;
    delete CSSStyleSheet.prototype.replace;
    const { prototype } = CSSStyleSheet;
    window.CSSStyleSheet = function () { throw new TypeError('Illegal constructor'); };
    window.CSSStyleSheet.prototype = prototype;
";

/// Safari and iOS before 15.4.
const NO_DIALOGS: &str = "
    delete HTMLDialogElement.prototype.showModal;
    delete HTMLDialogElement.prototype.show;
    delete window.HTMLDialogElement;
";

/// What came after Chromium 87 and Safari 15, but for `Object.hasOwn`, which the driver itself needs.
const NOTHING_NEWER: &str = "
    delete AbortSignal.prototype.throwIfAborted;
    delete AbortSignal.prototype.reason;
    delete AbortSignal.timeout;
    delete AbortSignal.any;
    const { addEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, listener, options) {
        const { signal, ...others } = typeof options === 'object' && options ? options : { capture: options };
        return addEventListener.call(this, type, listener, others);
    };
    for (const type of [Array, String, Int8Array.__proto__]) delete type.prototype.at;
    for (const name of ['findLast', 'findLastIndex', 'toSorted', 'toReversed', 'with']) delete Array.prototype[name];
    delete window.structuredClone;
    delete Promise.withResolvers;
    for (const name of Object.getOwnPropertyNames(Element.prototype)) {
        if (name.startsWith('aria')) delete Element.prototype[name];
    }
    delete Element.prototype.role;
";

/// Of the login service, what docs/your-page.md names for browsers that construct no style sheets.
const STRICT: &str = "default-src 'none'; script-src LOGIN; style-src LOGIN; connect-src LOGIN; \
                      img-src data: https: http:";

const FOCUSED: &str = "(document.activeElement.shadowRoot ?? document).activeElement";

async fn press(browser: &Browser, key: Key) {
    let focused = browser.element("document.activeElement").await;
    focused.send_keys(key).await.expect("a key");
}

#[tokio::test]
async fn without_dialogs_and_constructed_sheets_a_login_works_by_keyboard() {
    let shop = Shop::under_policy("<wechat-login></wechat-login>", STRICT).await;
    let browser = Browser::start(&shop.stack.log).await;
    let person = shop.stack.wechat.person("小林", true).await;
    for script in [NO_CONSTRUCTED_SHEETS, NO_DIALOGS, NOTHING_NEWER] {
        browser.prepare(&format!("(() => {{ {script} }})();")).await;
    }
    shop.visit(&browser).await;
    // The sheet comes by its address.
    let styled = format!(
        "getComputedStyle({}).borderRadius === '999px'",
        inside(".trigger")
    );
    browser.until(&styled).await;
    let on_trigger = format!("{FOCUSED}.className === 'trigger'");
    browser
        .run(&format!("{}.focus();", inside(".trigger")))
        .await;
    press(&browser, Key::Enter).await;
    let first = code(&browser).await;
    assert_eq!(browser.value(&inside("dialog")).await, json!(null));
    let dialog = inside("[role=dialog][aria-modal=true]");
    assert_eq!(
        browser.value(&format!("{dialog}.clientWidth")).await,
        json!(376)
    );
    // The focus goes round inside.
    for _ in 0..4 {
        press(&browser, Key::Tab).await;
        let inside_dialog = format!("{dialog}.contains({FOCUSED})");
        assert_eq!(browser.value(&inside_dialog).await, json!(true));
    }
    press(&browser, Key::Escape).await;
    becomes(&browser, "closed").await;
    assert_eq!(browser.value(&on_trigger).await, json!(true));

    press(&browser, Key::Enter).await;
    let second = code(&browser).await;
    assert_ne!(second, first);
    shop.stack.wechat.scan(&person, &second).await;
    browser
        .until("heard.some(({ type }) => type === 'wechat-login')")
        .await;
    becomes(&browser, "closed").await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn with_dialogs_alone_a_login_works_too() {
    let shop = Shop::under_policy("<wechat-login></wechat-login>", STRICT).await;
    let browser = Browser::start(&shop.stack.log).await;
    let person = shop.stack.wechat.person("小林", true).await;
    for script in [NO_CONSTRUCTED_SHEETS, NOTHING_NEWER] {
        browser.prepare(&format!("(() => {{ {script} }})();")).await;
    }
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    let shown = code(&browser).await;
    let width = format!("{}.offsetWidth", inside("dialog"));
    assert_eq!(browser.value(&width).await, json!(376));
    shop.stack.wechat.scan(&person, &shown).await;
    becomes(&browser, "closed").await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn where_the_page_forbids_the_sheet_a_link_leads_to_the_hosted_page() {
    let policy = STRICT.replace("style-src LOGIN", "style-src 'none'");
    let shop = Shop::under_policy("<wechat-login></wechat-login>", &policy).await;
    let browser = Browser::start(&shop.stack.log).await;
    browser
        .prepare(&format!("(() => {{ {NO_CONSTRUCTED_SHEETS} }})();"))
        .await;
    shop.visit(&browser).await;
    let link = inside(".plain-link");
    browser.until(&format!("!{link}.hidden")).await;
    let expected = format!(
        "{}/login?return_to={}",
        shop.stack.sites[0].public,
        format!("{}/", shop.pages.origin)
            .replace(':', "%3A")
            .replace('/', "%2F")
    );
    assert_eq!(browser.text(&format!("{link}.href")).await, expected);
    assert_eq!(
        browser.text(&format!("{link}.textContent")).await,
        "微信扫码登录"
    );
    let trigger = format!("{}.checkVisibility()", inside(".trigger"));
    assert_eq!(browser.value(&trigger).await, json!(false));
    browser.close(&["Content Security Policy"]).await;
}

#[tokio::test]
async fn where_there_are_no_custom_elements_the_pages_own_link_stays() {
    let link = "/passport/login?return_to=%2F";
    let body = format!("<wechat-login><a href=\"{link}\">微信登录</a></wechat-login>");
    let shop = Shop::with(&body).await;
    let browser = Browser::start(&shop.stack.log).await;
    browser
        .prepare("Object.defineProperty(window, 'customElements', { value: undefined });")
        .await;
    shop.visit(&browser).await;
    assert_eq!(
        browser.value(&format!("{LOGIN}.shadowRoot")).await,
        json!(null)
    );
    let visible = format!("{LOGIN}.querySelector('a').checkVisibility()");
    assert_eq!(browser.value(&visible).await, json!(true));
    browser.close(&[]).await;
}
