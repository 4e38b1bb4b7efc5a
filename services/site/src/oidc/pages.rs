//! The provider's pages: what a visitor reads, and the answer that a browser carries to a client.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, RETRY_AFTER},
    },
};
use askama::Template;
use service_kit::pages::{self, Assets, Mark, Notice};
use url::form_urlencoded;

use super::{
    authorization_request::{Language, ResponseMode, ReturnAddress},
    clients::Client,
    provider::Provider,
    refusal::{self, Refusal},
};

/// Pages with a form that goes to the client. Its address may redirect anywhere, which browsers
/// hold against the form.
const POSTING: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action https: http:; frame-ancestors 'none'";

/// A page with a form of ours, whose answer leads on to this address. Browsers hold it against the
/// form, and apps have schemes of their own.
fn asking(afterwards: Option<&str>) -> String {
    let scheme = afterwards.and_then(|address| address.split_once(':'));
    let own = scheme.map_or_else(String::new, |(scheme, _)| format!(" {scheme}:"));
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'self' https: http:{own}; frame-ancestors 'none'"
    )
}

/// The answer to a client, by way of the browser: a redirect, or a form that posts itself. Both
/// name the issuer (RFC 9207).
pub(super) fn answer(
    provider: &Provider,
    to: &ReturnAddress,
    parameters: &[(&str, &str)],
) -> HttpResponse {
    let mut all: Vec<(&str, &str)> = parameters.to_vec();
    all.extend(to.state.as_deref().map(|state| ("state", state)));
    all.push(("iss", &provider.issuer));
    match to.response_mode {
        ResponseMode::Query => HttpResponse::SeeOther()
            .insert_header((LOCATION, with_query(&to.redirect_uri, &all)))
            .finish(),
        ResponseMode::FormPost => {
            let page = Carrier {
                address: &to.redirect_uri,
                fields: &all,
                script: &provider.public_url.path_of("/assets/oidc-post.js"),
            };
            let body = pages::render("正在返回…", assets(provider).as_assets(), &page);
            html(HttpResponse::Ok())
                .insert_header((CONTENT_SECURITY_POLICY, POSTING))
                .body(body)
        }
    }
}

/// A refusal that the client is told of (RFC 6749, section 4.1.2.1).
pub(super) fn answer_refusal(
    provider: &Provider,
    to: &ReturnAddress,
    refusal: &Refusal,
) -> HttpResponse {
    let parameters = [
        ("error", refusal.error),
        ("error_description", &refusal.description),
    ];
    answer(provider, to, &parameters)
}

/// The address with more in its query; all else stays as it was written.
pub(super) fn with_query(address: &str, parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}{query}")
}

struct AssetPaths {
    style_sheet: String,
    icon: String,
}

impl AssetPaths {
    fn as_assets(&self) -> Assets<'_> {
        Assets {
            style_sheet: &self.style_sheet,
            icon: Some(&self.icon),
        }
    }
}

fn assets(provider: &Provider) -> AssetPaths {
    let path = |path| provider.public_url.path_of(path);
    AssetPaths {
        style_sheet: path("/assets/login-stopped.css"),
        icon: path("/assets/icon.svg"),
    }
}

fn html(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.content_type("text/html; charset=utf-8");
    response
}

/// A form that the browser posts to the client.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<form method="post" action="{{ address }}">
{%- for (name, value) in fields %}
<input type="hidden" name="{{ name }}" value="{{ value }}">
{%- endfor %}
<h1>正在返回…</h1>
<p><button type="submit">继续 <span lang="en">Continue</span></button></p>
</form>
<script src="{{ script }}"></script>"#
)]
struct Carrier<'a> {
    address: &'a str,
    fields: &'a [(&'a str, &'a str)],
    script: &'a str,
}

/// The page on which the visitor logs in.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="{{ lang }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>{{ title }}</title>
<link rel="icon" href="{{ root }}/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{ root }}/assets/login-stopped.css">
<script type="module" src="{{ root }}/assets/oidc-login.js"></script>
<script type="module" src="{{ root }}/assets/wechat-login.js"></script>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<wechat-login id="login" inline request="{{ request }}" api="{{ root }}/" lang="{{ lang }}"></wechat-login>
<noscript><p>登录需要启用 JavaScript。</p><p class="english" lang="en">Logging in needs JavaScript.</p></noscript>
</main>
</body>
</html>
"#
)]
struct LoginPage<'a> {
    lang: &'a str,
    title: &'a str,
    root: &'a str,
    request: &'a str,
}

