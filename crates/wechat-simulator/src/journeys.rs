//! What a person does with the phone, and what WeChat pushes because of it.

use std::sync::Arc;

use jiff::Timestamp;
use url::Url;
use wechat_wire::push::{Push, PushBody};

use crate::account::ORIGINAL_ID;
use crate::changes::Change;
use crate::chats::Author;
use crate::codes::{Code, OWN_CODE, Scanned};
use crate::people::{Follow, Person};
use crate::push::courier::{Dispatch, dispatch};
use crate::random;
use crate::world::World;

/// What the phone shows after a scan.
#[derive(Debug)]
pub(crate) enum ScanOutcome {
    /// The chat: the person follows, and the scan was pushed.
    ChatOpened(Dispatch),
    /// The account's page with its follow button; nothing was pushed.
    FollowPage,
    /// The chat, or for others the follow page: it was the account's own code, which bears nothing.
    /// Nothing is pushed.
    OwnCode {
        /// Whether the person follows.
        follows: bool,
    },
    /// A page in WeChat's browser: the code holds an address that isn't WeChat's.
    Page(Url),
}

/// Why the phone could not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JourneyError {
    /// Nobody has this identifier.
    #[error("nobody has this identifier")]
    UnknownPerson,
    /// The code was not made here.
    #[error("this WeChat made no such code")]
    UnknownCode,
    /// The code's time is over.
    #[error("the code has expired")]
    ExpiredCode,
    /// Only a follower can do this.
    #[error("the person does not follow the account")]
    NotFollowing,
    /// The person follows already.
    #[error("the person follows the account already")]
    FollowsAlready,
    /// A text of no or too many characters.
    #[error("a text has 1 to 2000 characters")]
    Text,
}

/// The person scans a code.
pub(crate) fn scan(
    world: &Arc<World>,
    id: &str,
    scanned: &str,
) -> Result<ScanOutcome, JourneyError> {
    let now = Timestamp::now();
    let person = world.people.find(id).ok_or(JourneyError::UnknownPerson)?;
    if scanned.trim() == OWN_CODE {
        let follows = person.follow.is_some();
        return Ok(ScanOutcome::OwnCode { follows });
    }
    let code = match world.codes.scan(scanned, now) {
        Scanned::Code(code) => code,
        Scanned::Expired => return Err(JourneyError::ExpiredCode),
        Scanned::Unknown => {
            let page = page_of_others(world, scanned).map(ScanOutcome::Page);
            return page.ok_or(JourneyError::UnknownCode);
        }
    };
    let follows = world.people.change(id, |person| {
        if person.follow.is_some() {
            person.messages.open_for_scan(now);
            true
        } else {
            person.pending_ticket = Some(code.ticket.clone());
            false
        }
    });
    if follows == Some(true) {
        let body = PushBody::scan(&code.scene, &code.ticket);
        return Ok(ScanOutcome::ChatOpened(push(world, &person, now, body)));
    }
    world.changes.tell(Change::People);
    Ok(ScanOutcome::FollowPage)
}

/// The person leaves the follow page without following: nothing will ever be pushed.
pub(crate) fn dismiss(world: &World, id: &str) -> Result<(), JourneyError> {
    let dismissed = world
        .people
        .change(id, |person| person.pending_ticket = None);
    world.changes.tell(Change::People);
    dismissed.ok_or(JourneyError::UnknownPerson)
}

/// The person presses the follow button.
pub(crate) fn follow(world: &Arc<World>, id: &str) -> Result<Dispatch, JourneyError> {
    let now = Timestamp::now();
    let scene_after_expiry = world.account.setup().scene_after_expiry;
    let followed = world.people.change(id, |person| {
        if person.follow.is_some() {
            return Err(JourneyError::FollowsAlready);
        }
        let code = person
            .pending_ticket
            .take()
            .and_then(|ticket| world.codes.find(&ticket));
        let code = code.filter(|code| scene_after_expiry || !code.expired(now));
        let scene = code.as_ref().map(|code| code.scene.clone());
        person.follow = Some(Follow { since: now, scene });
        person.messages.open_for_scan(now);
        Ok((person.clone(), code))
    });
    let (person, code) = followed.ok_or(JourneyError::UnknownPerson)??;
    world.changes.tell(Change::People);
    Ok(push(world, &person, now, subscribe(code.as_ref())))
}

/// The person stops following.
pub(crate) fn unfollow(world: &Arc<World>, id: &str) -> Result<Dispatch, JourneyError> {
    let unfollowed = world.people.change(id, |person| {
        let follow = person.follow.take();
        follow
            .map(|_| person.clone())
            .ok_or(JourneyError::NotFollowing)
    });
    let person = unfollowed.ok_or(JourneyError::UnknownPerson)??;
    world.changes.tell(Change::People);
    Ok(push(
        world,
        &person,
        Timestamp::now(),
        PushBody::Unsubscribe,
    ))
}

/// The person sends a text.
pub(crate) fn message(world: &Arc<World>, id: &str, text: &str) -> Result<Dispatch, JourneyError> {
    let now = Timestamp::now();
    if text.trim().is_empty() || text.chars().count() > 2_000 {
        return Err(JourneyError::Text);
    }
    let wrote = world.people.change(id, |person| {
        person.follow.as_ref().ok_or(JourneyError::NotFollowing)?;
        person.messages.open_for_message(now);
        Ok(person.clone())
    });
    let person = wrote.ok_or(JourneyError::UnknownPerson)??;
    world.write(id, Author::Person, text.to_owned(), now);
    let body = PushBody::Message {
        msg_type: "text".to_owned(),
        msg_id: Some(random::message_id()),
        content: Some(text.to_owned()),
    };
    Ok(push(world, &person, now, body))
}

/// The page that a code leads to which WeChat didn't make.
fn page_of_others(world: &World, scanned: &str) -> Option<Url> {
    let url = Url::parse(scanned.trim()).ok()?;
    let is_page = matches!(url.scheme(), "http" | "https");
    let of_wechat = url
        .domain()
        .is_some_and(|host| host == "weixin.qq.com" || host.ends_with(".weixin.qq.com"));
    let own = Url::parse(&world.public_url).is_ok_and(|own| own.origin() == url.origin());
    (is_page && !of_wechat && !own).then_some(url)
}

fn subscribe(code: Option<&Code>) -> PushBody {
    code.map_or_else(PushBody::subscribe_without_code, |code| {
        PushBody::subscribe_with_code(&code.scene, &code.ticket)
    })
}

fn push(world: &Arc<World>, person: &Person, now: Timestamp, body: PushBody) -> Dispatch {
    let push = Push {
        to_user_name: ORIGINAL_ID.to_owned(),
        from_user_name: person.openid.clone(),
        create_time: now.as_second(),
        body,
    };
    dispatch(world, person.id.clone(), push)
}
