//! What a visitor on a slow phone line waits for: 150 ms, 1.6 Mbit/s and a processor that is four
//! times slower, emulated by Chromium. The version before is measured in the same run, if the
//! environment names the folder of its binaries:
//!
//! `LOGIN_OLDER_BINARIES=target/older/debug cargo run -p system-tests --example slow_line`
//!
//! Prints medians: what loading the modal takes on a page of the login service's own origin, with an
//! empty cache and with what the browser has from the visit before, until the button is there; and
//! from the press until the code is. "Way not taken" is a stub at the stable address that imports
//! the immutable one.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::path::PathBuf;

use harness::older;
use reqwest::Method;
use serde_json::json;
use system_tests::{browser::Browser, stack::Plan};

/// Visits of each kind.
const VISITS: usize = 5;

/// The line: milliseconds there and back, and bytes a second (1.6 Mbit/s down, 0.75 up).
const LATENCY_MS: u32 = 150;
const DOWN: u32 = 200_000;
const UP: u32 = 93_750;

/// How many times slower the processor is.
const SLOWDOWN: u32 = 4;

/// What one visit took.
struct Visit {
    requests: f64,
    bytes: f64,
    button_ms: f64,
    code_ms: f64,
}

/// How the page comes by the modal, as a script that resolves when it is there.
#[derive(Clone, Copy)]
enum Way {
    /// By the stable address.
    Stable,
    /// By a small file that is asked for again each time, and leads to the immutable address. The
    /// icon stands for that file.
    Stub,
}

#[tokio::main]
async fn main() {
    println!("| version | cache | requests | bytes | until the button | until the code |");
    println!("|---|---|---|---|---|---|");
    if let Some(folder) = std::env::var_os(older::BINARIES) {
        let plan = Plan::default().binaries(&PathBuf::from(folder));
        measure("before", plan, Way::Stable).await;
    }
    measure("now", Plan::default(), Way::Stable).await;
    measure("way not taken", Plan::default(), Way::Stub).await;
}

async fn measure(version: &str, plan: Plan, way: Way) {
    let plan = plan.site("SITE__LIMITS__LOGINS_PER_MINUTE", "0");
    let stack = plan.start().await;
    let site = &stack.sites[0].public;
    let load = match way {
        Way::Stable => "const script = document.createElement('script');
             script.type = 'module';
             script.src = '/assets/wechat-login.js';
             document.head.append(script);"
            .to_owned(),
        Way::Stub => {
            let path = "/assets/wechat-login.js";
            let bundle = stack.visitor().send(Method::GET, path).await;
            let digest = bundle.headers()["etag"].to_str().expect("it is text");
            format!(
                "await fetch('/assets/icon.svg?stub', {{ cache: 'no-cache' }});
                 await import('/assets/wechat-login.{}.js');",
                digest.trim_matches('"')
            )
        }
    };
    let browser = Browser::start(&stack.log).await;
    slow_down(&browser).await;
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..VISITS {
        browser
            .devtools("Network.clearBrowserCache", json!({}))
            .await;
        cold.push(visit(&browser, site, &load).await);
        warm.push(visit(&browser, site, &load).await);
    }
    for (cache, visits) in [("cold", cold), ("warm", warm)] {
        let median = |of: fn(&Visit) -> f64| {
            let mut values: Vec<f64> = visits.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!(
            "| {version} | {cache} | {} | {} | {:.0} ms | {:.0} ms |",
            median(|visit| visit.requests),
            median(|visit| visit.bytes),
            median(|visit| visit.button_ms),
            median(|visit| visit.code_ms),
        );
    }
    browser.close(&[]).await;
}

async fn slow_down(browser: &Browser) {
    browser.devtools("Network.enable", json!({})).await;
    let line = json!({
        "offline": false, "latency": LATENCY_MS, "downloadThroughput": DOWN, "uploadThroughput": UP,
    });
    browser
        .devtools("Network.emulateNetworkConditions", line)
        .await;
    let rate = json!({ "rate": SLOWDOWN });
    browser
        .devtools("Emulation.setCPUThrottlingRate", rate)
        .await;
}

/// Puts the modal on a page, opens it once the button is there, waits for the code, and closes it.
async fn visit(browser: &Browser, site: &str, load: &str) -> Visit {
    // The smallest page of the site's own.
    browser
        .visit(&format!("{site}/login/wechat/stopped?because=over"))
        .await;
    let measured = browser
        .run(&format!(
            "return (async () => {{
                 performance.clearResourceTimings();
                 const login = document.createElement('wechat-login');
                 document.body.append(login);
                 const began = performance.now();
                 {load}
                 await customElements.whenDefined('wechat-login');
                 await new Promise((frame) => requestAnimationFrame(frame));
                 const button = performance.now() - began;
                 const sizes = performance.getEntriesByType('resource')
                     .filter(({{ name }}) => /wechat-login|stub/.test(name))
                     .map(({{ transferSize }}) => transferSize).filter((size) => size > 0);
                 const pressed = performance.now();
                 const code = new Promise((resolve) => {{
                     login.addEventListener('wechat-login-state', ({{ detail }}) => {{
                         if (detail.state === 'pending') resolve(performance.now() - pressed);
                     }});
                 }});
                 login.open();
                 const shown = await code;
                 login.close();
                 const bytes = sizes.reduce((sum, size) => sum + size, 0);
                 return {{ requests: sizes.length, bytes, button, code: shown }};
             }})();"
        ))
        .await;
    let number = |name: &str| measured[name].as_f64().expect("a number");
    Visit {
        requests: number("requests"),
        bytes: number("bytes"),
        button_ms: number("button"),
        code_ms: number("code"),
    }
}
