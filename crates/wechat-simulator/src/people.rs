//! The people who hold the phone, and what WeChat knows about each of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::message_window::MessageWindow;
use crate::random;

/// How many people are kept; adding one more forgets the oldest.
const CAPACITY: usize = 20_000;

/// Someone with a phone.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The identifier in the control API's addresses.
    pub(crate) id: String,
    /// The person's identity at this Official Account: 28 characters.
    pub(crate) openid: String,
    /// Who they were at an account that moved to this one.
    pub(crate) former: Option<Former>,
    /// The identity of the virtual person that snapshot pages report in their place.
    pub(crate) snapshot_openid: String,
    /// The identity across accounts; only when the account is bound to an Open Platform account.
    pub(crate) unionid: Option<String>,
    /// The name as `user/info` would report it, control characters included.
    pub(crate) nickname: String,
    /// The address of the avatar; none means the generated one.
    pub(crate) avatar_url: Option<String>,
    /// Which generated avatar.
    pub(crate) avatar_seed: u64,
    /// `中国` and the like.
    pub(crate) country: String,
    /// `广东` and the like.
    pub(crate) province: String,
    /// `深圳` and the like.
    pub(crate) city: String,
    /// The follow in force, if any.
    pub(crate) follow: Option<Follow>,
    /// The code that was scanned before following, as long as the follow page is open.
    pub(crate) pending_ticket: Option<String>,
    /// How many customer messages the account may still send.
    pub(crate) messages: MessageWindow,
}

/// An identity at an account that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    /// That account.
    pub(crate) app_id: String,
    /// The person's identity there.
    pub(crate) openid: String,
}

/// What WeChat remembers of a follow.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    /// When it happened.
    pub(crate) since: Timestamp,
    /// The scene of the code that led to it.
    pub(crate) scene: Option<String>,
}

/// What a new person is made from.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewPerson {
    /// See [`Person::openid`]; random when absent.
    pub(crate) openid: Option<String>,
    /// See [`Person::former`].
    pub(crate) former: Option<Former>,
    /// The name; empty is allowed, as in WeChat's answers.
    pub(crate) nickname: String,
    /// See [`Person::avatar_url`].
    pub(crate) avatar_url: Option<String>,
    /// See [`Person::avatar_seed`]; random when absent.
    pub(crate) avatar_seed: Option<u64>,
    /// See [`Person::unionid`].
    pub(crate) unionid: Option<String>,
    /// Whether the person follows the account from the start.
    pub(crate) follows: bool,
    /// See [`Person::country`].
    pub(crate) country: String,
    /// See [`Person::province`].
    pub(crate) province: String,
    /// See [`Person::city`].
    pub(crate) city: String,
}

/// A person as the control API shows them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PersonView {
    id: String,
    openid: String,
    unionid: Option<String>,
    nickname: String,
    avatar_url: String,
    follows: bool,
    country: String,
    province: String,
    city: String,
    followed_at: Option<Timestamp>,
    follow_page_open: bool,
}

/// Everyone.
#[derive(Debug, Default)]
pub(crate) struct People {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<String, Person>,
    id_by_openid: HashMap<String, String>,
    order: VecDeque<String>,
}

impl People {
    /// Adds a person and returns them.
    pub(crate) fn add(&self, new: NewPerson, now: Timestamp) -> Person {
        let person = Person {
            id: random::short_id(),
            openid: new.openid.unwrap_or_else(random::openid),
            former: new.former,
            snapshot_openid: random::openid(),
            unionid: new.unionid,
            nickname: new.nickname,
            avatar_url: new.avatar_url,
            avatar_seed: new.avatar_seed.unwrap_or_else(random::number),
            country: new.country,
            province: new.province,
            city: new.city,
            follow: new.follows.then_some(Follow {
                since: now,
                scene: None,
            }),
            pending_ticket: None,
            messages: MessageWindow::default(),
        };
        let mut known = self.lock();
        if known.order.len() >= CAPACITY
            && let Some(oldest) = known.order.pop_front()
            && let Some(forgotten) = known.by_id.remove(&oldest)
        {
            known.id_by_openid.remove(&forgotten.openid);
        }
        known.order.push_back(person.id.clone());
        known
            .id_by_openid
            .insert(person.openid.clone(), person.id.clone());
        known.by_id.insert(person.id.clone(), person.clone());
        person
    }

