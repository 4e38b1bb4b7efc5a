//! The console's pages. Everything that they are given is escaped; what isn't are the drawings of
//! [`super::charts`] and the content that the layout frames, which is a template itself.

use std::fmt::Display;

use askama::Template;
use jiff::{Timestamp, civil::Date};
use login_protocol::{
    history::{Figure, Figures, Hour},
    member::{Member, StoredMember},
};
use service_kit::sessions::PersonsSession;

use super::{
    advice::Trouble,
    charts::{self, Bar},
    history::{self, Delay},
    language::Language,
    overview::{AccountStanding, Overview},
};
use crate::{
    doctor::report::{Check, Status},
    wechat::access_tokens::TokenStanding,
};

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
<main id="main"{% if refreshes %} data-refresh{% endif %}>
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
    /// Whether it is kept current.
    pub(crate) refreshes: bool,
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
    /// The checks.
    Checks,
}

impl<Content: Template + Display> Layout<'_, Content> {
    fn places(&self) -> [(Place, &'static str, &'static str); 3] {
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
                Place::Checks,
                "/console/checks",
                self.say.say("检查", "Checks"),
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
</section>
"#
)]
pub(crate) struct SignIn {
    /// What it speaks.
    pub(crate) say: Language,
    /// Why the last try failed.
    pub(crate) refusal: Option<String>,
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

/// How it stands.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<h1 class="unseen">{{ say.say("概览", "Overview") }}</h1>
<section class="verdict {{ self.verdict_class() }}" aria-labelledby="verdict">
<h2 id="verdict"><span class="mark" aria-hidden="true">{{ self.verdict_sign() }}</span>{{ self.verdict() }}</h2>
{%- if !overview.troubles.is_empty() %}
<ul>
{%- for trouble in overview.troubles %}
<li><strong>{{ trouble.what }}</strong> <span>{{ trouble.advice }}</span></li>
{%- endfor %}
</ul>
{%- endif %}
</section>
<dl class="tiles">
<div><dt>{{ say.say("每分钟登录", "Logins a minute") }}</dt><dd>{{ self.pace() }}</dd></div>
<div><dt>{{ say.say("24 小时内登录", "Logins in 24 hours") }}</dt><dd>{{ last_day.of(Figure::Completed) }}</dd></div>
<div><dt>{{ say.say("完成率", "Completed") }}</dt><dd>{{ self.rate() }}</dd></div>
<div><dt>{{ say.say("扫码到网页", "Scan to browser") }}</dt><dd>{{ self.delay() }}</dd></div>
<div><dt>{{ say.say("正在等待的浏览器", "Browsers waiting") }}</dt><dd>{{ overview.waiting() }}</dd></div>
</dl>
<div class="pair">
{%- for (id, title, figures) in self.funnels() %}
<section class="card" aria-labelledby="{{ id }}">
<h2 id="{{ id }}">{{ title }}</h2>
<ol class="funnel">
{%- for step in self.funnel(figures) %}
<li class="{{ step.class }}"><span class="name">{{ step.name }}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="begun" width="100" height="10" rx="1"/><rect class="done" width="{{ step.share }}" height="10" rx="1"/></svg><span class="count">{{ step.count }}</span><span class="share">{{ step.share }}%</span></li>
{%- endfor %}
</ol>
</section>
{%- endfor %}
</div>
<div class="pair">
{%- for chart in self.charts() %}
<section class="card" aria-labelledby="{{ chart.id }}">
<h2 id="{{ chart.id }}">{{ chart.title }}</h2>
<p class="legend"><span class="key begun" aria-hidden="true"></span>{{ say.say("展示", "Shown") }} <span class="key done" aria-hidden="true"></span>{{ say.say("完成", "Completed") }} <span class="peak">{{ say.say("最高", "Highest") }} {{ chart.highest }}</span></p>
<svg class="bars" role="img" aria-label="{{ chart.title }}" viewBox="{{ chart.view_box }}" preserveAspectRatio="none">{{ chart.drawing|safe }}</svg>
<p class="axis" aria-hidden="true"><span>{{ chart.first }}</span><span>{{ chart.middle }}</span><span>{{ chart.last }}</span></p>
<details data-key="{{ chart.id }}"><summary>{{ say.say("数字", "Figures") }}</summary>
<div class="wide" tabindex="0" role="group" aria-label="{{ chart.title }}"><table>
<thead><tr><th scope="col">{{ say.say("时间", "Time") }}</th><th scope="col">{{ say.say("展示", "Shown") }}</th><th scope="col">{{ say.say("完成", "Completed") }}</th></tr></thead>
<tbody>
{%- for bar in chart.bars %}
<tr><th scope="row">{{ bar.label }}</th><td>{{ bar.begun }}</td><td>{{ bar.completed }}</td></tr>
{%- endfor %}
</tbody></table></div></details>
</section>
{%- endfor %}
</div>
<section class="card" aria-labelledby="accounts">
<h2 id="accounts">{{ say.say("公众号", "Accounts") }}</h2>
<div class="accounts">
{%- for account in overview.accounts %}
<article>
<h3>{{ account.name }}</h3>
<dl class="facts">
<div><dt>access_token</dt><dd>{{ self.token_of(account) }}</dd></div>
<div><dt>{{ say.say("今天剩余的二维码", "QR codes left today") }}</dt><dd>{{ self.codes_of(account) }}</dd></div>
{%- if let Some((_, until)) = account.refused %}
<div><dt>{{ say.say("再次尝试", "Tried again") }}</dt><dd>{{ self.time(until) }}</dd></div>
{%- endif %}
</dl>
{%- for trouble in account.troubles %}
<p class="note {% if trouble.is_serious %}bad{% else %}care{% endif %}"><strong>{{ trouble.what }}</strong> {{ trouble.advice }}</p>
{%- endfor %}
</article>
{%- endfor %}
</div>
</section>
<div class="pair">
<section class="card" aria-labelledby="sites">
<h2 id="sites">{{ say.say("网站服务", "Site replicas") }}</h2>
{%- if overview.past.replicas.is_empty() %}
<p class="muted">{{ say.say("最近一分钟没有网站服务报告。", "No site has reported within the last minute.") }}</p>
{%- else %}
<table>
<thead><tr><th scope="col">{{ say.say("网站", "Site") }}</th><th scope="col">{{ say.say("进程", "Process") }}</th><th scope="col">{{ say.say("等待的浏览器", "Waiting") }}</th></tr></thead>
<tbody>
{%- for replica in overview.past.replicas %}
<tr><th scope="row">{{ replica.site }}</th><td><code>{{ self.short(replica.process) }}</code></td><td>{{ replica.waiting }}</td></tr>
{%- endfor %}
</tbody></table>
{%- endif %}
</section>
<section class="card" aria-labelledby="delays">
<h2 id="delays">{{ say.say("扫码到网页的时间，24 小时", "Scan to browser, 24 hours") }}</h2>
<ol class="funnel delays">
{%- for step in self.delays() %}
<li><span class="name">{{ step.name }}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="begun" width="100" height="10" rx="1"/><rect class="done" width="{{ step.share }}" height="10" rx="1"/></svg><span class="count">{{ step.count }}</span><span class="share">{{ step.share }}%</span></li>
{%- endfor %}
</ol>
</section>
</div>
<p class="muted small">{{ say.say("时间按中国时间（UTC+8）。数字每 5 秒写入一次，保留 30 天。更新于", "Times are China's (UTC+8). Figures are written every 5 seconds and kept for 30 days. Updated at") }} {{ self.clock() }}</p>
"#
)]
pub(crate) struct OverviewPage<'a> {
    /// What it speaks.
    pub(crate) say: Language,
    /// What it shows.
    pub(crate) overview: &'a Overview,
    /// The sums of a day.
    pub(crate) last_day: Figures,
    /// The sums of a month.
    pub(crate) last_month: Figures,
}

