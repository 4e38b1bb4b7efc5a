//! One account for unit tests, with a clock of theirs. Neither WeChat nor Redis answers it.

use std::sync::Arc;

use login_protocol::account::AccountName;
use service_kit::{clock::Clock, redis::Store, settings};

use crate::{
    accounts::{Account, Shared},
    phone::browser::PhoneBrowsers,
    settings::{AccountSettings, GatewaySettings, PREFIX},
    wechat::clock::WechatClock,
};

/// Port 1 of this machine refuses connections.
const SETTINGS: &str = r#"
    [wechat]
    app_id = "wx00000000000000ee"
    app_secret = "testsecret00testsecret00testsecr"
    token = "testtokentesttoken"
    api_url = "http://127.0.0.1:1"
    mp_url = "http://127.0.0.1:1"
    open_url = "http://127.0.0.1:1"

    [redis]
    url = "redis://127.0.0.1:1"

    [internal]
    api_key = "test-api-key-test-api-key-test-api-key"

    [reply]
    keywords = '{"hours": "from nine to six"}'

    [limits]
    qr_codes_per_day = 9000
"#;

/// Its settings, and what it shares with others.
pub(crate) fn settings(clock: Clock) -> (AccountSettings, Shared) {
    let read: GatewaySettings = settings::parse(PREFIX, SETTINGS, []).expect("they are complete");
    let account = read.accounts.default.expect("it is set");
    let shared = Shared {
        store: Arc::new(Store::new(&read.redis_url).expect("it is an address")),
        wechat: read.wechat,
        wechat_clock: Arc::new(WechatClock::new(clock.clone())),
        clock,
        browsers: PhoneBrowsers::new(None, read.public.trusted_proxies.clone()),
        public_url: None,
        proxies: read.public.trusted_proxies,
        approval: read.approval,
        tells: true,
        webhooks: Vec::new(),
        compat: read.compat,
        secret: read.internal.api_keys.current,
    };
    (account, shared)
}

/// The account.
pub(crate) fn account(clock: Clock) -> Account {
    let (settings, shared) = settings(clock);
    Account::new(AccountName::default(), settings, &shared).expect("it has a client")
}
