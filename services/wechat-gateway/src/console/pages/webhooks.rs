//! The receivers of events, and sending them events again.

use askama::Template;
use jiff::Timestamp;

use super::{
    super::{advice, language::Language},
    texts::minute,
};
use crate::webhooks::{Failure, Report};

/// How far each receiver is.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<h1>{{ say.say("Webhook", "Webhooks") }}</h1>
{%- if let Some(done) = done %}
<p class="note good" role="status">{{ done }}</p>
{%- endif %}
{%- if reports.is_empty() %}
<p class="card muted">{{ say.say("没有设置接收方。设置 GATEWAY__WEBHOOK__<名称>__URL 和 __SECRET，网关就会把关注、登录等事件发给你的程序。", "No receiver is set up. With GATEWAY__WEBHOOK__<NAME>__URL and __SECRET the gateway tells your software of follows, logins and more.") }}</p>
{%- endif %}
{%- for report in reports %}
<section class="card {{ self.class(report) }}" aria-labelledby="webhook-{{ report.name }}">
<h2 id="webhook-{{ report.name }}">{{ report.name }} <span class="badge">{{ self.state(report) }}</span></h2>
<dl class="facts two">
<div><dt>{{ say.say("还没送到的事件", "Events it hasn't got") }}</dt><dd>{{ report.lag_events }}{% if report.lag_seconds > 0 %} ({{ self.age(report) }}){% endif %}</dd></div>
<div><dt>{{ say.say("已放弃的事件", "Events given up") }}</dt><dd>{{ report.dead_letters }}</dd></div>
<div><dt>{{ say.say("发送失败次数", "Failures in all") }}</dt><dd>{{ report.failures }}</dd></div>
<div><dt>{{ say.say("上次失败", "Last failure") }}</dt><dd>{% if let Some((at, failure)) = report.last_failure %}{{ self.what(failure) }} <span class="muted">{{ self.time(at) }}</span>{% else %}–{% endif %}</dd></div>
</dl>
{%- if let Some(off) = report.switched_off_at %}
<p class="note care"><strong>{{ say.say("已关闭", "Switched off") }} · {{ self.time(off) }}</strong> {{ say.say("对方回答了 410，表示不再接收。改正 URL 或者重新发送，就会重新打开；关闭期间的事件在保留期内不会丢。", "It answered 410: it wants no more events. Another URL or sending events again switches it on. Nothing is lost meanwhile, as long as events are kept.") }}</p>
{%- else if self.has_trouble(report) %}
{%- if let Some((_, failure)) = report.last_failure %}
<p class="note care"><strong>{{ self.what(failure) }}</strong> {{ self.advice(failure) }}</p>
{%- endif %}
{%- endif %}
<p class="buttons"><a class="button" href="/console/webhooks/{{ report.name }}/redeliver">{{ say.say("重新发送…", "Send again…") }}</a></p>
</section>
{%- endfor %}
"#
)]
pub(crate) struct WebhooksPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// How far each is.
    pub(crate) reports: &'a [Report],
    /// What was just done.
    pub(crate) done: Option<String>,
}

#[expect(clippy::unused_self, reason = "the template calls them so")]
impl WebhooksPage<'_> {
    fn has_trouble(&self, report: &Report) -> bool {
        report.dead_letters > 0 || report.lag_seconds > 60
    }

    fn class(&self, report: &Report) -> &'static str {
        if report.switched_off_at.is_some() || self.has_trouble(report) {
            "care"
        } else {
            "good"
        }
    }

    fn state(&self, report: &Report) -> &'static str {
        let say = self.say;
        match (report.switched_off_at, report.dead_letters) {
            (Some(_), _) => say.say("已关闭", "Off"),
            (None, 1..) => say.say("有事件没送到", "Events were given up"),
            (None, 0) if self.has_trouble(report) => say.say("落后", "Late"),
            (None, 0) => say.say("正常", "Well"),
        }
    }

    fn age(&self, report: &Report) -> String {
        let seconds = report.lag_seconds;
        match (self.say, seconds) {
            (Language::Chinese, 0..120) => format!("最早的在 {seconds} 秒前"),
            (Language::Chinese, _) => format!("最早的在 {} 分钟前", seconds / 60),
            (Language::English, 0..120) => format!("the oldest {seconds} s ago"),
            (Language::English, _) => format!("the oldest {} min ago", seconds / 60),
        }
    }

    fn what(&self, failure: &Failure) -> String {
        advice::of_delivery(self.say, failure).0
    }

    fn advice(&self, failure: &Failure) -> &'static str {
        advice::of_delivery(self.say, failure).1
    }

    fn time(&self, at: &Timestamp) -> String {
        minute(*at)
    }
}

/// Asks before events are sent again.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<section class="card narrow">
<h1>{{ say.say("重新发送事件？", "Send events again?") }}</h1>
<p>{{ say.say("所选时间里的事件会再发给", "The events of the time you choose are sent again to") }} <strong>{{ name }}</strong>{{ say.say("。已经收到过的也会再发一次，编号不变，对方应当按编号去重。", ". What it has already got comes again with the same id, by which it can tell.") }}</p>
<form method="post" action="/console/webhooks/{{ name }}/redeliver" class="stacked">
<input type="hidden" name="token" value="{{ token }}">
<label for="hours">{{ say.say("时间", "Time") }}</label>
<select id="hours" name="hours">
<option value="1">{{ say.say("最近 1 小时", "the last hour") }}</option>
<option value="24">{{ say.say("最近 24 小时", "the last 24 hours") }}</option>
<option value="168">{{ say.say("最近 7 天", "the last 7 days") }}</option>
</select>
<p class="buttons">
<button name="sure">{{ say.say("重新发送", "Send again") }}</button>
<a class="button" href="/console/webhooks">{{ say.say("取消", "Cancel") }}</a>
</p>
</form>
</section>
"#
)]
pub(crate) struct RedeliverPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// The receiver.
    pub(crate) name: &'a str,
    /// The form's token.
    pub(crate) token: &'a str,
}
