//! The hosted login page: the modal as a part of a page that is named and branded by settings.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use askama::Template;

use crate::public_url::PublicUrl;

/// Its style sheet, beside the one of all pages.
pub(crate) const STYLE_SHEET: &str = include_str!("login_page/page.css");

/// Its script.
pub(crate) const SCRIPT: &str = include_str!("login_page/page.js");

/// What the page calls itself.
#[derive(Debug, Clone)]
pub struct Branding {
    /// The site's name.
    pub name: Option<String>,
    /// The URL of a picture, or its path.
    pub logo: Option<String>,
}

/// What is shown at `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontPage {
    /// The demonstration.
    Demonstration,
    /// The way to the hosted login page.
    LoginPage,
}

/// A language that the page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Chinese,
    TraditionalChinese,
    English,
}

impl Language {
    /// The first of a browser's languages that the page has, which it lists by preference; Chinese
    /// otherwise.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        let mut tags = accepted.unwrap_or_default().split(',');
        tags.find_map(Self::of_tag).unwrap_or(Self::Chinese)
    }

    fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.split(';').next()?.trim().to_ascii_lowercase();
        let mut parts = tag.split('-');
        match parts.next()? {
            "zh" if parts.any(|part| matches!(part, "tw" | "hk" | "mo" | "hant")) => {
                Some(Self::TraditionalChinese)
            }
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::TraditionalChinese => "zh-TW",
            Self::English => "en",
        }
    }

    const fn words(self) -> Words {
        match self {
            Self::Chinese => Words {
                log_in: "微信登录",
                log_in_to: "登录",
                logged_in: "已登录",
                somebody: "微信用户",
                log_out: "退出登录",
                failed: "退出失败，请重试",
                no_script: "请启用 JavaScript 后刷新本页",
            },
            Self::TraditionalChinese => Words {
                log_in: "微信登入",
                log_in_to: "登入",
                logged_in: "已登入",
                somebody: "微信使用者",
                log_out: "登出",
                failed: "登出失敗，請再試一次",
                no_script: "請啟用 JavaScript 後重新整理本頁",
            },
            Self::English => Words {
                log_in: "Log in with WeChat",
                log_in_to: "Log in to ",
                logged_in: "You\u{2019}re logged in",
                somebody: "WeChat user",
                log_out: "Log out",
                failed: "That didn\u{2019}t work, please try again",
                no_script: "Turn on JavaScript and reload this page",
            },
        }
    }
}

struct Words {
    log_in: &'static str,
    /// The site's name follows.
    log_in_to: &'static str,
    logged_in: &'static str,
    somebody: &'static str,
    log_out: &'static str,
    failed: &'static str,
    no_script: &'static str,
}

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    /// The modal, and where to go on after the login.
    LogIn { return_to: &'a str },
    /// Who is signed in: the nickname, if it is known.
    SignedIn { nickname: Option<&'a str> },
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="{{ lang }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{ title }}</title>
<link rel="icon" href="{{ base }}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{ base }}/assets/login-stopped.css">
<link rel="stylesheet" href="{{ base }}/assets/login-page.css">
<script type="module" src="{{ base }}/assets/login-page.js"></script>
{%- if let View::LogIn { .. } = view %}
<script type="module" src="{{ base }}/assets/wechat-login.js"></script>
{%- endif %}
</head>
<body>
<main>
{%- if let Some(logo) = logo %}
<img class="logo" src="{{ logo }}" alt="" referrerpolicy="no-referrer">
{%- endif %}
<h1>{{ title }}</h1>
{%- match view %}
{%- when View::LogIn { return_to } %}
<wechat-login id="login" inline api="{{ base }}" data-return-to="{{ return_to }}"></wechat-login>
<noscript><p>{{ words.no_script }}</p></noscript>
{%- when View::SignedIn { nickname } %}
<p>{{ words.logged_in }}</p>
<p><strong>{% if let Some(nickname) = nickname %}{{ nickname }}{% else %}{{ words.somebody }}{% endif %}</strong></p>
<button type="button" id="sign-out" data-session="{{ base }}/api/session">{{ words.log_out }}</button>
<p id="sign-out-failed" class="failed" role="alert" hidden>{{ words.failed }}</p>
{%- endmatch %}
</main>
</body>
</html>
"#
)]
struct Page<'a> {
    lang: &'static str,
    words: Words,
    title: &'a str,
    logo: Option<&'a str>,
    /// What is in front of the site's own paths.
    base: &'a str,
    view: View<'a>,
}

/// The page as HTML.
pub(crate) fn render(
    branding: &Branding,
    public_url: &PublicUrl,
    language: Language,
    view: View<'_>,
) -> String {
    let words = language.words();
    let title = match (&branding.name, view) {
        (Some(name), View::LogIn { .. }) => format!("{}{name}", words.log_in_to),
        (Some(name), View::SignedIn { .. }) => name.clone(),
        (None, View::LogIn { .. }) => words.log_in.to_owned(),
        (None, View::SignedIn { .. }) => words.logged_in.to_owned(),
    };
    let page = Page {
        lang: language.tag(),
        words,
        title: &title,
        logo: branding.logo.as_deref(),
        base: &public_url.path_of(""),
        view,
    };
    page.to_string()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use url::Url;

    use super::*;

    #[test]
    fn the_language_is_the_first_that_the_page_has() {
        for (accepted, language) in [
            ("", Language::Chinese),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-US,en;q=0.9,zh-CN;q=0.8", Language::English),
            ("fr-FR, EN-gb;q=0.5", Language::English),
            ("fr", Language::Chinese),
            ("zh-Hant-HK", Language::TraditionalChinese),
            ("zh-TW;q=0.9", Language::TraditionalChinese),
            ("zh-Hans-SG", Language::Chinese),
            ("enx,zhx", Language::Chinese),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            assert_eq!(Language::of(&headers), language, "{accepted}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::Chinese);
    }

    #[test]
    fn nothing_that_the_page_says_becomes_markup() {
        let hostile = "\"><script>alert('1')</script>";
        let branding = |text: &str| Branding {
            name: Some(text.to_owned()),
            logo: Some(text.to_owned()),
        };
        let public_url = PublicUrl::new(Url::parse("https://example.com/passport").unwrap());
        let page = |text: &str, view: View<'_>| {
            render(&branding(text), &public_url, Language::English, view)
        };
        for views in [
            [hostile, "/"].map(|return_to| View::LogIn { return_to }),
            [hostile, "name"].map(|name| View::SignedIn {
                nickname: Some(name),
            }),
        ] {
            let [hostile, plain] = [page(hostile, views[0]), page("name", views[1])];
            for delimiter in ['<', '>', '"', '\''] {
                let count = |page: &str| page.matches(delimiter).count();
                assert_eq!(count(&hostile), count(&plain), "{delimiter}: {hostile}");
            }
            assert!(plain.contains("src=\"/passport/assets/login-page.js\""));
        }
    }
}
