//! The console's pages. Everything that they are given is escaped; what isn't are the drawings of
//! [`super::charts`] and the content that the layout frames, which is a template itself.

use std::fmt::Display;

use askama::Template;

use super::language::Language;

mod acts;
mod checks;
mod overview;
mod people;
mod texts;
mod webhooks;
mod wechat_sign_in;

pub(crate) use acts::ActsPage;
pub(crate) use checks::ChecksPage;
pub(crate) use overview::OverviewPage;
pub(crate) use people::{MembersPage, PersonPage};
pub(crate) use webhooks::{RedeliverPage, WebhooksPage};
pub(crate) use wechat_sign_in::{Stage, WechatSignInPage};

/// What all pages have around their content.
#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="{{ say.tag() }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{{ title }} · {{ say.say("微信登录控制台", "WeChat login console") }}</title>
<link rel="icon" href="/console/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/console/style.css">
<script src="/console/console.js" defer></script>
{%- if let Some(milliseconds) = renewed_ms %}
<noscript><meta http-equiv="refresh" content="{{ milliseconds.div_ceil(1000).max(5) }}"></noscript>
{%- endif %}
</head>
<body>
<header class="top">
<a class="brand" href="/console"><span class="dot" aria-hidden="true"></span>{{ say.say("微信登录", "WeChat login") }}</a>
{%- if let Some(token) = token %}
<nav aria-label="{{ say.say("控制台", "Console") }}">
{%- for (name, path, text) in self.places() %}
<a href="{{ path }}"{% if name == here %} aria-current="page"{% endif %}>{{ text }}</a>
{%- endfor %}
</nav>
{%- endif %}
<span class="ends">
<a class="quiet" href="/console/language/{{ say.other() }}" lang="{{ say.other() }}">{{ say.say("English", "中文") }}</a>
{%- if let Some(token) = token %}
<form method="post" action="/console/sign-out"><input type="hidden" name="token" value="{{ token }}"><button class="quiet" name="sign-out">{{ say.say("退出", "Sign out") }}</button></form>
{%- endif %}
</span>
</header>
<main id="main"{% if let Some(milliseconds) = renewed_ms %} data-refresh="{{ milliseconds }}"{% endif %}>
{{ content|safe }}
</main>
<p class="stale" role="status" hidden>{{ say.say("连接不上网关，显示的是之前的数据。", "The gateway can't be reached. These figures are older.") }}</p>
</body>
</html>
"##
)]
pub(crate) struct Layout<'a, Content: Template + Display> {
    /// What it speaks.
    pub(crate) say: Language,
    /// The page's title.
    pub(crate) title: &'a str,
    /// Which part of the console it belongs to.
    pub(crate) here: Place,
    /// The token for its forms, of a browser that is signed in.
    pub(crate) token: Option<&'a str>,
    /// How often it is renewed, in milliseconds, if it is.
    pub(crate) renewed_ms: Option<u32>,
    /// The page.
    pub(crate) content: &'a Content,
}

/// A part of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before anybody is signed in.
    Outside,
    /// How it stands.
    Overview,
    /// The people.
    Members,
    /// The receivers of events.
    Webhooks,
    /// The checks.
    Checks,
    /// What the owner did.
    Acts,
}

impl<Content: Template + Display> Layout<'_, Content> {
    fn places(&self) -> [(Place, &'static str, &'static str); 5] {
        [
            (
                Place::Overview,
                "/console",
                self.say.say("概览", "Overview"),
            ),
            (
                Place::Members,
                "/console/members",
                self.say.say("成员", "Members"),
            ),
            (
                Place::Webhooks,
                "/console/webhooks",
                self.say.say("Webhook", "Webhooks"),
            ),
            (
                Place::Checks,
                "/console/checks",
                self.say.say("检查", "Checks"),
            ),
            (
                Place::Acts,
                "/console/activity",
                self.say.say("记录", "Activity"),
            ),
        ]
    }
}

/// Signing in.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<section class="card narrow">
<h1>{{ say.say("登录控制台", "Sign in to the console") }}</h1>
<p class="muted">{{ say.say("输入网关内部接口的密钥（GATEWAY__INTERNAL__API_KEY）。8 小时后自动退出。", "Enter the key of the gateway's internal API (GATEWAY__INTERNAL__API_KEY). You stay signed in for 8 hours.") }}</p>
{%- if let Some(refusal) = refusal %}
<p class="note bad" role="alert">{{ refusal }}</p>
{%- endif %}
<form method="post" action="/console/sign-in" class="stacked">
<label for="key">{{ say.say("密钥", "Key") }}</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button name="sign-in">{{ say.say("登录", "Sign in") }}</button>
</form>
{%- if has_wechat %}
<form method="post" action="/console/sign-in/wechat" class="other">
<button name="wechat" class="plain">{{ say.say("用微信登录", "Sign in by WeChat") }}</button>
</form>
{%- endif %}
</section>
"#
)]
pub(crate) struct SignIn {
    /// What it speaks.
    pub(crate) say: Language,
    /// Why the last try failed.
    pub(crate) refusal: Option<String>,
    /// Whether somebody may sign in by WeChat.
    pub(crate) has_wechat: bool,
}

/// A page that says one thing.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<section class="card narrow">
<h1>{{ title }}</h1>
<p>{{ text }}</p>
<p><a class="button" href="{{ back }}">{{ say.say("返回", "Back") }}</a></p>
</section>
"#
)]
pub(crate) struct Message<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// In short.
    pub(crate) title: &'a str,
    /// A sentence.
    pub(crate) text: &'a str,
    /// Where to go on.
    pub(crate) back: &'a str,
}

/// Asks before something is done that can't be taken back easily.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<section class="card narrow">
<h1>{{ question }}</h1>
<p>{{ consequence }}</p>
<p class="muted">{{ who }}</p>
<form method="post" action="{{ action }}" class="buttons">
<input type="hidden" name="token" value="{{ token }}">
<button name="sure" class="{% if is_dangerous %}danger{% endif %}">{{ button }}</button>
<a class="button" href="{{ back }}">{{ say.say("取消", "Cancel") }}</a>
</form>
</section>
"#
)]
pub(crate) struct AskPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// The question.
    pub(crate) question: &'a str,
    /// What a yes does.
    pub(crate) consequence: &'a str,
    /// Whom it is about.
    pub(crate) who: &'a str,
    /// What the button says.
    pub(crate) button: &'a str,
    /// Whether it is red.
    pub(crate) is_dangerous: bool,
    /// Where a yes goes.
    pub(crate) action: &'a str,
    /// Where a no goes.
    pub(crate) back: &'a str,
    /// The form's token.
    pub(crate) token: &'a str,
}