    /// The person with this identifier.
    pub(crate) fn find(&self, id: &str) -> Option<Person> {
        self.lock().by_id.get(id).cloned()
    }

    /// The person with this openid.
    pub(crate) fn find_by_openid(&self, openid: &str) -> Option<Person> {
        let known = self.lock();
        known
            .id_by_openid
            .get(openid)
            .and_then(|id| known.by_id.get(id))
            .cloned()
    }

    /// The openid here of whoever had that one at an account that moved.
    pub(crate) fn moved(&self, former: &Former) -> Option<String> {
        let known = self.lock();
        let mut people = known.by_id.values();
        let found = people.find(|person| person.former.as_ref() == Some(former))?;
        Some(found.openid.clone())
    }

    /// Whether that account moved here.
    pub(crate) fn has_moved(&self, app_id: &str) -> bool {
        let known = self.lock();
        let mut formers = known
            .by_id
            .values()
            .filter_map(|person| person.former.as_ref());
        formers.any(|former| former.app_id == app_id)
    }

    /// Everyone, in the order in which they came.
    pub(crate) fn list(&self) -> Vec<Person> {
        let known = self.lock();
        known
            .order
            .iter()
            .filter_map(|id| known.by_id.get(id))
            .cloned()
            .collect()
    }

    /// Changes one person; `None` when nobody has this identifier.
    pub(crate) fn change<T>(&self, id: &str, change: impl FnOnce(&mut Person) -> T) -> Option<T> {
        self.lock().by_id.get_mut(id).map(change)
    }

    /// Changes the person with this openid; `None` when nobody has it.
    pub(crate) fn change_by_openid<T>(
        &self,
        openid: &str,
        change: impl FnOnce(&mut Person) -> T,
    ) -> Option<T> {
        let mut known = self.lock();
        let id = known.id_by_openid.get(openid)?.clone();
        known.by_id.get_mut(&id).map(change)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Person {
    /// Where the avatar is found; `public_url` has no trailing slash.
    pub(crate) fn avatar_address(&self, public_url: &str) -> String {
        self.avatar_url
            .clone()
            .unwrap_or_else(|| format!("{public_url}/avatars/{}.svg", self.id))
    }

    /// The person as the control API shows them.
    pub(crate) fn view(&self, public_url: &str) -> PersonView {
        PersonView {
            id: self.id.clone(),
            openid: self.openid.clone(),
            unionid: self.unionid.clone(),
            nickname: self.nickname.clone(),
            avatar_url: self.avatar_address(public_url),
            follows: self.follow.is_some(),
            country: self.country.clone(),
            province: self.province.clone(),
            city: self.city.clone(),
            followed_at: self.follow.as_ref().map(|follow| follow.since),
            follow_page_open: self.pending_ticket.is_some(),
        }
    }
}

/// The people who are there from the start: a follower and two who are not.
pub(crate) fn first_people() -> [NewPerson; 3] {
    let person = |nickname: &str, province: &str, city: &str, avatar_seed| NewPerson {
        nickname: nickname.to_owned(),
        country: "中国".to_owned(),
        province: province.to_owned(),
        city: city.to_owned(),
        avatar_seed: Some(avatar_seed),
        ..NewPerson::default()
    };
    [
        NewPerson {
            follows: true,
            ..person("小林", "广东", "深圳", 1)
        },
        person("阿雅", "浙江", "杭州", 2),
        person("Alex", "上海", "上海", 3),
    ]
}
