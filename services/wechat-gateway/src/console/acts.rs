//! What the owner did, found among the events.

use std::net::IpAddr;

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    event::{Happening, Kept, Position},
    identity::{AppId, MemberId, OpenId},
    steps::{FoundActs, ReadActs, ReadMember},
};
use service_kit::redis::{Store, StoreError};

use crate::audit::{Door, OwnerAction};

/// How many a page lists.
const LISTED: usize = 50;

/// How often a thousand events are looked at for a page: between two acts there may be a day's
/// logins.
const LOOKS: usize = 20;

/// Some of what the owner did, newest first.
pub(crate) struct Acts {
    /// What was done.
    pub(crate) acts: Vec<Act>,
    /// Where there may be more.
    pub(crate) next: Option<Position>,
}

/// Something that the owner did.
pub(crate) struct Act {
    /// When.
    pub(crate) at: Timestamp,
    /// What; `None`: a newer version knows.
    pub(crate) action: Option<OwnerAction>,
    /// By which door.
    pub(crate) door: Option<Door>,
    /// Which owner, if they signed in by WeChat.
    pub(crate) owner: Option<Person>,
    /// From where.
    pub(crate) address: Option<IpAddr>,
    /// At which account.
    pub(crate) account: Option<AccountName>,
    /// To whom.
    pub(crate) person: Option<Person>,
    /// With which webhook.
    pub(crate) webhook: Option<String>,
}

/// Somebody.
pub(crate) struct Person {
    /// Who.
    pub(crate) openid: OpenId,
    /// What they call themselves, if it is known today.
    pub(crate) nickname: Option<String>,
}

/// Reads a page of what was done before a place. The owners are people of the account with this
/// AppID.
///
/// # Errors
///
/// Redis failed.
pub(super) async fn read(
    store: &Store,
    owners: Option<&AppId>,
    before: Option<Position>,
) -> Result<Acts, StoreError> {
    let mut found = Vec::new();
    let mut next = before;
    for _ in 0..LOOKS {
        let limit = LISTED - found.len();
        let read = ReadActs {
            before: next,
            limit,
        };
        let FoundActs { acts, next: beyond } = store.run(&read).await?;
        found.extend(acts);
        next = beyond;
        if next.is_none() || found.len() >= LISTED {
            break;
        }
    }
    let mut acts = Vec::with_capacity(found.len());
    let mut people = Vec::new();
    for Kept {
        position,
        happening,
        ..
    } in found
    {
        // What isn't known by this version has no words either.
        let Some(happening) = happening else {
            continue;
        };
        let person = happening.member_id();
        let owner = owner_of(&happening, owners);
        acts.push(act_of(position, &happening, owner.as_ref()));
        people.extend([owner, person].into_iter().flatten());
    }
    let names = nicknames(store, people).await?;
    for act in &mut acts {
        let somebody = [act.owner.as_mut(), act.person.as_mut()];
        for person in somebody.into_iter().flatten() {
            let mut known = names.iter();
            let known = known.find(|(member, _)| member.openid == person.openid);
            person.nickname = known.and_then(|(_, nickname)| nickname.clone());
        }
    }
    Ok(Acts { acts, next })
}

fn owner_of(happening: &Happening, owners: Option<&AppId>) -> Option<MemberId> {
    Some(MemberId {
        app_id: owners?.clone(),
        openid: OpenId::parse(happening.owner()?).ok()?,
    })
}

fn act_of(position: Position, happening: &Happening, owner: Option<&MemberId>) -> Act {
    let word = |name: &str| happening.more.get(name)?.as_str();
    let nameless = |openid: &OpenId| Person {
        openid: openid.clone(),
        nickname: None,
    };
    Act {
        at: happening.at.unwrap_or_else(|| position.time()),
        action: word("action").and_then(OwnerAction::named),
        door: word("by").and_then(Door::named),
        owner: owner.map(|owner| nameless(&owner.openid)),
        address: word("address").and_then(|address| address.parse().ok()),
        account: happening.account.clone(),
        person: happening.openid.as_ref().map(nameless),
        webhook: word("webhook").map(str::to_owned),
    }
}

/// What these people call themselves, in one round trip.
async fn nicknames(
    store: &Store,
    mut people: Vec<MemberId>,
) -> Result<Vec<(MemberId, Option<String>)>, StoreError> {
    people.sort_unstable_by(|one, other| one.openid.as_str().cmp(other.openid.as_str()));
    people.dedup();
    let reads: Vec<ReadMember> = people
        .iter()
        .map(|member| ReadMember {
            member: member.clone(),
        })
        .collect();
    let known = store.run_all(&reads).await?;
    let nicknames = known.into_iter().map(|member| member?.nickname);
    Ok(people.into_iter().zip(nicknames).collect())
}