/// A bar of a funnel.
struct Step {
    name: String,
    class: &'static str,
    count: u64,
    share: u64,
}

struct Chart {
    id: &'static str,
    title: &'static str,
    bars: Vec<Bar>,
    drawing: String,
    view_box: String,
    highest: u64,
    first: String,
    middle: String,
    last: String,
}

impl Chart {
    fn new(id: &'static str, title: &'static str, bars: Vec<Bar>) -> Self {
        let label = |place: usize| {
            bars.get(place)
                .map_or_else(String::new, |bar| bar.label.clone())
        };
        Self {
            id,
            title,
            drawing: charts::bars(&bars),
            view_box: charts::view_box(bars.len()),
            highest: charts::highest(&bars),
            first: label(0),
            middle: label(bars.len() / 2),
            last: label(bars.len().saturating_sub(1)),
            bars,
        }
    }
}

impl<'a> OverviewPage<'a> {
    /// Of this.
    pub(crate) fn new(say: Language, overview: &'a Overview) -> Self {
        Self {
            say,
            overview,
            last_day: overview.past.last_day(),
            last_month: overview.past.last_month(),
        }
    }

    fn is_serious(&self) -> bool {
        self.overview
            .troubles
            .iter()
            .any(|trouble: &Trouble| trouble.is_serious)
    }

