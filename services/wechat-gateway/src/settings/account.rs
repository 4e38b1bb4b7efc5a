//! One Official Account: its credentials, and what can be set for it alone.

use std::path::Path;

use login_protocol::identity::AppId;
use secrecy::SecretString;
use service_kit::{
    settings::{AnyKey, Default, Key, Reader, Section},
    settings_parse as parse,
};
use url::Url;
use wechat_wire::{message_crypto::EncodingAesKey, signature::CallbackToken};

use crate::account_picture::AccountPicture;

use super::{
    profile::ProfileSettings, qr_codes::QrCodeSettings, relay::RelaySettings, reply::ReplySettings,
};

/// The account's AppID.
pub(super) static APP_ID: Key<AppId> = Key {
    name: "wechat.app_id",
    default: Default::Required,
    example: "wx0123456789abcdef",
    meaning: "the account's AppID",
    meaning_zh: "公众号的 AppID",
    secret: false,
    parse: |value| AppId::parse(value).map_err(|error| format!("is not an AppID: {error}")),
};

/// The account's AppSecret.
static APP_SECRET: Key<SecretString> = Key {
    name: "wechat.app_secret",
    default: Default::Required,
    example: "0123456789abcdef0123456789abcdef",
    meaning: "the account's AppSecret",
    meaning_zh: "公众号的 AppSecret",
    secret: true,
    parse: parse::secret,
};

/// The key of the push signatures.
static TOKEN: Key<CallbackToken> = Key {
    name: "wechat.token",
    default: Default::Required,
    example: "a1B2c3D4e5F6g7H8",
    meaning: "the Token (令牌) entered in WeChat's console beside the callback address",
    meaning_zh: "后台里与回调地址一起填写的令牌（Token）",
    secret: true,
    parse: |value| CallbackToken::parse(value).map_err(|error| format!("can't be used: {error}")),
};

/// The key of safe and compatible mode.
static ENCODING_AES_KEY: Key<EncodingAesKey> = Key {
    name: "wechat.encoding_aes_key",
    default: Default::Unset,
    example: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    meaning: "the EncodingAESKey, 43 characters; when it is set, pushes must be encrypted",
    meaning_zh: "消息加解密密钥（EncodingAESKey），43 位；设了它，推送就必须是加密的",
    secret: true,
    parse: |value| EncodingAesKey::parse(value).map_err(|error| format!("can't be used: {error}")),
};

/// The Token before, while it is being replaced.
static TOKEN_PREVIOUS: Key<CallbackToken> = Key {
    name: "wechat.token_previous",
    default: Default::Unset,
    example: "h8G7f6E5d4C3b2A1",
    meaning: "the Token before, which is accepted as well until the new one is entered in WeChat's console",
    meaning_zh: "更换令牌（Token）时的旧令牌：在后台换成新令牌之前，旧的也接受",
    secret: true,
    parse: |value| CallbackToken::parse(value).map_err(|error| format!("can't be used: {error}")),
};

/// The EncodingAESKey before, while it is being replaced.
static ENCODING_AES_KEY_PREVIOUS: Key<EncodingAesKey> = Key {
    name: "wechat.encoding_aes_key_previous",
    default: Default::Unset,
    example: "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba",
    meaning: "the EncodingAESKey before, which is accepted as well until the new one is entered in WeChat's \
              console",
    meaning_zh: "更换消息加解密密钥（EncodingAESKey）时的旧密钥：在后台换成新密钥之前，旧的也接受",
    secret: true,
    parse: |value| EncodingAesKey::parse(value).map_err(|error| format!("can't be used: {error}")),
};

/// Whether pushes in plain mode are accepted.
static ACCEPT_PLAINTEXT: Key<bool> = Key {
    name: "wechat.accept_plaintext",
    default: Default::Unset,
    example: "true",
    meaning: "whether pushes in plain mode are accepted: by default only without an EncodingAESKey. \
              `true` beside a key only while an account is being switched over",
    meaning_zh: "是否接受明文推送：默认只在没有密钥时接受。有密钥又设为 `true`，只应在账号切换模式期间使用",
    secret: false,
    parse: parse::boolean,
};

