//! What can be wrong with a web authorisation, in the words that WeChat shows on the phone.

/// Why web authorisation cannot begin. The numbers are those that WeChat shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorPage {
    /// The page was not opened inside WeChat.
    NotInWechat,
    /// Parameters in another order than WeChat wants, or a value that none of them has.
    Parameters,
    /// The phone followed an address without `#wechat_redirect`.
    Fragment,
    /// The AppID of no account.
    AppId,
    /// No `appid`: 10012.
    NoAppId,
    /// No `redirect_uri`: 10011.
    NoRedirectUri,
    /// No `scope`: 10010.
    NoScope,
    /// The return address is not on the console's list: 10003.
    RedirectUri,
    /// The account may not use this scope, or there is no such scope: 10005.
    Scope,
}

impl ErrorPage {
    /// What the page says.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::NotInWechat => "请在微信客户端打开链接",
            Self::Parameters => "参数错误，链接中参数的顺序或内容不正确",
            Self::Fragment => "参数错误，链接缺少 #wechat_redirect",
            Self::AppId => "AppID 参数错误，错误码：40013",
            Self::NoAppId => "appid 不能为空，错误码：10012",
            Self::NoRedirectUri => "redirect_uri 不能为空，错误码：10011",
            Self::NoScope => "scope 不能为空，错误码：10010",
            Self::RedirectUri => "redirect_uri 域名与后台配置不一致，错误码：10003",
            Self::Scope => "此公众号并没有这些 scope 的权限，错误码：10005",
        }
    }

    /// The same in English, with what to do about it.
    pub(super) fn english(self) -> &'static str {
        match self {
            Self::NotInWechat => {
                "Open this link from the phone page, in the same browser and under the same host name."
            }
            Self::Parameters => {
                "The order must be appid, redirect_uri, response_type=code, scope, state."
            }
            Self::Fragment => "The address must end with #wechat_redirect.",
            Self::AppId => "No account has this appid.",
            Self::NoAppId | Self::NoRedirectUri | Self::NoScope => "A parameter is missing.",
            Self::RedirectUri => {
                "The return address is not on the console's list of domains (网页授权域名)."
            }
            Self::Scope => "The account has no permission for this scope: it must be certified.",
        }
    }
}
