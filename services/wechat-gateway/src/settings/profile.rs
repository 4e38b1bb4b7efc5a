//! When people are asked for nickname and avatar.

use jiff::SignedDuration;
use service_kit::{
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};

/// Whether the reply asks for nickname and avatar.
static ASK: Key<bool> = Key {
    name: "profile.ask",
    default: Default::Text("true"),
    example: "false",
    meaning: "whether the reply to a scan holds a link on which the person can show nickname and \
              avatar, while they aren't known. Needs `GATEWAY__PUBLIC__URL`, with its host \
              entered as 网页授权域名",
    meaning_zh: "还不知道昵称时，是否在扫码后的回复里附上链接，请对方授权显示昵称和头像。需要设 \
                 `GATEWAY__PUBLIC__URL`，并在后台把它的域名填为网页授权域名",
    secret: false,
    parse: parse::boolean,
};

/// How long a profile is taken for current.
static MAX_AGE_SECONDS: Key<u32> = Key {
    name: "profile.max_age_seconds",
    default: Default::Text("86400"),
    example: "86400",
    meaning: "how old what `user/info` told may be before the next scan asks again, at least 1",
    meaning_zh: "`user/info` 给出的资料超过多少秒，下次扫码时重新获取，至少 1",
    secret: false,
    parse: parse::integer_from::<1>,
};

/// How long a profile that its person showed is taken for current.
static ASK_AGAIN_SECONDS: Key<u32> = Key {
    name: "profile.ask_again_seconds",
    default: Default::Text("7776000"),
    example: "2592000",
    meaning: "how old a nickname and avatar that their person showed may be before a reply asks \
              for them again (90 days): an avatar's address dies when the avatar changes",
    meaning_zh: "本人授权的昵称和头像超过多少秒，回复里再请一次（90 天）：换了头像，旧头像的地址就失\
                 效了",
    secret: false,
    parse: parse::integer_from::<1>,
};

/// The rules about nicknames and avatars.
#[derive(Debug, Clone, Copy)]
pub struct ProfileSettings {
    /// Whether the reply to a scan asks for them.
    pub ask: bool,
    /// How long data from `user/info` counts as current.
    pub max_age: SignedDuration,
    /// How long what the person showed is taken for current.
    pub ask_again_after: SignedDuration,
}

impl Section for ProfileSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let ask = reader.value(&ASK);
        let max_age = reader.value(&MAX_AGE_SECONDS);
        let ask_again_after = reader.value(&ASK_AGAIN_SECONDS);
        Some(Self {
            ask: ask?,
            max_age: SignedDuration::from_secs(max_age?.into()),
            ask_again_after: SignedDuration::from_secs(ask_again_after?.into()),
        })
    }
}