/// Where access tokens come from.
static TOKEN_MODE: Key<TokenMode> = Key {
    name: "wechat.token_mode",
    default: Default::Text("stable"),
    example: "legacy",
    meaning: "`stable`: access tokens come from `stable_token`, the same one for all who ask. \
              `legacy`: from `/cgi-bin/token`, where each call ends the token before it within \
              five minutes, so that other programs that call it end ours, and the other way round",
    meaning_zh: "`stable`：用 `stable_token` 取 access_token，谁取都是同一个。`legacy`：用 \
                 `/cgi-bin/token`，每取一次，前一个在 5 分钟内失效，所以会和其他也在取的程序互相作废",
    secret: false,
    parse: |value| match value {
        "stable" => Ok(TokenMode::Stable),
        "legacy" => Ok(TokenMode::Legacy),
        other => Err(format!("must be stable or legacy, not {other:?}")),
    },
};

static NAME: Key<String> = Key {
    name: "wechat.name",
    default: Default::Unset,
    example: "小林花店",
    meaning: "what people call the account; shown to visitors who send it digits",
    meaning_zh: "公众号的名称；用验证码登录时显示给访客",
    secret: false,
    parse: parse::text,
};

static QR_URL: Key<ShownPicture> = Key {
    name: "wechat.qr_url",
    default: Default::Unset,
    example: "https://www.example.com/wechat-qr.png",
    meaning: "a picture of the account's own QR code, which people scan to follow it; shown to visitors who send it \
              digits. An address, or the path of a file (PNG, JPEG, WebP or GIF, 512 KiB at most) that the gateway \
              reads at start and the site hands out",
    meaning_zh: "公众号二维码图片，供人扫码关注；用验证码登录时显示给访客。填图片的网址，或者图片文件的路径（PNG、JPEG、\
                 WebP 或 GIF，最大 512 KiB）；文件由网关在启动时读取，再由网站提供给访客",
    secret: false,
    parse: ShownPicture::parse,
};

static WEB_AUTHORIZATION: Key<bool> = Key {
    name: "wechat.web_authorization",
    default: Default::Text("true"),
    example: "false",
    meaning: "whether the account has web authorisation (网页授权). `false` for a subscription account or an \
              uncertified one: a site with the method `auto` then has its visitors send digits when WeChat \
              gives it no codes, and no page is opened on the phone",
    meaning_zh: "公众号有没有网页授权接口。订阅号和未认证的公众号请设为 `false`：网站的登录方式是 `auto` 而微信不给\
                 二维码时，访客就发送数字登录，不会在手机上打开网页",
    secret: false,
    parse: parse::boolean,
};

/// Where access tokens come from. The two kinds are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenMode {
    /// `stable_token`: everybody gets the same token, until five minutes before its end.
    Stable,
    /// `/cgi-bin/token`: every call makes a new one, and the one before ends within five minutes.
    Legacy,
}

/// What WeChat's console shows of an account, and how its pushes and tokens travel.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The AppID.
    pub app_id: AppId,
    /// The AppSecret.
    pub app_secret: SecretString,
    /// The key of the push signatures.
    pub token: CallbackToken,
    /// The token before, which WeChat may still sign with.
    pub token_previous: Option<CallbackToken>,
    /// The key of safe and compatible mode; without one there is only plain mode.
    pub encoding_aes_key: Option<EncodingAesKey>,
    /// The key before, which WeChat may still encrypt with.
    pub encoding_aes_key_previous: Option<EncodingAesKey>,
    /// Whether pushes in plain mode are accepted.
    pub accept_plaintext: bool,
    /// Where access tokens come from.
    pub token_mode: TokenMode,
}

