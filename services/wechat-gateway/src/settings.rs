//! The gateway's settings. Each file holds one section: its keys, and the struct that is made of
//! them.

mod account;
mod accounts;
mod compat;
mod console;
mod events;
mod listeners;
mod profile;
mod qr_codes;
mod relay;
mod reply;
mod webhooks;
mod wechat;

use std::{collections::BTreeMap, net::SocketAddr};

use login_protocol::{attempt::Approval, webhook::WebhookName};
use secrecy::SecretString;
use service_kit::{
    command_line::ServiceSettings,
    redis::REDIS_URL,
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
    telemetry::LogSettings,
    traces::TraceSettings,
};

use compat::CompatSection;
use console::ConsoleSection;

pub use account::{AccountSettings, Credentials, ShownAccount, ShownPicture, TokenMode};
pub use accounts::{ACCOUNTS, AccountsSettings};
pub use compat::{CODE, CompatSettings, WECHAT_SERVER_TOKEN};
pub use console::ConsoleOwners;
pub use events::EventSettings;
pub use listeners::{API_KEY, INTERNAL_BIND, InternalSettings, PUBLIC_BIND, PublicSettings};
pub use profile::ProfileSettings;
pub use qr_codes::QrCodeSettings;
pub use relay::{OnFailure, RelaySettings};
pub use reply::ReplySettings;
pub use webhooks::{WebhookSecret, WebhookSettings};
pub use wechat::WechatSettings;

/// The prefix of the environment's variables.
pub const PREFIX: &str = "GATEWAY";

/// All of the gateway's settings.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// The Official Accounts.
    pub accounts: AccountsSettings,
    /// Where WeChat is.
    pub wechat: WechatSettings,
    /// The listener for WeChat and phones.
    pub public: PublicSettings,
    /// The listener for sites, other backends and operators.
    pub internal: InternalSettings,
    /// The Redis that both services share.
    pub redis_url: SecretString,
    /// What makes a scan a login, where a site says nothing.
    pub approval: Approval,
    /// The stream of events.
    pub events: EventSettings,
    /// Who is told of events.
    pub webhooks: BTreeMap<WebhookName, WebhookSettings>,
    /// The door for software that knows wechat-server.
    pub compat: Option<CompatSettings>,
    /// Who may sign in to the console by WeChat.
    pub console: Option<ConsoleOwners>,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Where traces go, and which.
    pub traces: TraceSettings,
}

/// What makes a scan a login.
static APPROVAL: Key<Approval> = Key {
    name: "login.approval",
    default: Default::Text("scan"),
    example: "tap",
    meaning: "what makes a scan a login, for sites that don't say it themselves. `scan`: the scan \
              logs in; `tap`: the phone must also press a confirm button, on a page that web \
              authorisation (网页授权) opens",
    meaning_zh: "怎样才算登录（网站自己没有规定时）。`scan`：扫码即登录；`tap`：还要在手机上打开网页授权页面，点一次确认",
    secret: false,
    parse: parse::approval,
};

impl Section for GatewaySettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let accounts: Option<AccountsSettings> = reader.section();
        let wechat = reader.section();
        let public: Option<PublicSettings> = reader.section();
        let internal = reader.section();
        let redis_url = reader.value(&REDIS_URL);
        let approval = reader.value(&APPROVAL);
        let events = reader.section();
        let webhooks = webhooks::read(reader, events);
        let compat: Option<CompatSection> = reader.section();
        let console: Option<ConsoleSection> = reader.section();
        let log = reader.section();
        let traces = reader.section();
        if let (Some(Approval::Tap), Some(PublicSettings { url: None, .. })) = (approval, &public) {
            reader.complain(
                &listeners::PUBLIC_URL,
                "is missing, but login.approval = tap needs it for its link",
            );
        }
        if let (Some(accounts), Some(CompatSection(Some(compat)))) = (&accounts, &compat)
            && accounts.named(&compat.account).is_none()
        {
            let wrong = format!("is {}, which is no account of this gateway", compat.account);
            reader.complain(&compat::ACCOUNT, &wrong);
        }
        if let (Some(accounts), Some(ConsoleSection(Some(console)))) = (&accounts, &console) {
            if accounts.named(&console.account).is_none() {
                let wrong = format!(
                    "is {}, which is no account of this gateway",
                    console.account
                );
                reader.complain(&console::ACCOUNT, &wrong);
            }
            if let Some(PublicSettings { url: None, .. }) = &public {
                reader.complain(
                    &console::OPENIDS,
                    "needs public.url: owners confirm on a page of the gateway's",
                );
            }
        }
        Some(Self {
            accounts: accounts?,
            wechat: wechat?,
            public: public?,
            internal: internal?,
            redis_url: redis_url?,
            approval: approval?,
            events: events?,
            webhooks: webhooks?,
            compat: compat?.0,
            console: console?.0,
            log: log?,
            traces: traces?,
        })
    }
}

impl ServiceSettings for GatewaySettings {
    fn log(&self) -> &LogSettings {
        &self.log
    }

    fn traces(&self) -> Option<&TraceSettings> {
        Some(&self.traces)
    }

    fn health_bind(&self) -> SocketAddr {
        self.internal.bind
    }
}
