//! The browser inside WeChat, without a screen: it opens a link from the chat, follows redirects,
//! keeps each person's cookies, answers WeChat's question and presses a page's button.

mod cookies;
mod form;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Serialize;
use url::{Host, Url};

use crate::connect::AUTHORIZE;
use crate::people::Person;
use crate::web_authorization::{self, AuthorizeRequest, ErrorPage, Step};
use crate::world::World;
use cookies::CookieJar;
use form::Form;

/// What WeChat's browser calls itself.
pub(crate) const USER_AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) \
    AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60 Language/zh_CN";

/// How many addresses one link may lead through.
const STEPS: usize = 12;

/// How much of a page is read; the rest is cut.
const PAGE_LIMIT: usize = 1024 * 1024;

/// How long one page is awaited.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many people's cookies are kept.
const BROWSERS: usize = 5_000;

/// Everybody's browser.
#[derive(Debug)]
pub(crate) struct PhoneBrowsers {
    http: Client,
    cookies: Mutex<HashMap<String, CookieJar>>,
}

/// How the person behaves.
#[derive(Debug)]
pub(crate) struct Behaviour {
    /// Whether the person agrees when WeChat asks for nickname and avatar.
    pub(crate) consent: bool,
    /// Whether the page was opened from the account's chat.
    pub(crate) from_chat: bool,
    /// Whether the address is loaded that web authorisation returns to. Otherwise the code in it
    /// stays unused, as one that somebody reads on its way.
    pub(crate) load_return: bool,
    /// The button to press on the last page: fields of its form with their values.
    pub(crate) form: Option<HashMap<String, String>>,
}

/// The last page.
#[derive(Debug, Serialize)]
pub(crate) struct Opened {
    /// Its status; 0 where it wasn't loaded.
    status: u16,
    /// Its address.
    url: String,
    /// Its text.
    body: String,
    /// The addresses that led there, in order, the first one included.
    redirects: Vec<String>,
    /// Whether there was a form and its button was pressed.
    submitted: bool,
}

/// Why there is no last page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// An address of another scheme, or none.
    #[error("a link must be an http or https address")]
    Address,
    /// More redirects than a browser follows.
    #[error("the link leads through more than 12 addresses")]
    TooManySteps,
    /// No answer came.
    #[error("nothing answered at an address of the link")]
    Unreachable,
    /// The last page has several forms.
    #[error("the page has several forms")]
    SeveralForms,
    /// The form of the last page lacks what was to be pressed.
    #[error("the page's form has no such button or field")]
    NoSuchButton,
}

struct Page {
    status: u16,
    url: Url,
    body: String,
    no_referrer: bool,
}

struct Visit {
    method: Method,
    url: Url,
    /// A form's fields and the `Origin` that goes with them.
    fields: Option<(String, String)>,
    twice: bool,
}

impl PhoneBrowsers {
    /// Browsers without cookies.
    pub(crate) fn new() -> reqwest::Result<Self> {
        let http = service_kit::http_client::builder()
            .user_agent(USER_AGENT)
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            cookies: Mutex::default(),
        })
    }

    /// Opens a link on this person's phone and returns the last page.
    pub(crate) async fn open(
        &self,
        world: &World,
        person: &Person,
        link: &str,
        behaviour: &Behaviour,
    ) -> Result<Opened, OpenError> {
        // The chat shows markup, so a link copied out of it may still be escaped.
        let url = Url::parse(&link.replace("&amp;", "&")).map_err(|_| OpenError::Address)?;
        let mut redirects = Vec::new();
        let first = Visit {
            method: Method::GET,
            url,
            fields: None,
            twice: false,
        };
        let mut page = self
            .follow(world, person, first, behaviour, &mut redirects)
            .await?;
        let mut submitted = false;
        if let Some(pressed) = &behaviour.form
            && let Some(form) = Form::of_page(&page.body)?
        {
            redirects.push(page.url.to_string());
            let visit = submission(&page, &form, pressed)?;
            page = self
                .follow(world, person, visit, behaviour, &mut redirects)
                .await?;
            submitted = true;
        }
        Ok(Opened {
            status: page.status,
            url: page.url.to_string(),
            body: page.body,
            redirects,
            submitted,
        })
    }

    async fn follow(
        &self,
        world: &World,
        person: &Person,
        first: Visit,
        behaviour: &Behaviour,
        redirects: &mut Vec<String>,
    ) -> Result<Page, OpenError> {
        let mut visit = first;
        for _ in 0..STEPS {
            if !matches!(visit.url.scheme(), "http" | "https") {
                return Err(OpenError::Address);
            }
            let url = visit.url.clone();
            if is_wechat(world, &url) {
                match authorize(world, person, &url, behaviour) {
                    Ok(next) if !behaviour.load_return => {
                        redirects.push(url.to_string());
                        return Ok(unread(next.url));
                    }
                    Ok(next) => visit = next,
                    Err(body) => return Ok(wechat_page(url, body)),
                }
            } else {
                let (response, no_referrer) = self.visit(person, &visit).await?;
                let Some(next) = redirected(&visit, &response)? else {
                    return read(response, url, no_referrer).await;
                };
                visit = next;
            }
            redirects.push(url.to_string());
        }
        Err(OpenError::TooManySteps)
    }

    /// Loads an address, and twice at once where the phone would.
    async fn visit(&self, person: &Person, visit: &Visit) -> Result<(Response, bool), OpenError> {
        let response = if visit.twice {
            let both = tokio::join!(self.load(person, visit), self.load(person, visit));
            // The first call is one that the phone gives up; what it shows is the second.
            both.1
        } else {
            self.load(person, visit).await
        }?;
        let policy = response.headers().get(REFERRER_POLICY);
        let no_referrer = policy.is_some_and(|policy| policy == "no-referrer");
        Ok((response, no_referrer))
    }

    async fn load(&self, person: &Person, visit: &Visit) -> Result<Response, OpenError> {
        let mut request = self
            .http
            .request(visit.method.clone(), visit.url.clone())
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header(ACCEPT_LANGUAGE, "zh-CN,zh-Hans;q=0.9");
        let cookies = self.jar(person, |jar| jar.header(&visit.url));
        if let Some(cookies) = cookies {
            request = request.header(COOKIE, cookies);
        }
        if let Some((fields, origin)) = &visit.fields {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(ORIGIN, origin)
                .body(fields.clone());
        }
        let response = request.send().await.map_err(|_| OpenError::Unreachable)?;
        self.jar(person, |jar| {
            for cookie in response.headers().get_all(SET_COOKIE) {
                jar.store(&visit.url, cookie.to_str().unwrap_or_default());
            }
        });
        Ok(response)
    }

    fn jar<T>(&self, person: &Person, action: impl FnOnce(&mut CookieJar) -> T) -> T {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        if cookies.len() >= BROWSERS && !cookies.contains_key(&person.id) {
            cookies.clear();
        }
        action(cookies.entry(person.id.clone()).or_default())
    }
}