impl Section for Credentials {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let app_id = reader.value(&APP_ID);
        let app_secret = reader.value(&APP_SECRET);
        let token = reader.value(&TOKEN);
        let token_previous = reader.optional(&TOKEN_PREVIOUS);
        let encoding_aes_key = reader.optional(&ENCODING_AES_KEY);
        let encoding_aes_key_previous = reader.optional(&ENCODING_AES_KEY_PREVIOUS);
        let accept_plaintext = reader.optional(&ACCEPT_PLAINTEXT);
        let token_mode = reader.value(&TOKEN_MODE);
        if let (Some(None), Some(Some(false))) = (&encoding_aes_key, accept_plaintext) {
            reader.complain(
                &ACCEPT_PLAINTEXT,
                "is false although no EncodingAESKey is set: no push could be accepted",
            );
        }
        if let (Some(None), Some(Some(_))) = (&encoding_aes_key, &encoding_aes_key_previous) {
            reader.complain(
                &ENCODING_AES_KEY,
                "is missing although the key before it is set",
            );
        }
        let encoding_aes_key = encoding_aes_key?;
        Some(Self {
            app_id: app_id?,
            app_secret: app_secret?,
            token: token?,
            token_previous: token_previous?,
            accept_plaintext: accept_plaintext?.unwrap_or(encoding_aes_key.is_none()),
            encoding_aes_key,
            encoding_aes_key_previous: encoding_aes_key_previous?,
            token_mode: token_mode?,
        })
    }
}

/// A picture of an account's own QR code.
#[derive(Debug, Clone)]
pub enum ShownPicture {
    /// Somebody else hands it out.
    Address(Url),
    /// We do.
    File(AccountPicture),
}

impl ShownPicture {
    fn parse(value: &str) -> Result<Self, String> {
        if value.contains("://") {
            return parse::http_url(value).map(Self::Address);
        }
        match AccountPicture::read(Path::new(value)) {
            Ok(picture) => Ok(Self::File(picture)),
            Err(error) => Err(format!(
                "is neither an address that begins with http:// or https:// nor a picture's path: the file \
                 {value:?} {error}"
            )),
        }
    }
}

/// What visitors are shown of an account, and whether by a page of ours.
#[derive(Debug, Clone)]
pub struct ShownAccount {
    /// What people call it.
    pub name: Option<String>,
    /// A picture of its own QR code.
    pub picture: Option<ShownPicture>,
    /// Whether it has web authorisation.
    pub web_authorization: bool,
}

/// All that can be set for one account.
#[derive(Debug, Clone)]
pub struct AccountSettings {
    /// Its credentials.
    pub credentials: Credentials,
    /// What visitors are shown of it.
    pub shown: ShownAccount,
    /// Its own relay.
    pub relay: RelaySettings,
    /// Its texts.
    pub replies: ReplySettings,
    /// When its people are asked for nickname and avatar.
    pub profile: ProfileSettings,
    /// The limits of its QR codes.
    pub qr_codes: QrCodeSettings,
}

impl AccountSettings {
    /// Whether anything is set that only an account has.
    pub(super) fn is_any_set(reader: &Reader<'_>) -> bool {
        let keys: [&dyn AnyKey; 12] = [
            &APP_ID,
            &APP_SECRET,
            &TOKEN,
            &TOKEN_PREVIOUS,
            &ENCODING_AES_KEY,
            &ENCODING_AES_KEY_PREVIOUS,
            &ACCEPT_PLAINTEXT,
            &TOKEN_MODE,
            &NAME,
            &QR_URL,
            &WEB_AUTHORIZATION,
            &super::relay::URL,
        ];
        keys.into_iter().any(|key| reader.is_set(key))
    }
}

impl Section for AccountSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let credentials = reader.section();
        let (name, picture) = (reader.optional(&NAME), reader.optional(&QR_URL));
        let web_authorization = reader.value(&WEB_AUTHORIZATION);
        let relay = reader.section();
        let replies = reader.inherited_section();
        let profile = reader.inherited_section();
        let qr_codes = reader.inherited_section();
        Some(Self {
            credentials: credentials?,
            shown: ShownAccount {
                name: name?,
                picture: picture?,
                web_authorization: web_authorization?,
            },
            relay: relay?,
            replies: replies?,
            profile: profile?,
            qr_codes: qr_codes?,
        })
    }
}
