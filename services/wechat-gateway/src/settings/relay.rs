//! The owner's own backend.

use std::fmt;

use service_kit::{
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};
use url::Url;

/// The owner's own backend.
pub(super) static URL: Key<Url> = Key {
    name: "relay.url",
    default: Default::Unset,
    example: "https://backend.example.com/wechat",
    meaning: "your own backend: every push that isn't one of our logins goes there unchanged, and \
              its answer goes back to WeChat. It may have a query (`https://host/wx?key`, which \
              WeChat's parameters follow) and `name:password@`; redirects aren't followed",
    meaning_zh: "你自己的后端：与登录无关的推送原样转给它，它的回复原样交还微信。地址可以带查询串（\
                 `https://host/wx?key`，微信的参数接在后面），也可以带 `用户名:密码@`；不跟随重定向",
    // Its query or its password may be a key.
    secret: true,
    parse: address,
};

/// What WeChat is answered when that backend fails.
static ON_FAILURE: Key<OnFailure> = Key {
    name: "relay.on_failure",
    default: Default::Text("acknowledge"),
    example: "retry",
    meaning: "when that backend fails: `acknowledge` tells WeChat `success`, and the push is lost \
              to the backend; `retry` makes WeChat push again, and may end in a fault notice to \
              the person",
    meaning_zh: "后端出错时：`acknowledge` 回答微信 `success`，后端会漏掉这条推送；`retry` 让微信重推\
                 ，用户最后可能看到故障提示",
    secret: false,
    parse: |value| match value {
        "acknowledge" => Ok(OnFailure::Acknowledge),
        "retry" => Ok(OnFailure::Retry),
        other => Err(format!("must be acknowledge or retry, not {other:?}")),
    },
};

/// Whether that backend receives logins as well.
static COPY_LOGINS: Key<bool> = Key {
    name: "relay.copy_logins",
    default: Default::Text("false"),
    example: "true",
    meaning: "whether that backend gets a copy of the pushes that are logins; its answer to them \
              is ignored",
    meaning_zh: "是否把属于登录的推送也抄送给后端；后端对它们的回复会被忽略",
    secret: false,
    parse: parse::boolean,
};

/// What WeChat is answered when the owner's backend fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// `success`: the push is lost to the backend, and nobody sees a fault notice.
    Acknowledge,
    /// 503: WeChat pushes again, three times at most and perhaps at once; after that the user may
    /// see an error notice.
    Retry,
}

/// Parses the URL of the owner's backend. Its query or credentials may be a key, so no error
/// message repeats it.
///
/// # Errors
///
/// When it isn't a web URL, or has a fragment, which is never sent.
fn address(value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|error| format!("is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("must begin with http:// or https://".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not have a fragment, the part after #".to_owned());
    }
    Ok(url)
}

/// Where pushes go that aren't logins.
#[derive(Clone)]
pub struct RelaySettings {
    /// The backend's URL, whose query or password may be a key; without one nothing is relayed.
    pub url: Option<Url>,
    /// What WeChat is answered when it fails.
    pub on_failure: OnFailure,
    /// Whether it gets a copy of the pushes that are logins.
    pub copy_logins: bool,
}

impl fmt::Debug for RelaySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RelaySettings")
            .field("on_failure", &self.on_failure)
            .field("copy_logins", &self.copy_logins)
            .finish_non_exhaustive()
    }
}

impl Section for RelaySettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.optional(&URL);
        let on_failure = reader.value(&ON_FAILURE);
        let copy_logins = reader.value(&COPY_LOGINS);
        Some(Self {
            url: url?,
            on_failure: on_failure?,
            copy_logins: copy_logins?,
        })
    }
}
