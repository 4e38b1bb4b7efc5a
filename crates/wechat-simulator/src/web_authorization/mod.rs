//! Web authorisation (网页授权): how a page inside WeChat learns who holds the phone.
//!
//! The phone goes to `open.weixin.qq.com/connect/oauth2/authorize`, is asked or not, and comes back
//! to the page's server with a code. The server exchanges it below `/sns`.

pub(crate) mod access;
pub(crate) mod error_page;
pub(crate) mod page;
pub(crate) mod request;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::people::Person;
use crate::setup::Setup;
use crate::world::World;
use access::{Grant, Scope};
use error_page::ErrorPage;
use request::AuthorizeRequest;

/// What the phone does when it opens the authorisation's address.
#[derive(Debug)]
pub(crate) enum Step {
    /// Goes back to the page's server with a code.
    Return(Return),
    /// Asks the person.
    Ask,
}

/// The way back.
#[derive(Debug)]
pub(crate) struct Return {
    /// The return address with the code and the state.
    pub(crate) url: Url,
    /// Whether the phone calls it twice.
    pub(crate) twice: bool,
}

/// Decides what happens on this person's phone. `from_chat` says that the page was opened from the
/// account's chat or menu.
pub(crate) fn begin(
    world: &World,
    request: &AuthorizeRequest,
    person: &Person,
    from_chat: bool,
) -> Result<Step, ErrorPage> {
    let setup = world.account.setup();
    admit(world, &setup, request)?;
    let silent = match request.scope {
        Scope::Base => true,
        Scope::UserInfo => setup.silent_for_followers && from_chat && person.follow.is_some(),
    };
    let snapshot = setup.snapshot_pages || (request.force_snapshot && !silent);
    // A snapshot never asks: there is no real person in it.
    if silent || snapshot {
        Ok(Step::Return(grant(world, request, person, snapshot)))
    } else {
        Ok(Step::Ask)
    }
}

/// The person agreed.
pub(crate) fn agree(
    world: &World,
    request: &AuthorizeRequest,
    person: &Person,
) -> Result<Return, ErrorPage> {
    admit(world, &world.account.setup(), request)?;
    Ok(grant(world, request, person, false))
}

fn admit(world: &World, setup: &Setup, request: &AuthorizeRequest) -> Result<(), ErrorPage> {
    if request.app_id != world.account.credentials().app_id {
        return Err(ErrorPage::AppId);
    }
    if !request.returns_to_one_of(setup.oauth_domains.as_deref()) {
        return Err(ErrorPage::RedirectUri);
    }
    if !setup.account.may_authorize_pages() {
        return Err(ErrorPage::Scope);
    }
    Ok(())
}

fn grant(world: &World, request: &AuthorizeRequest, person: &Person, snapshot: bool) -> Return {
    let setup = world.account.setup();
    let openid = if snapshot {
        &person.snapshot_openid
    } else {
        &person.openid
    };
    let grant = Grant {
        person: person.id.clone(),
        openid: openid.clone(),
        scope: request.scope,
        snapshot,
    };
    let lifetime = SignedDuration::from_secs(i64::from(setup.web_code_lifetime_seconds));
    let code = world.web_access.code(grant, Timestamp::now() + lifetime);
    Return {
        url: request.return_address(&code),
        twice: setup.double_callback && !request.connect_redirect,
    }
}