    fn verdict_class(&self) -> &'static str {
        match (self.overview.troubles.is_empty(), self.is_serious()) {
            (true, _) => "good",
            (false, false) => "care",
            (false, true) => "bad",
        }
    }

    fn verdict_sign(&self) -> &'static str {
        if self.overview.troubles.is_empty() {
            "✓"
        } else {
            "!"
        }
    }

    fn verdict(&self) -> String {
        let count = self.overview.troubles.len();
        match (count, self.say) {
            (0, say) => say.say("一切正常", "All is well").to_owned(),
            (_, Language::Chinese) => format!("有 {count} 件事要处理"),
            (1, Language::English) => "One thing needs your attention".to_owned(),
            (_, Language::English) => format!("{count} things need your attention"),
        }
    }

    fn pace(&self) -> String {
        let pace = self.overview.past.logins_a_minute();
        if pace >= 10.0 {
            format!("{pace:.0}")
        } else {
            format!("{pace:.1}")
        }
    }

    fn rate(&self) -> String {
        match self.last_day.of(Figure::Shown) {
            0 => "–".to_owned(),
            shown => format!(
                "{}%",
                charts::per_cent(self.last_day.of(Figure::Completed), shown)
            ),
        }
    }

    fn delay(&self) -> String {
        match history::usual_delay(&self.last_day) {
            None => "–".to_owned(),
            Some(Delay::Within(most)) => format!("≤ {}", span(most.as_millis())),
            Some(Delay::Longer) => "> 5 s".to_owned(),
        }
    }

    fn funnels(&self) -> [(&'static str, &'static str, &Figures); 2] {
        [
            (
                "day",
                self.say.say("最近 24 小时", "The last 24 hours"),
                &self.last_day,
            ),
            (
                "month",
                self.say.say("最近 30 天", "The last 30 days"),
                &self.last_month,
            ),
        ]
    }

    fn funnel(&self, figures: &Figures) -> Vec<Step> {
        let say = self.say;
        let shown = figures.of(Figure::Shown);
        [
            (Figure::Shown, say.say("展示", "Shown"), "way"),
            (Figure::Scanned, say.say("扫码", "Scanned"), "way"),
            (
                Figure::Followed,
                say.say("其中新关注", "new followers"),
                "part",
            ),
            (Figure::Confirmed, say.say("确认", "Confirmed"), "way"),
            (Figure::Completed, say.say("完成", "Completed"), "way"),
            (Figure::Expired, say.say("过期", "Expired"), "out"),
            (Figure::Denied, say.say("拒绝", "Denied"), "out"),
        ]
        .into_iter()
        .map(|(figure, name, class)| Step {
            name: name.to_owned(),
            class,
            count: figures.of(figure),
            share: charts::per_cent(figures.of(figure), shown),
        })
        .collect()
    }

    fn delays(&self) -> Vec<Step> {
        let all = Figure::DELAYS
            .iter()
            .map(|delay| self.last_day.of(*delay))
            .sum();
        let steps = Figure::DELAYS.into_iter().map(|delay| Step {
            name: delay.at_most().map_or_else(
                || "> 5 s".to_owned(),
                |most| format!("≤ {}", span(most.as_millis())),
            ),
            class: "way",
            count: self.last_day.of(delay),
            share: charts::per_cent(self.last_day.of(delay), all),
        });
        steps.collect()
    }

    fn charts(&self) -> [Chart; 2] {
        let past = &self.overview.past;
        let bar = |label: String, figures: &Figures| Bar {
            label,
            begun: figures.of(Figure::Shown),
            completed: figures.of(Figure::Completed),
        };
        let hours = past
            .hours
            .iter()
            .map(|(hour, figures)| bar(hour_label(*hour), figures));
        let days = past
            .days
            .iter()
            .map(|(day, figures)| bar(day_label(*day), figures));
        [
            Chart::new(
                "hours",
                self.say.say("每小时", "Hour by hour"),
                hours.collect(),
            ),
            Chart::new("days", self.say.say("每天", "Day by day"), days.collect()),
        ]
    }

    fn token_of(&self, account: &AccountStanding) -> String {
        match &account.token {
            TokenStanding::Held { expires_at } => {
                let until = clock(*expires_at);
                match self.say {
                    Language::Chinese => format!("正常，{until} 到期，会提前更换"),
                    Language::English => format!("Good until {until}, replaced before"),
                }
            }
            TokenStanding::BeingFetched => self.say.say("正在获取", "Being fetched").to_owned(),
            TokenStanding::Missing { .. } => self.say.say("没有", "None").to_owned(),
        }
    }

    fn codes_of(&self, account: &AccountStanding) -> String {
        match account.codes {
            Some((left, per_day)) => format!("{left} / {per_day}"),
            None => self.say.say("不限", "No limit").to_owned(),
        }
    }

    #[expect(clippy::unused_self, reason = "the template calls it so")]
    fn short(&self, process: &str) -> String {
        process.chars().take(8).collect()
    }

    #[expect(clippy::unused_self, reason = "the template calls it so")]
    fn time(&self, at: &Timestamp) -> String {
        clock(*at)
    }

    fn clock(&self) -> String {
        self.overview
            .past
            .at
            .to_zoned(history::china())
            .strftime("%H:%M:%S")
            .to_string()
    }
}

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
<label for="account">{{ say.say("公众号", "Account") }}</label>
<select id="account" name="account">
{%- for name in accounts %}
<option value="{{ name }}"{% if name == account %} selected{% endif %}>{{ name }}</option>
{%- endfor %}
</select>
<label for="q">{{ say.say("昵称、OpenID、UnionID 或 sub", "Nickname, OpenID, UnionID or sub") }}</label>
<input id="q" name="q" type="search" value="{{ query }}">
<button name="search">{{ say.say("搜索", "Search") }}</button>
</form>
{%- if members.is_empty() %}
<p class="card muted">{{ say.say("没有找到。", "Nobody was found.") }}</p>
{%- else %}
<div class="card wide" tabindex="0" role="group" aria-label="{{ say.say("成员", "Members") }}">
<table class="people">
<thead><tr><th scope="col">{{ say.say("昵称", "Nickname") }}</th><th scope="col">OpenID</th><th scope="col">{{ say.say("状态", "State") }}</th><th scope="col">{{ say.say("首次出现", "First seen") }}</th><th scope="col">{{ say.say("最近出现", "Last seen") }}</th></tr></thead>
<tbody>
{%- for stored in members %}
<tr><th scope="row"><a href="/console/members/{{ stored.member.openid.as_str() }}?account={{ account }}">{{ self.name(stored.member) }}</a></th><td><code>{{ stored.member.openid.as_str() }}</code></td><td>{{ self.state(stored.member) }}</td><td>{{ self.time(stored.member.first_seen_at) }}</td><td>{{ self.time(stored.member.last_seen_at) }}</td></tr>
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
<dl class="facts">
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
<table>
<thead><tr><th scope="col">{{ say.say("网站", "Site") }}</th><th scope="col">{{ say.say("浏览器", "Browser") }}</th><th scope="col">{{ say.say("地址", "Address") }}</th><th scope="col">{{ say.say("开始", "Since") }}</th><th scope="col">{{ say.say("最近使用", "Last used") }}</th><th scope="col"><span class="unseen">{{ say.say("操作", "Action") }}</span></th></tr></thead>
<tbody>
{%- for session in sessions %}
{%- let listed = session.listed(None) %}
<tr><th scope="row">{{ listed.site.unwrap_or("–") }}</th><td>{{ listed.browser.unwrap_or("–") }}</td><td>{{ listed.address.unwrap_or("–") }}</td><td>{{ self.time(listed.begun_at) }}</td><td>{% if let Some(at) = listed.last_seen_at %}{{ self.time(at) }}{% else %}–{% endif %}</td><td><a class="button small" href="{{ self.action("end-session") }}&amp;session={{ listed.id }}">{{ say.say("结束", "End") }}</a></td></tr>
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

fn name(say: Language, member: &Member) -> &str {
    let nickname = member
        .nickname
        .as_deref()
        .filter(|name| !name.trim().is_empty());
    nickname.unwrap_or(say.say("没有昵称", "No nickname"))
}

const fn state(say: Language, member: &Member) -> &'static str {
    match (member.banned, member.subscribed) {
        (true, _) => say.say("已封禁", "Banned"),
        (false, true) => say.say("已关注", "Follows"),
        (false, false) => say.say("未关注", "Doesn't follow"),
    }
}

fn span(milliseconds: u128) -> String {
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", milliseconds / 1000)
    }
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(history::china()).strftime("%H:%M").to_string()
}

fn minute(at: Timestamp) -> String {
    at.to_zoned(history::china())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

fn hour_label(hour: Hour) -> String {
    clock(hour.begins())
}

fn day_label(day: Date) -> String {
    day.strftime("%m-%d").to_string()
}
