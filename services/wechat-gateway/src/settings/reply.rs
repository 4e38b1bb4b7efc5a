//! The texts that the phone reads.

use std::collections::BTreeMap;

use service_kit::{
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};

use crate::push::template::{Placeholder, Template};

/// The site's name.
static SITE_NAME: Key<String> = Key {
    name: "reply.site_name",
    default: Default::Text("网站"),
    example: "小林花店",
    meaning: "the name of a site that doesn't say its own: `{site}` in replies, and on the confirm \
              page",
    meaning_zh: "网站的名字（网站自己没有设置时）：回复里的 `{site}`，也显示在确认页面上",
    secret: false,
    parse: parse::text,
};

/// The reply to somebody who followed with the scan.
static NEW_FOLLOWER: Key<Template> = Key {
    name: "reply.new_follower",
    default: Default::Text("感谢关注！您已登录{site}，请回到刚才的网页继续。"),
    example: "感谢关注{site}！您已登录。",
    meaning: "the reply to somebody who followed and is logged in; `{site}`, `{nickname}`",
    meaning_zh: "扫码关注并登录后的回复；可用 `{site}`、`{nickname}`",
    secret: false,
    parse: Template::parse,
};

/// The reply to somebody who was following already.
static RETURNING: Key<Template> = Key {
    name: "reply.returning",
    default: Default::Text("欢迎回来！您已登录{site}，请回到刚才的网页继续。"),
    example: "{nickname}，欢迎回来！您已登录{site}。",
    meaning: "the reply to a follower who is logged in; `{site}`, `{nickname}`",
    meaning_zh: "已关注的人登录后的回复；可用 `{site}`、`{nickname}`",
    secret: false,
    parse: Template::parse,
};

/// The reply to the second person who scans a code or sends its digits.
static TAKEN: Key<Template> = Key {
    name: "reply.taken",
    default: Default::Text("这次登录已被别人使用，您没有登录。请回到网页刷新，再试一次。"),
    example: "这次登录已被别人使用，请刷新后再试。",
    meaning: "the reply to somebody who scans a code, or sends digits, that another person has used",
    meaning_zh: "二维码或验证码已被别人用过时的回复",
    secret: false,
    parse: Template::parse,
};

/// The reply to a scan of an expired code.
static EXPIRED: Key<Template> = Key {
    name: "reply.expired",
    default: Default::Text("这次登录已失效，您没有登录。请回到网页刷新，再试一次。"),
    example: "这次登录已失效，请刷新后再试。",
    meaning: "the reply to a scan whose login has expired or was cancelled",
    meaning_zh: "登录已过期或已取消时的回复",
    secret: false,
    parse: Template::parse,
};

/// The link to web authorisation.
static ASK_PROFILE: Key<Template> = Key {
    name: "reply.ask_profile",
    default: Default::Text("<a href=\"{link}\">点这里，让网页显示您的昵称和头像</a>"),
    example: "<a href=\"{link}\">显示我的昵称和头像</a>",
    meaning: "what follows the reply while the nickname isn't known; must hold `{link}`",
    meaning_zh: "还不知道昵称时附在回复后面；必须含 `{link}`",
    secret: false,
    parse: Template::parse,
};

/// The link to the confirm page.
static CONFIRM: Key<Template> = Key {
    name: "reply.confirm",
    default: Default::Text(
        "<a href=\"{link}\">点这里，确认登录{site}</a>\n\n如果不是您本人在登录，请不要确认。",
    ),
    example: "<a href=\"{link}\">确认登录{site}</a>",
    meaning: "the reply to a scan with `tap`, and to a follow that a login waits for; must hold `{link}`",
    meaning_zh: "`tap` 方式下扫码后的回复，也用来回复为了登录而关注的人；必须含 `{link}`",
    secret: false,
    parse: Template::parse,
};

/// The greeting without a login.
static WELCOME: Key<Template> = Key {
    name: "reply.welcome",
    default: Default::Unset,
    example: "感谢关注{site}！",
    meaning: "the reply to somebody who follows without a login code; used while no relay is set",
    meaning_zh: "不是通过登录二维码关注时的欢迎语；没有设转发时才用",
    secret: false,
    parse: Template::parse,
};

/// The answers to keywords.
static KEYWORDS: Key<BTreeMap<String, Template>> = Key {
    name: "reply.keywords",
    default: Default::Unset,
    example: r#"{"营业时间": "每天九点到十八点。"}"#,
    meaning: "answers to text messages, as a JSON object such as `{\"营业时间\": \"每天九点到十八\
              点。\"}` (in TOML too, as one string); used while no relay is set",
    meaning_zh: "关键词回复，写成 JSON 对象，例如 `{\"营业时间\": \"每天九点到十八点。\"}`（在 TOML \
                 里也写成一个字符串）；没有设转发时才用",
    secret: false,
    parse: |value| {
        let texts: BTreeMap<String, String> = serde_json::from_str(value)
            .map_err(|error| format!("is not a JSON object of strings: {error}"))?;
        let answers = texts
            .into_iter()
            .map(|(keyword, text)| match Template::parse(&text) {
                Ok(template) => Ok((keyword.trim().to_owned(), template)),
                Err(wrong) => Err(format!("the answer to {keyword:?} {wrong}")),
            });
        answers.collect()
    },
};

/// The texts of an account.
#[derive(Debug, Clone)]
pub struct ReplySettings {
    /// The site's name, where a site says none.
    pub site_name: String,
    /// To somebody who followed with the scan.
    pub new_follower: Template,
    /// To somebody who was following already.
    pub returning: Template,
    /// To the second person who scans a code.
    pub taken: Template,
    /// To a scan of an expired code.
    pub expired: Template,
    /// The link to web authorization.
    pub ask_profile: Template,
    /// The link to the confirm page.
    pub confirm: Template,
    /// The greeting without a login.
    pub welcome: Option<Template>,
    /// The answers to keywords.
    pub keywords: BTreeMap<String, Template>,
}

impl Section for ReplySettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let site_name = reader.value(&SITE_NAME);
        let new_follower = reader.value(&NEW_FOLLOWER);
        let returning = reader.value(&RETURNING);
        let taken = reader.value(&TAKEN);
        let expired = reader.value(&EXPIRED);
        let ask_profile = with_link(reader, &ASK_PROFILE);
        let confirm = with_link(reader, &CONFIRM);
        let welcome = reader.optional(&WELCOME);
        let keywords = reader.optional(&KEYWORDS);
        Some(Self {
            site_name: site_name?,
            new_follower: new_follower?,
            returning: returning?,
            taken: taken?,
            expired: expired?,
            ask_profile: ask_profile?,
            confirm: confirm?,
            welcome: welcome?,
            keywords: keywords?.unwrap_or_default(),
        })
    }
}

fn with_link(reader: &mut Reader<'_>, key: &'static Key<Template>) -> Option<Template> {
    let template = reader.value(key)?;
    if !template.mentions(Placeholder::Link) {
        reader.complain(key, "must contain {link}");
    }
    Some(template)
}
