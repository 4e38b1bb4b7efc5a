//! The browser inside WeChat, without a screen: it opens a link from the chat, follows redirects,
//! keeps each person's cookies, answers WeChat's question and presses a page's button.

pub(crate) mod browsers;
mod cookies;
mod form;
mod local_host;
pub(crate) mod open_error;
mod page;
mod visit;

use std::collections::HashMap;

use serde::Serialize;
use url::Url;

use crate::connect::AUTHORIZE;
use crate::people::Person;
use crate::web_authorization::error_page::ErrorPage;
use crate::web_authorization::request::AuthorizeRequest;
use crate::web_authorization::{self, Step, page as wechat_page};
use crate::world::World;
use form::Form;
use local_host::is_local;
use open_error::OpenError;
use page::Page;
use visit::Visit;

/// How many addresses one link may lead through.
const STEPS: usize = 12;

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

/// Opens a link on this person's phone and returns the last page.
pub(crate) async fn open(
    world: &World,
    person: &Person,
    link: &str,
    behaviour: &Behaviour,
) -> Result<Opened, OpenError> {
    // The chat shows markup, so a link copied out of it may still be escaped.
    let url = Url::parse(&link.replace("&amp;", "&")).map_err(|_| OpenError::Address)?;
    let mut redirects = Vec::new();
    let first = Visit::page(url);
    let mut page = follow(world, person, first, behaviour, &mut redirects).await?;
    let mut submitted = false;
    if let Some(pressed) = &behaviour.form
        && let Some(form) = Form::of_page(&page.body)?
    {
        redirects.push(page.url.to_string());
        let visit = page.submission(&form, pressed)?;
        page = follow(world, person, visit, behaviour, &mut redirects).await?;
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
                    return Ok(Page::unread(next.url));
                }
                Ok(next) => visit = next,
                Err(body) => return Ok(Page::of_wechat(url, body)),
            }
        } else {
            let response = world.phone_browsers.load(person, &visit).await?;
            let Some(next) = visit.redirected(&response)? else {
                return Page::read(response, url).await;
            };
            visit = next;
        }
        redirects.push(url.to_string());
    }
    Err(OpenError::TooManySteps)
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

/// What the phone does at web authorisation's address: the next visit, or the page that stays.
fn authorize(
    world: &World,
    person: &Person,
    url: &Url,
    behaviour: &Behaviour,
) -> Result<Visit, String> {
    world.calls.count(AUTHORIZE);
    // The server never sees the fragment; the phone does, and insists on it.
    if url.fragment() != Some("wechat_redirect") {
        return Err(wechat_page::error(ErrorPage::Fragment));
    }
    let request =
        AuthorizeRequest::parse(url.query().unwrap_or_default()).map_err(wechat_page::error)?;
    let step = web_authorization::begin(world, &request, person, behaviour.from_chat);
    let back = match step.map_err(wechat_page::error)? {
        Step::Return(back) => back,
        Step::Ask if behaviour.consent => {
            web_authorization::agree(world, &request, person).map_err(wechat_page::error)?
        }
        Step::Ask => return Err(wechat_page::refused()),
    };
    Ok(Visit {
        twice: back.twice,
        ..Visit::page(back.url)
    })
}
