//! Signing in by WeChat: a code, what the phone did, and going on.

use askama::Template;

use super::super::{language::Language, qr_picture};

/// Where a sign-in by WeChat stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The browser shows a code.
    Code(String),
    /// The browser shows digits, to be sent to the account of this name.
    Digits(String, Option<String>),
    /// The phone is asked.
    Scanned,
    /// The phone agreed. The text is the form's token.
    Confirmed(String),
    /// The phone didn't.
    Denied,
    /// Its time is over.
    Over,
    /// It was somebody who may not.
    Stranger,
    /// The browser has two cookies of the name, as this text says.
    Doubled(&'static str),
}

/// The page.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<section class="card narrow scan">
<h1>{{ say.say("用微信登录控制台", "Sign in to the console by WeChat") }}</h1>
{%- match stage %}
{%- when Stage::Code(content) %}
<div class="code" data-content="{{ content }}">{{ self.picture(content)|safe }}</div>
<p>{{ say.say("用微信扫一扫，然后在手机上确认。", "Scan it with WeChat, then confirm on the phone.") }}</p>
{%- when Stage::Digits(digits, account) %}
<p>{{ say.say("给公众号发送这组数字，然后在手机上确认。", "Send these digits to the account, then confirm on the phone.") }}{% if let Some(account) = account %} <strong>{{ account }}</strong>{% endif %}</p>
<p class="digits"><code>{{ digits }}</code></p>
{%- when Stage::Scanned %}
<p class="note good" role="status">{{ say.say("已扫描，请在手机上确认。", "Scanned. Confirm on the phone.") }}</p>
{%- when Stage::Confirmed(token) %}
<p class="note good" role="status">{{ say.say("手机已确认。", "Confirmed on the phone.") }}</p>
<form method="post" action="/console/sign-in/wechat/finish" data-submit>
<input type="hidden" name="token" value="{{ token }}">
<button name="finish">{{ say.say("进入控制台", "Go on") }}</button>
</form>
{%- when Stage::Denied %}
<p class="note bad" role="alert">{{ say.say("已在手机上拒绝。", "It was refused on the phone.") }}</p>
{%- when Stage::Over %}
<p class="note care" role="status">{{ say.say("二维码已失效。", "The code is over.") }}</p>
{%- when Stage::Stranger %}
<p class="note bad" role="alert">{{ say.say("这个微信不能登录控制台。", "This person may not sign in to the console.") }}</p>
<p>{{ say.say("把 TA 的 OpenID 加进 GATEWAY__CONSOLE__OPENIDS 才可以；OpenID 在「成员」里查。", "Their OpenID has to be in GATEWAY__CONSOLE__OPENIDS; the page Members shows it.") }}</p>
{%- when Stage::Doubled(text) %}
<p class="note bad" role="alert">{{ text }}</p>
{%- endmatch %}
<div class="buttons centred">
{%- if self.is_at_end() %}
<form method="post" action="/console/sign-in/wechat"><button name="wechat">{{ say.say("换一个二维码", "New code") }}</button></form>
{%- endif %}
<a class="button" id="by-key" href="/console/sign-in">{{ say.say("用密钥登录", "Use the key") }}</a>
</div>
</section>
"#
)]
pub(crate) struct WechatSignInPage {
    /// What it speaks.
    pub(crate) say: Language,
    /// Where it stands.
    pub(crate) stage: Stage,
}

impl WechatSignInPage {
    /// Whether it goes on by itself.
    pub(crate) const fn is_at_end(&self) -> bool {
        matches!(
            self.stage,
            Stage::Denied | Stage::Over | Stage::Stranger | Stage::Doubled(_)
        )
    }

    fn picture(&self, content: &str) -> String {
        let name = self.say.say("登录二维码", "QR code to sign in");
        qr_picture::draw(content, name)
    }
}
