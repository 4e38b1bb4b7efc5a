//! People: a list of them, and one.

use askama::Template;
use jiff::Timestamp;
use login_protocol::member::{Member, StoredMember};
use service_kit::sessions::PersonsSession;

use super::{
    super::language::Language,
    texts::{minute, name, state},
};

/// A list of people.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<h1>{{ say.say("成员", "Members") }}</h1>
{%- if let Some(done) = done %}
<p class="note good" role="status">{{ done }}</p>
{%- endif %}
<form method="get" action="/console/members" class="search" role="search">
<div><label for="account">{{ say.say("公众号", "Account") }}</label>
<select id="account" name="account">
{%- for name in accounts %}
<option value="{{ name }}"{% if name == account %} selected{% endif %}>{{ name }}</option>
{%- endfor %}
</select></div>
<div class="rest"><label for="q">{{ say.say("昵称、OpenID、UnionID 或 sub", "Nickname, OpenID, UnionID or sub") }}</label>
<input id="q" name="q" type="search" value="{{ query }}"></div>
<button name="search">{{ say.say("搜索", "Search") }}</button>
</form>
{%- if members.is_empty() %}
<p class="card muted">{% if query.is_empty() && !is_later %}{{ say.say("还没有人。有人关注或者登录以后，会出现在这里。", "Nobody yet. Who follows or logs in is listed here.") }}{% else %}{{ say.say("没有找到。", "Nobody was found.") }}{% endif %}</p>
{%- else %}
<div class="card wide" tabindex="0" role="group" aria-label="{{ say.say("成员", "Members") }}">
<table class="people rows">
<thead><tr><th scope="col">{{ say.say("昵称", "Nickname") }}</th><th scope="col">OpenID</th><th scope="col">{{ say.say("状态", "State") }}</th><th scope="col">{{ say.say("首次出现", "First seen") }}</th><th scope="col">{{ say.say("最近出现", "Last seen") }}</th></tr></thead>
<tbody>
{%- for stored in members %}
<tr><th scope="row"><a href="/console/members/{{ stored.member.openid.as_str() }}?account={{ account }}">{{ self.name(stored.member) }}</a></th><td><code>{{ stored.member.openid.as_str() }}</code></td><td>{{ self.state(stored.member) }}</td><td data-label="{{ say.say("首次出现", "First seen") }}">{{ self.time(stored.member.first_seen_at) }}</td><td data-label="{{ say.say("最近出现", "Last seen") }}">{{ self.time(stored.member.last_seen_at) }}</td></tr>
{%- endfor %}
</tbody></table>
</div>
{%- endif %}
{%- if let Some(next) = next %}
<p><a class="button" id="more" href="{{ next }}">{{ say.say("更早的", "Earlier ones") }}</a></p>
{%- endif %}
{%- if !query.is_empty() %}
<p class="muted small">{{ say.say("每次搜索最近出现过的一批人，可以用「更早的」继续往前找。", "A search looks through one batch of people at a time; “Earlier ones” goes on.") }}</p>
{%- endif %}
"#
)]
pub(crate) struct MembersPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// The accounts that can be chosen.
    pub(crate) accounts: &'a [String],
    /// The one whose people these are.
    pub(crate) account: &'a str,
    /// What was searched for.
    pub(crate) query: &'a str,
    /// Whether newer people were listed before.
    pub(crate) is_later: bool,
    /// Who was found.
    pub(crate) members: &'a [StoredMember],
    /// Where there are more.
    pub(crate) next: Option<String>,
    /// What was just done.
    pub(crate) done: Option<&'a str>,
}

impl MembersPage<'_> {
    fn name<'member>(&self, member: &'member Member) -> &'member str {
        name(self.say, member)
    }

    fn state(&self, member: &Member) -> &'static str {
        state(self.say, member)
    }

    #[expect(clippy::unused_self, reason = "the template calls it so")]
    fn time(&self, at: &Timestamp) -> String {
        minute(*at)
    }
}

