//! Who is told of events: each receiver is a named table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use login_protocol::{event::EventKind, webhook::WebhookName};
use service_kit::{
    private_networks::is_private,
    settings::{Default, Key, NamedTable, Reader, Section},
};
use standardwebhooks::Webhook;
use url::Url;

use super::events::{EventSettings, KEEP_DAYS};

/// The receivers.
pub(super) static WEBHOOKS: NamedTable = NamedTable {
    kind: "webhook",
    own_section: "webhook",
    meaning: "Every receiver of events has a name: a lower-case letter and up to 31 lower-case letters and \
              digits. `[webhook.crm]` in TOML is `GATEWAY__WEBHOOK__CRM__URL` in the environment. \
              [docs/events.md](events.md) says what it gets.",
    meaning_zh: "每个接收事件的地址各起一个名字：小写字母开头，后面最多 31 个小写字母或数字。\
                 TOML 里写 `[webhook.crm]`，环境变量写 `GATEWAY__WEBHOOK__CRM__URL`。\
                 收到的内容见 [docs/events.zh-CN.md](events.zh-CN.md)。",
};

static URL: Key<Url> = Key {
    name: "webhook.url",
    default: Default::Required,
    example: "https://crm.example.com/wechat-events",
    meaning: "where events are posted; http for loopback and private networks only. Redirects aren't \
              followed",
    meaning_zh: "事件推送到哪个地址；只有本机和内网可以用 http。不跟随重定向",
    // Its query or its password may be a key.
    secret: true,
    parse: address,
};

/// What a secret begins with (Standard Webhooks, "Symmetric").
const SECRET_PREFIX: &str = "whsec_";

static SECRET: Key<WebhookSecret> = Key {
    name: "webhook.secret",
    default: Default::Required,
    example: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    meaning: "the secret that events are signed with, as Standard Webhooks say: `whsec_` and the Base64 of \
              24 to 64 random bytes (`echo whsec_$(openssl rand -base64 32)`)",
    meaning_zh: "给事件签名的密钥，格式按 Standard Webhooks：`whsec_` 加 24 到 64 个随机字节的 Base64\
                 （`echo whsec_$(openssl rand -base64 32)`）",
    secret: true,
    parse: secret,
};

static EVENTS: Key<BTreeSet<EventKind>> = Key {
    name: "webhook.events",
    default: Default::Unset,
    example: "member.followed,member.unfollowed",
    meaning: "which types of events it gets, separated by commas; unset: all",
    meaning_zh: "推送哪些类型的事件，用逗号分开；不设就全部推送",
    secret: false,
    parse: kinds,
};

/// What a receiver's events are signed with. Its `Debug` form is redacted.
#[derive(Clone)]
pub struct WebhookSecret(pub Arc<Webhook>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(…)")
    }
}

/// A receiver of events. Its `Debug` form doesn't show the address, which may contain a key.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where events are posted.
    pub url: Url,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// Which types it gets; `None`: all.
    pub events: Option<BTreeSet<EventKind>>,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebhookSettings")
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl Section for WebhookSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.value(&URL);
        let secret = reader.value(&SECRET);
        let events = reader.optional(&EVENTS);
        Some(Self {
            url: url?,
            secret: secret?,
            events: events?,
        })
    }
}

/// Reads all receivers.
pub(super) fn read(
    reader: &mut Reader<'_>,
    events: Option<EventSettings>,
) -> Option<BTreeMap<WebhookName, WebhookSettings>> {
    let has_receivers = reader.has_tables(&WEBHOOKS);
    let receivers = reader.tables(&WEBHOOKS, &[], Reader::section);
    if has_receivers && events.is_some_and(|events| events.keep.is_none()) {
        let wrong = "must not be 0, for there are webhooks: they are told what is kept";
        reader.complain(&KEEP_DAYS, wrong);
    }
    receivers
}

/// Parses a receiver's address. Its query or credentials may be a key, so no message repeats it.
fn address(value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|error| format!("is not a URL: {error}"))?;
    if url.fragment().is_some() {
        return Err("must not have a fragment, the part after #".to_owned());
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if is_private(&url) => Ok(url),
        "http" => Err("must be https; http is for loopback and private networks alone".to_owned()),
        _ => Err("must begin with https://".to_owned()),
    }
}

fn secret(value: &str) -> Result<WebhookSecret, String> {
    let key = value.strip_prefix(SECRET_PREFIX);
    let key = key.ok_or_else(|| format!("must begin with {SECRET_PREFIX}"))?;
    let key = STANDARD.decode(key);
    let key = key.map_err(|_| format!("must be Base64 after {SECRET_PREFIX}"))?;
    if !(24..=64).contains(&key.len()) {
        let length = key.len();
        return Err(format!("must stand for 24 to 64 bytes, not {length}"));
    }
    let webhook = Webhook::from_bytes(key).map_err(|error| error.to_string())?;
    Ok(WebhookSecret(Arc::new(webhook)))
}

fn kinds(value: &str) -> Result<BTreeSet<EventKind>, String> {
    let names = value.split(',').map(str::trim);
    let kinds = names.filter(|name| !name.is_empty()).map(|name| {
        EventKind::named(name).ok_or_else(|| {
            let known = EventKind::ALL.map(EventKind::as_str).join(", ");
            format!("names no type of events: {name:?}; there are {known}")
        })
    });
    let kinds: BTreeSet<EventKind> = kinds.collect::<Result<_, _>>()?;
    if kinds.is_empty() {
        return Err("names no type of events".to_owned());
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_inside() {
        for url in [
            "https://crm.example.com/hook?key=hunter2",
            "http://127.0.0.1:9000/",
            "http://crm:9000/hook",
        ] {
            assert!(address(url).is_ok(), "{url}");
        }
        for url in [
            "http://crm.example.com/hunter2",
            "https://crm.example.com/#hunter2",
            "ftp://10.0.0.1/hunter2",
            "crm.example.com/hunter2",
        ] {
            let wrong = address(url).unwrap_err();
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
    }

    #[test]
    fn secrets_are_those_of_the_specification() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for bytes in [24, 32, 64] {
            let read = secret(&of(bytes)).unwrap();
            assert_eq!(format!("{read:?}"), "WebhookSecret(…)");
        }
        for text in [of(23), of(65), of(32)[6..].to_owned(), "whsec_?".to_owned()] {
            let wrong = secret(&text).err().unwrap();
            assert!(!wrong.contains(&text), "{wrong}");
        }
    }

    #[test]
    fn types_are_named_exactly() {
        let both = kinds("member.followed, session.ended").unwrap();
        let expected = [EventKind::MemberFollowed, EventKind::SessionEnded];
        assert_eq!(both, BTreeSet::from(expected));
        for wrong in ["member.Followed", "", ",", "member.followed;session.ended"] {
            assert!(kinds(wrong).is_err(), "{wrong}");
        }
    }
}
