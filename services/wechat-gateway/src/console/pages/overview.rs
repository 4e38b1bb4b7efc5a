//! How it stands.

use askama::Template;
use jiff::Timestamp;
use login_protocol::history::{Figure, Figures};

use super::{
    super::{
        advice::Trouble,
        charts::{self, Bar},
        history::{self, Delay},
        language::Language,
        overview::{AccountStanding, Overview},
    },
    texts::{clock, day_label, hour_label, span},
};
use crate::wechat::access_tokens::TokenStanding;

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
<li class="{{ step.class }}"><span class="name">{{ step.name }}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="begun" width="100" height="10" rx="1"/><rect class="done" width="{{ step.share }}" height="10" rx="1"/></svg><span class="count">{{ step.count }}</span><span class="share">{{ step.percentage() }}</span></li>
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
<li><span class="name">{{ step.name }}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="begun" width="100" height="10" rx="1"/><rect class="done" width="{{ step.share }}" height="10" rx="1"/></svg><span class="count">{{ step.count }}</span><span class="share">{{ step.percentage() }}</span></li>
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

impl Step {
    fn percentage(&self) -> String {
        match (self.share, self.count) {
            (0, 1..) => "<1%".to_owned(),
            (share, _) => format!("{share}%"),
        }
    }
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
        if pace <= 0.0 {
            "0".to_owned()
        } else if pace >= 10.0 {
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
