//! The doctor's findings.

use askama::Template;

use super::super::language::Language;
use crate::doctor::report::{Check, Status};

/// The doctor's findings.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<h1>{{ say.say("检查", "Checks") }}</h1>
<p class="muted">{{ say.say("检查设置、Redis、时钟、微信和公网地址，并说明怎么处理。会创建一个一分钟后失效的二维码。与 wechat-gateway doctor 相同。", "Checks settings, Redis, clock, WeChat and the public URL, and says what to do. It creates one QR code, good for a minute. The same as wechat-gateway doctor.") }}</p>
<form method="post" action="/console/checks">
<input type="hidden" name="token" value="{{ token }}">
<button name="run">{% if findings.is_some() %}{{ say.say("再检查一次", "Check again") }}{% else %}{{ say.say("开始检查", "Run the checks") }}{% endif %}</button>
</form>
{%- if let Some(findings) = findings %}
<ul class="findings">
{%- for check in findings %}
<li class="card {{ self.class(check.status) }}"><p><span class="badge">{{ self.status(check.status) }}</span> <strong lang="en">{{ check.title() }}</strong></p><p lang="en">{{ check.detail }}</p>{% if let Some(action) = check.action %}<p lang="en" class="advice">→ {{ action }}</p>{% endif %}</li>
{%- endfor %}
</ul>
{%- endif %}
"#
)]
pub(crate) struct ChecksPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// What was found, once it was looked for.
    pub(crate) findings: Option<&'a [Check]>,
    /// The form's token.
    pub(crate) token: &'a str,
}

impl ChecksPage<'_> {
    #[expect(clippy::unused_self, reason = "the template calls it so")]
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the template passes a reference"
    )]
    const fn class(&self, status: &Status) -> &'static str {
        match status {
            Status::Ok => "good",
            Status::Warn => "care",
            Status::Fail => "bad",
            Status::Skip => "skip",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the template passes a reference"
    )]
    const fn status(&self, status: &Status) -> &'static str {
        match status {
            Status::Ok => self.say.say("正常", "OK"),
            Status::Warn => self.say.say("注意", "Warning"),
            Status::Fail => self.say.say("有问题", "Failed"),
            Status::Skip => self.say.say("跳过", "Skipped"),
        }
    }
}
