//! Pages for people: one layout, one style sheet, no scripts, Chinese first.
//!
//! They are askama templates, which escape everything. Each service's own templates are beside
//! their features.

use std::fmt::Display;

use askama::Template;

/// The style sheet of all pages.
pub const STYLE_SHEET: &str = include_str!("pages/style.css");

/// Where a page finds what belongs to it; relative to the page, or absolute.
#[derive(Debug, Clone, Copy)]
pub struct Assets<'a> {
    /// [`STYLE_SHEET`].
    pub style_sheet: &'a str,
    /// The icon, an SVG.
    pub icon: Option<&'a str>,
}

/// A page that says one thing.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    ext = "html",
    source = r#"
<p class="mark {{ mark.class() }}" aria-hidden="true">{{ mark.sign() }}</p>
<h1>{{ title }}</h1>
<p>{{ text }}</p>
<p class="english" lang="en">{{ english }}</p>
{%- if let Some(link) = link %}
<a class="{{ link.kind.class() }}" href="{{ link.url }}">{{ link.text }} <span lang="en">{{ link.english }}</span></a>
{%- endif %}
"#
)]
pub struct Notice<'a> {
    /// The mark at its top, which also sets its colour.
    pub mark: Mark,
    /// In Chinese.
    pub title: &'a str,
    /// In Chinese, a sentence.
    pub text: &'a str,
    /// Both in English, in a line.
    pub english: &'a str,
    /// Where the person can go on.
    pub link: Option<Link<'a>>,
}

/// The kind of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// All is well.
    Done,
    /// It can't go on like this.
    Stopped,
}

/// A link below a notice.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// What it is for.
    pub kind: LinkKind,
    /// The URL; the caller has made sure that it isn't a script.
    pub url: &'a str,
    /// In Chinese.
    pub text: &'a str,
    /// In English.
    pub english: &'a str,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The way out of a page that can't go on.
    Back,
    /// Something else that the person may want.
    More,
}

impl Mark {
    const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Stopped => "!",
        }
    }
}

impl LinkKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::More => "more",
        }
    }
}

/// What all pages have around their content. The content is a template itself, and has escaped what
/// it was given: this is the only place where text isn't.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{{ title }}</title>
{%- if let Some(icon) = assets.icon %}
<link rel="icon" href="{{ icon }}" type="image/svg+xml">
{%- endif %}
<link rel="stylesheet" href="{{ assets.style_sheet }}">
</head>
<body>
<main>
{{ content|safe }}
</main>
</body>
</html>
"#
)]
struct Layout<'a, Content: Template + Display> {
    title: &'a str,
    assets: Assets<'a>,
    content: &'a Content,
}

/// A page as HTML.
pub fn render<Content: Template + Display>(
    title: &str,
    assets: Assets<'_>,
    content: &Content,
) -> String {
    let layout = Layout {
        title,
        assets,
        content,
    };
    layout.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A nickname, or a site's name, of somebody who means ill.
    const HOSTILE: &str =
        "</title></main><script>alert('1')</script><img src=x onerror=\"alert(1)\">&amp;{{ 1 }}";

    fn assets() -> Assets<'static> {
        Assets {
            style_sheet: "style.css",
            icon: Some("icon.svg"),
        }
    }

    #[test]
    fn nothing_that_a_page_says_becomes_markup() {
        let harmless = Notice {
            mark: Mark::Done,
            title: "title",
            text: "text",
            english: "english",
            link: Some(Link {
                kind: LinkKind::More,
                url: "/link",
                text: "more",
                english: "more",
            }),
        };
        let link = Link {
            kind: LinkKind::More,
            url: HOSTILE,
            text: HOSTILE,
            english: HOSTILE,
        };
        let hostile = Notice {
            mark: Mark::Done,
            title: HOSTILE,
            text: HOSTILE,
            english: HOSTILE,
            link: Some(link),
        };
        let hostile_assets = Assets {
            style_sheet: HOSTILE,
            icon: Some(HOSTILE),
        };
        let plain = render("title", assets(), &harmless);
        let page = render(HOSTILE, hostile_assets, &hostile);
        for delimiter in ['<', '>', '"', '\''] {
            assert_eq!(
                page.matches(delimiter).count(),
                plain.matches(delimiter).count(),
                "{delimiter}: {page}"
            );
        }
        // Each place shows it as it was written.
        let escaped = "&#60;/title&#62;&#60;/main&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;\
                       &#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#38;amp;{{ 1 }}";
        assert_eq!(page.matches(escaped).count(), 9, "{page}");
    }

    #[test]
    fn a_page_has_a_link_only_where_there_is_somewhere_to_go() {
        let notice = Notice {
            mark: Mark::Stopped,
            title: "没有这个页面",
            text: "",
            english: "",
            link: None,
        };
        let page = render("没有这个页面", assets(), &notice);
        assert!(page.contains("<h1>没有这个页面</h1>"), "{page}");
        assert!(!page.contains("<a "), "{page}");
    }
}
