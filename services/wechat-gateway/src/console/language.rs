//! Chinese first, English for those who ask for it.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header::{AcceptLanguage, Header as _},
};
use service_kit::cookie;

/// The cookie that keeps what somebody chose.
const COOKIE: &str = "wechat-login-console-language";

/// For how long, in days.
const KEPT_DAYS: i64 = 365;

/// What a page speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// What the browser chose here, or else prefers.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        if let Some(chosen) = cookie::value(request, COOKIE).and_then(Self::parse) {
            return chosen;
        }
        let Ok(accepted) = AcceptLanguage::parse(request) else {
            return Self::Chinese;
        };
        let preferred = accepted.ranked().into_iter().find_map(|language| {
            let tag = language.to_string();
            match tag.split('-').next() {
                Some("zh") => Some(Self::Chinese),
                Some("en") => Some(Self::English),
                _ => None,
            }
        });
        preferred.unwrap_or(Self::Chinese)
    }

    /// The one with this tag.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        match tag {
            "zh-CN" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// Its tag (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The other one's tag.
    pub(crate) const fn other(self) -> &'static str {
        match self {
            Self::Chinese => "en",
            Self::English => "zh-CN",
        }
    }

    /// What is said in it.
    pub(crate) const fn say<'text>(self, chinese: &'text str, english: &'text str) -> &'text str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The cookie that keeps it.
    pub(crate) fn cookie(self) -> Cookie<'static> {
        Cookie::build(COOKIE, self.tag())
            .path("/console")
            .http_only(true)
            .same_site(SameSite::Strict)
            .max_age(time::Duration::days(KEPT_DAYS))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{
        http::header::{ACCEPT_LANGUAGE, COOKIE as COOKIES},
        test::TestRequest,
    };

    use super::*;

    #[test]
    fn the_browser_decides_and_a_choice_overrides_it() {
        for (accepted, chosen, spoken) in [
            ("", "", Language::Chinese),
            ("zh-TW,zh;q=0.9,en;q=0.8", "", Language::Chinese),
            ("en-US,en;q=0.9,zh;q=0.8", "", Language::English),
            ("de,en;q=0.3", "", Language::English),
            ("de", "", Language::Chinese),
            ("en", "zh-CN", Language::Chinese),
            ("zh-CN", "en", Language::English),
            ("en", "xx", Language::English),
        ] {
            let request = TestRequest::get()
                .insert_header((ACCEPT_LANGUAGE, accepted))
                .insert_header((COOKIES, format!("{COOKIE}={chosen}")))
                .to_http_request();
            assert_eq!(Language::of(&request), spoken, "{accepted} {chosen}");
        }
    }
}