/// The page on which the visitor logs in to go on to a client.
pub(super) fn login(
    provider: &Provider,
    client: &Client,
    language: Option<Language>,
    request: &str,
) -> HttpResponse {
    let name = &client.display_name;
    let (lang, title) = match language {
        Some(Language::English) => ("en", format!("Log in to {name}")),
        None | Some(Language::Chinese) => ("zh-CN", format!("登录 {name}")),
    };
    let root = provider.public_url.path_of("");
    let page = LoginPage {
        lang,
        title: &title,
        root: &root,
        request,
    };
    html(HttpResponse::Ok()).body(page.to_string())
}

/// A page that says that this doesn't go on.
fn notice(
    provider: &Provider,
    status: StatusCode,
    (title, text, english): (&str, &str, &str),
) -> HttpResponseBuilderWithBody {
    let notice = Notice {
        mark: Mark::Stopped,
        title,
        text,
        english,
        link: None,
    };
    HttpResponseBuilderWithBody {
        response: html(HttpResponse::build(status)),
        body: pages::render(title, assets(provider).as_assets(), &notice),
    }
}

struct HttpResponseBuilderWithBody {
    response: HttpResponseBuilder,
    body: String,
}

/// The page for a request whose client or redirect URI is wrong, or that can't be served now: the
/// visitor isn't sent anywhere. The operator reads the reason on it.
pub(super) fn refused(provider: &Provider, refusal: &Refusal) -> HttpResponse {
    let (title, text) = if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        ("暂时无法登录", "登录服务暂时没有响应，请稍后刷新再试。")
    } else if refusal.status() == StatusCode::TOO_MANY_REQUESTS {
        ("请稍后再试", "您这里的登录请求太多了，请过一会儿再试。")
    } else {
        ("无法登录", "这个登录请求有问题，请联系您要登录的网站。")
    };
    let english = format!(
        "This login request can't be served: {}.",
        refusal.description
    );
    let HttpResponseBuilderWithBody { mut response, body } =
        notice(provider, refusal.status(), (title, text, &english));
    if let Some(after) = refusal.retry_after() {
        response.insert_header((RETRY_AFTER, refusal::seconds(after)));
    }
    response.body(body)
}

/// The page of a request that is over.
pub(super) fn over(provider: &Provider) -> HttpResponse {
    let words = (
        "这次登录已结束",
        "登录请求已过期。请回到您要登录的网站，重新点登录。",
        "This login request has expired. Go back to the website and log in again.",
    );
    let HttpResponseBuilderWithBody { mut response, body } =
        notice(provider, StatusCode::GONE, words);
    response.body(body)
}

/// The page that asks whether to sign out.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<form method="post" action="{{ action }}">
<h1>退出登录？</h1>
<p>{% if let Some(name) = client %}{{ name }} 请求您退出微信登录。{% else %}有网站请求您退出微信登录。{% endif %}</p>
<p class="english" lang="en">Sign out of the WeChat login?</p>
{%- for (name, value) in fields %}
<input type="hidden" name="{{ name }}" value="{{ value }}">
{%- endfor %}
<p><button type="submit">退出 <span lang="en">Sign out</span></button></p>
</form>"#
)]
struct AskSignOut<'a> {
    action: &'a str,
    client: Option<&'a str>,
    fields: &'a [(&'a str, &'a str)],
}

/// The page that asks whether to sign out. Its form brings back what the client said.
pub(super) fn ask_sign_out(
    provider: &Provider,
    action: &str,
    client: Option<&str>,
    fields: &[(&str, &str)],
    afterwards: Option<&str>,
) -> HttpResponse {
    let page = AskSignOut {
        action,
        client,
        fields,
    };
    html(HttpResponse::Ok())
        .insert_header((CONTENT_SECURITY_POLICY, asking(afterwards)))
        // Without a referrer a browser sends this form's origin as null, and it has to be ours.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .body(pages::render(
            "退出登录？",
            assets(provider).as_assets(),
            &page,
        ))
}

/// The page after signing out, where no client wants the visitor back.
pub(super) fn signed_out(provider: &Provider) -> HttpResponse {
    let notice = Notice {
        mark: Mark::Done,
        title: "已退出登录",
        text: "您已退出微信登录。",
        english: "You are signed out.",
        link: None,
    };
    html(HttpResponse::Ok()).body(pages::render(
        notice.title,
        assets(provider).as_assets(),
        &notice,
    ))
}
