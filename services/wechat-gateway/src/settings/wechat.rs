//! Where WeChat is, for every account.

use service_kit::{
    http_client::Proxy,
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};
use url::Url;

/// WeChat's server API.
static API_URL: Key<Url> = Key {
    name: "wechat.api_url",
    default: Default::Text("https://api.weixin.qq.com"),
    example: "https://api.weixin.qq.com",
    meaning: "WeChat's server API",
    meaning_zh: "微信的服务端接口",
    secret: false,
    parse: parse::http_url,
};

/// The host of showqrcode.
static MP_URL: Key<Url> = Key {
    name: "wechat.mp_url",
    default: Default::Text("https://mp.weixin.qq.com"),
    example: "https://mp.weixin.qq.com",
    meaning: "where WeChat draws its own picture of a code",
    meaning_zh: "微信自己画二维码图片的地方",
    secret: false,
    parse: parse::http_url,
};

/// The host of web authorisation.
static OPEN_URL: Key<Url> = Key {
    name: "wechat.open_url",
    default: Default::Text("https://open.weixin.qq.com"),
    example: "https://open.weixin.qq.com",
    meaning: "where a phone is sent for web authorisation",
    meaning_zh: "网页授权时手机去的地方",
    secret: false,
    parse: parse::http_url,
};

/// The way to WeChat.
static PROXY_URL: Key<Proxy> = Key {
    name: "wechat.proxy_url",
    default: Default::Unset,
    example: "http://user:password@proxy.example.com:3128",
    meaning: "the proxy through which WeChat's API is called, and nothing else: `http://`, `https://` or \
              `socks5://` (`socks5h://`: it also looks up the name), perhaps with user and password. `HTTP_PROXY`, `HTTPS_PROXY`, \
              `ALL_PROXY` and `NO_PROXY` are not obeyed",
    meaning_zh: "调用微信接口时走的代理，其他请求都不走它：`http://`、`https://` 或 `socks5://` 开头\
                 （`socks5h://` 表示域名也由代理解析），可以带用户名和密码。环境变量 `HTTP_PROXY`、`HTTPS_PROXY`、`ALL_PROXY`、`NO_PROXY` 一律不起\
                 作用",
    secret: true,
    parse: Proxy::parse,
};

/// Whether pushes are accepted from WeChat's callback IPs only.
static CHECK_CALLBACK_IP: Key<bool> = Key {
    name: "wechat.check_callback_ip",
    default: Default::Text("false"),
    example: "true",
    meaning: "whether pushes are accepted from WeChat's own addresses only (`getcallbackip`, \
              fetched daily), beside their signature. Behind a reverse proxy, \
              `GATEWAY__PUBLIC__TRUSTED_PROXIES` must name it",
    meaning_zh: "除了验证签名，是否只接受来自微信服务器地址（`getcallbackip`，每天获取一次）的推送。\
                 前面有反向代理时，`GATEWAY__PUBLIC__TRUSTED_PROXIES` 里必须写上它",
    secret: false,
    parse: parse::boolean,
};

/// WeChat's hosts and the way there.
#[derive(Debug, Clone)]
pub struct WechatSettings {
    /// WeChat's server API.
    pub api_url: Url,
    /// The host of `showqrcode`.
    pub mp_url: Url,
    /// The host of web authorization.
    pub open_url: Url,
    /// The proxy through which the API is called.
    pub proxy: Option<Proxy>,
    /// Whether pushes are accepted from WeChat's callback IPs only.
    pub check_callback_ip: bool,
}

impl Section for WechatSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let api_url = reader.value(&API_URL);
        let mp_url = reader.value(&MP_URL);
        let open_url = reader.value(&OPEN_URL);
        let proxy = reader.optional(&PROXY_URL);
        let check_callback_ip = reader.value(&CHECK_CALLBACK_IP);
        Some(Self {
            api_url: api_url?,
            mp_url: mp_url?,
            open_url: open_url?,
            proxy: proxy?,
            check_callback_ip: check_callback_ip?,
        })
    }
}
