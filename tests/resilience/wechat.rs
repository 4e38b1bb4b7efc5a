//! WeChat is slow, down or wrong wherever a login needs it: who waits is told, and the login goes
//! on.

use futures_util::future::join_all;
use serde_json::{Value, json};
use system_tests::{edge::Order, stack::Plan};

use crate::{
    login::{Login, Phase},
    system::System,
};

/// What goes wrong, as the simulator's fault rules say it.
fn troubles() -> [Value; 6] {
    [
        // Longer than any call may take.
        json!({ "kind": "slow", "delay_ms": 12_000 }),
        json!({ "kind": "hang_up" }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "html" }),
        json!({ "kind": "errcode", "errcode": -1 }),
        json!({ "kind": "body", "body": "{\"ticket\":" }),
    ]
}

async fn logs_in_through(trouble: Value) {
    let system = System::start(Plan::default(), true, Order::FirstAlive).await;
    for (phase, path) in [
        (Phase::BeforeTheCode, "/cgi-bin/qrcode/create"),
        (Phase::CodeShown, "/cgi-bin/user/info"),
        (Phase::Scanned, "/sns/oauth2/access_token"),
    ] {
        let mut login = Login::reach(&system, phase).await;
        let mut rule = trouble.clone();
        rule["path"] = json!(path);
        system.stack.wechat.faults(json!([rule])).await;
        match phase {
            Phase::BeforeTheCode => login.code_is_refused("wechat_unavailable").await,
            Phase::Scanned => login.phone_is_told(&system).await,
            // The profile is wanted, the login isn't to wait for it: nobody notices.
            _ => {
                login.finish(&system).await;
                continue;
            }
        }
        system.stack.wechat.faults(json!([])).await;
        login.finish(&system).await;
    }
}

#[tokio::test]
async fn wechat_fails_in_every_phase_that_needs_it() {
    join_all(troubles().map(logs_in_through)).await;
}
