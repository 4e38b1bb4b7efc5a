//! What the owner did.

use askama::Template;
use jiff::Timestamp;
use login_protocol::account::AccountName;

use super::{
    super::{
        acts::{Act, Acts, Person},
        language::Language,
    },
    texts::second,
};
use crate::audit::{Door, OwnerAction};

/// A list of it.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<h1>{{ say.say("操作记录", "Activity") }}</h1>
{%- match acts %}
{%- when None %}
<section class="card">
<h2>{{ say.say("没有记录", "Nothing is recorded") }}</h2>
<p>{{ say.say("事件已关闭（GATEWAY__EVENTS__KEEP_DAYS=0），所以不知道谁做过什么。", "Events are off (GATEWAY__EVENTS__KEEP_DAYS=0), so nobody knows who did what.") }}</p>
<p class="muted">{{ say.say("把它设成保留的天数（例如 7），再重启网关，之后的操作就会出现在这里。", "Set it to the number of days to keep, such as 7, and restart the gateway. What is done from then on is listed here.") }}</p>
</section>
{%- when Some(acts) %}
{%- if acts.acts.is_empty() %}
<p class="card muted">{% if acts.next.is_some() %}{{ say.say("最近的事件里没有操作。", "There are none among the latest events.") }}{% else %}{{ say.say("还没有操作。", "Nothing was done yet.") }}{% endif %}</p>
{%- else %}
<div class="card wide" tabindex="0" role="group" aria-label="{{ say.say("操作记录", "Activity") }}">
<table class="acts rows">
<thead><tr><th scope="col">{{ say.say("操作", "What") }}</th><th scope="col">{{ say.say("对象", "To") }}</th><th scope="col">{{ say.say("操作者", "By") }}</th><th scope="col">{{ say.say("来自", "From") }}</th><th scope="col">{{ say.say("时间", "When") }}</th></tr></thead>
<tbody>
{%- for act in acts.acts %}
<tr><th scope="row"{% if self.is_refusal(act) %} class="bad"{% endif %}>{{ self.what(act) }}</th><td{% if self.has_no_object(act) %} class="none"{% endif %} data-label="{{ say.say("对象", "To") }}">
{%- match act.person %}
{%- when Some(person) %}<a href="/console/members/{{ person.openid.as_str() }}{% if let Some(account) = act.account %}?account={{ account.as_str() }}{% endif %}">{{ self.name(person) }}</a>
{%- when None %}{{ self.object(act) }}
{%- endmatch %}</td><td data-label="{{ say.say("操作者", "By") }}">{% if let Some(owner) = act.owner %}{{ self.name(owner) }} <span class="muted">{{ self.door(act) }}</span>{% else %}{{ self.door(act) }}{% endif %}</td><td data-label="{{ say.say("来自", "From") }}">{% if let Some(address) = act.address %}{{ address }}{% else %}{{ say.say("本机", "this machine") }}{% endif %}</td><td data-label="{{ say.say("时间", "When") }}">{{ self.time(act.at) }}</td></tr>
{%- endfor %}
</tbody></table>
</div>
{%- endif %}
{%- if let Some(next) = acts.next %}
<p><a class="button" id="more" href="/console/activity?before={{ next.event_id() }}">{{ say.say("更早的", "Earlier ones") }}</a></p>
{%- endif %}
<p class="muted small">{{ say.say("保留时间和事件相同（GATEWAY__EVENTS__KEEP_DAYS）。内部接口和命令行做的也在这里。", "Kept for as long as events are (GATEWAY__EVENTS__KEEP_DAYS). What the internal API and the command line did is listed too.") }}</p>
{%- endmatch %}
"#
)]
pub(crate) struct ActsPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// What was done; `None`: nothing is kept of it.
    pub(crate) acts: Option<&'a Acts>,
}

#[expect(clippy::unused_self, reason = "the template calls them so")]
impl ActsPage<'_> {
    fn is_refusal(&self, act: &Act) -> bool {
        act.action == Some(OwnerAction::SignInRefused)
    }

    fn what(&self, act: &Act) -> &'static str {
        let say = self.say;
        match act.action {
            Some(OwnerAction::Ban) => say.say("封禁", "Banned"),
            Some(OwnerAction::LiftBan) => say.say("解除封禁", "Lifted the ban"),
            Some(OwnerAction::Erase) => say.say("删除数据", "Erased somebody"),
            Some(OwnerAction::EndSessions) => say.say("结束全部登录", "Ended all sessions"),
            Some(OwnerAction::EndSession) => say.say("结束一次登录", "Ended a session"),
            Some(OwnerAction::Export) => say.say("导出成员", "Exported the members"),
            Some(OwnerAction::Migrate) => say.say("迁移成员", "Moved the members"),
            Some(OwnerAction::Redeliver) => say.say("重新发送事件", "Sent events again"),
            Some(OwnerAction::SignIn) => say.say("登录控制台", "Signed in"),
            Some(OwnerAction::SignInRefused) => say.say("登录被拒绝", "Sign-in refused"),
            Some(OwnerAction::SignOut) => say.say("退出控制台", "Signed out"),
            Some(OwnerAction::RunChecks) => say.say("运行检查", "Ran the checks"),
            None => say.say("其他操作", "Something else"),
        }
    }

    /// What it was done to, where that isn't somebody.
    fn object<'act>(&self, act: &'act Act) -> &'act str {
        let account = act.account.as_ref().map(AccountName::as_str);
        act.webhook.as_deref().or(account).unwrap_or("–")
    }

    fn has_no_object(&self, act: &Act) -> bool {
        act.person.is_none() && act.webhook.is_none() && act.account.is_none()
    }

    fn door(&self, act: &Act) -> &'static str {
        match act.door {
            Some(Door::ApiKey) => self.say.say("内部接口", "Internal API"),
            Some(Door::Console) => self.say.say("控制台", "Console"),
            Some(Door::CommandLine) => self.say.say("命令行", "Command line"),
            None => "–",
        }
    }

    fn name<'person>(&self, person: &'person Person) -> &'person str {
        let nickname = person.nickname.as_deref();
        let nickname = nickname.filter(|name| !name.trim().is_empty());
        nickname.unwrap_or_else(|| person.openid.as_str())
    }

    fn time(&self, at: &Timestamp) -> String {
        second(*at)
    }
}