/// A person.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<p><a href="/console/members?account={{ account }}">← {{ say.say("成员", "Members") }}</a></p>
<h1>{{ self.name() }}</h1>
{%- if let Some(done) = done %}
<p class="note good" role="status">{{ done }}</p>
{%- endif %}
<section class="card">
<dl class="facts two">
<div><dt>{{ say.say("状态", "State") }}</dt><dd>{{ self.state() }}</dd></div>
<div><dt>OpenID</dt><dd><code>{{ stored.member.openid.as_str() }}</code></dd></div>
<div><dt>UnionID</dt><dd>{% if let Some(unionid) = stored.member.unionid %}<code>{{ unionid }}</code>{% else %}–{% endif %}</dd></div>
<div><dt>sub</dt><dd>{% if let Some(sub) = stored.sub %}<code>{{ sub.as_str() }}</code>{% else %}–{% endif %}</dd></div>
<div><dt>{{ say.say("地区", "Location") }}</dt><dd>{{ stored.member.location.as_deref().unwrap_or("–") }}</dd></div>
<div><dt>{{ say.say("首次出现", "First seen") }}</dt><dd>{{ self.time(stored.member.first_seen_at) }}</dd></div>
<div><dt>{{ say.say("最近出现", "Last seen") }}</dt><dd>{{ self.time(stored.member.last_seen_at) }}</dd></div>
</dl>
</section>
<section class="card" aria-labelledby="sessions">
<h2 id="sessions">{{ say.say("登录状态", "Sessions") }}</h2>
{%- if sessions.is_empty() %}
<p class="muted">{{ say.say("没有登录。", "Not signed in anywhere.") }}</p>
{%- else %}
<div class="wide" tabindex="0" role="group" aria-labelledby="sessions">
<table class="rows">
<thead><tr><th scope="col">{{ say.say("网站", "Site") }}</th><th scope="col">{{ say.say("浏览器", "Browser") }}</th><th scope="col">{{ say.say("地址", "Address") }}</th><th scope="col">{{ say.say("开始", "Since") }}</th><th scope="col">{{ say.say("最近使用", "Last used") }}</th><th scope="col"><span class="unseen">{{ say.say("操作", "Action") }}</span></th></tr></thead>
<tbody>
{%- for session in sessions %}
{%- let listed = session.listed(None) %}
<tr><th scope="row">{{ listed.site.unwrap_or("–") }}</th><td>{{ listed.browser.unwrap_or("–") }}</td><td>{{ listed.address.unwrap_or("–") }}</td><td data-label="{{ say.say("开始", "Since") }}">{{ self.time(listed.begun_at) }}</td><td data-label="{{ say.say("最近使用", "Last used") }}">{% if let Some(at) = listed.last_seen_at %}{{ self.time(at) }}{% else %}–{% endif %}</td><td><a class="button small" href="{{ self.action("end-session") }}&amp;session={{ listed.id }}">{{ say.say("结束", "End") }}</a></td></tr>
{%- endfor %}
</tbody></table>
</div>
<p><a class="button" id="end-sessions" href="{{ self.action("end-sessions") }}">{{ say.say("结束全部登录", "End all sessions") }}</a></p>
{%- endif %}
</section>
<section class="card" aria-labelledby="more-actions">
<h2 id="more-actions">{{ say.say("管理", "Manage") }}</h2>
<p class="buttons">
{%- if stored.member.banned %}
<a class="button" id="lift-ban" href="{{ self.action("lift-ban") }}">{{ say.say("解除封禁", "Lift the ban") }}</a>
{%- else %}
<a class="button danger" id="ban" href="{{ self.action("ban") }}">{{ say.say("封禁", "Ban") }}</a>
{%- endif %}
<a class="button danger" id="erase" href="{{ self.action("erase") }}">{{ say.say("删除数据", "Erase") }}</a>
</p>
</section>
"#
)]
pub(crate) struct PersonPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// The account.
    pub(crate) account: &'a str,
    /// Who.
    pub(crate) stored: &'a StoredMember,
    /// Where they are signed in.
    pub(crate) sessions: &'a [PersonsSession],
    /// What was just done.
    pub(crate) done: Option<&'a str>,
}

impl PersonPage<'_> {
    fn name(&self) -> &str {
        name(self.say, &self.stored.member)
    }

    fn state(&self) -> &'static str {
        state(self.say, &self.stored.member)
    }

    fn action(&self, action: &str) -> String {
        let openid = self.stored.member.openid.as_str();
        format!(
            "/console/members/{openid}/{action}?account={}",
            self.account
        )
    }

    #[expect(clippy::unused_self, reason = "the template calls it so")]
    fn time(&self, at: &Timestamp) -> String {
        minute(*at)
    }
}