/// Whether this is WeChat's own address: its real host, or wherever the simulator is reached.
fn is_wechat(world: &World, url: &Url) -> bool {
    let own = Url::parse(&world.public_url).ok();
    let same_port = |own: &Url| own.port_or_known_default() == url.port_or_known_default();
    let here = own.is_some_and(|own| {
        own.origin() == url.origin() || (same_port(&own) && is_local(&own) && is_local(url))
    });
    url.path() == AUTHORIZE && (here || url.host_str() == Some("open.weixin.qq.com"))
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What the phone does at web authorisation's address: the next visit, or the page that stays.
fn authorize(
    world: &World,
    person: &Person,
    url: &Url,
    behaviour: &Behaviour,
) -> Result<Visit, String> {
    world.calls.count(AUTHORIZE);
    let failed = |error| web_authorization::error(error);
    // The server never sees the fragment; the phone does, and insists on it.
    if url.fragment() != Some("wechat_redirect") {
        return Err(failed(ErrorPage::Fragment));
    }
    let request = AuthorizeRequest::parse(url.query().unwrap_or_default()).map_err(failed)?;
    let step = web_authorization::begin(world, &request, person, behaviour.from_chat);
    let back = match step.map_err(failed)? {
        Step::Return(back) => back,
        Step::Ask if behaviour.consent => {
            web_authorization::agree(world, &request, person).map_err(failed)?
        }
        Step::Ask => return Err(web_authorization::refused()),
    };
    Ok(Visit {
        method: Method::GET,
        url: back.url,
        fields: None,
        twice: back.twice,
    })
}

fn wechat_page(url: Url, body: String) -> Page {
    Page {
        status: 200,
        url,
        body,
        no_referrer: true,
    }
}

/// The return address that the phone doesn't load.
fn unread(url: Url) -> Page {
    Page {
        status: 0,
        url,
        body: String::new(),
        no_referrer: true,
    }
}

/// Where a redirect leads; none for a page.
fn redirected(visit: &Visit, response: &Response) -> Result<Option<Visit>, OpenError> {
    let location = response.headers().get(LOCATION);
    let Some(location) = location.filter(|_| response.status().is_redirection()) else {
        return Ok(None);
    };
    let location = location.to_str().map_err(|_| OpenError::Address)?;
    let url = visit.url.join(location).map_err(|_| OpenError::Address)?;
    let keeps_method = matches!(
        response.status(),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    Ok(Some(Visit {
        method: if keeps_method {
            visit.method.clone()
        } else {
            Method::GET
        },
        url,
        fields: visit.fields.clone().filter(|_| keeps_method),
        twice: false,
    }))
}

async fn read(mut response: Response, url: Url, no_referrer: bool) -> Result<Page, OpenError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| OpenError::Unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() >= PAGE_LIMIT {
            body.truncate(PAGE_LIMIT);
            break;
        }
    }
    Ok(Page {
        status,
        url,
        body: String::from_utf8_lossy(&body).into_owned(),
        no_referrer,
    })
}

/// The visit that pressing a button of the page's form makes.
fn submission(
    page: &Page,
    form: &Form,
    pressed: &HashMap<String, String>,
) -> Result<Visit, OpenError> {
    let fields = form.filled(pressed)?;
    let mut url = page.url.clone();
    url.set_fragment(None);
    // An empty action is the page's own address.
    if !form.action.is_empty() {
        url = url.join(&form.action).map_err(|_| OpenError::Address)?;
    }
    if !form.post {
        url.set_query(Some(&fields));
        return Ok(Visit {
            method: Method::GET,
            url,
            fields: None,
            twice: false,
        });
    }
    // Browsers keep the origin to themselves on a page that allows no referrer (Fetch, "append a
    // request `Origin` header").
    let origin = if page.no_referrer {
        "null".to_owned()
    } else {
        page.url.origin().ascii_serialization()
    };
    Ok(Visit {
        method: Method::POST,
        url,
        fields: Some((fields, origin)),
        twice: false,
    })
}
