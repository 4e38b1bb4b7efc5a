//! Whose grants are that this process has seen.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use login_protocol::{identity::MemberId, steps::oidc::GrantId};

/// How many grants are remembered at most, in two halves of which the older one goes: some 250
/// bytes each, 8 MB where nine people a second log in for an hour.
const REMEMBERED: usize = 32_768;

/// About whom is asked, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// About whom.
    pub(super) member: MemberId,
    /// Whether an unfollow counts.
    pub(super) of_unfollow: bool,
}

/// Whose grants are. Nothing of a grant that it remembers ever changes.
#[derive(Debug, Default)]
pub(super) struct RememberedGrants(Mutex<[HashMap<GrantId, Question>; 2]>);

impl RememberedGrants {
    /// Whose this one is, if it was seen lately.
    pub(super) fn of(&self, grant: &GrantId) -> Option<Question> {
        let halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.iter().find_map(|half| half.get(grant)).cloned()
    }

    /// Remembers whose it is.
    pub(super) fn note(&self, grant: &GrantId, question: Question) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves[0].len() >= REMEMBERED / 2 {
            halves[1] = mem::take(&mut halves[0]);
        }
        halves[0].insert(grant.clone(), question);
    }
}

#[cfg(test)]
mod tests {
    use login_protocol::identity::{AppId, OpenId};

    use super::*;
    use crate::oidc::tokens::new_grant;

    fn question(number: usize) -> Question {
        Question {
            member: MemberId {
                app_id: AppId::parse("wx6666666666666666").unwrap(),
                openid: OpenId::parse(&format!("o{number:027}")).unwrap(),
            },
            of_unfollow: false,
        }
    }

    #[test]
    fn the_latest_grants_are_remembered_and_no_more_than_there_is_room_for() {
        let remembered = RememberedGrants::default();
        let grants: Vec<GrantId> = (0..3 * REMEMBERED).map(|_| new_grant().unwrap()).collect();
        for (number, grant) in grants.iter().enumerate() {
            assert_eq!(remembered.of(grant), None);
            remembered.note(grant, question(number));
            assert_eq!(remembered.of(grant), Some(question(number)));
        }
        let known: Vec<usize> = (0..grants.len())
            .filter(|number| remembered.of(&grants[*number]).is_some())
            .collect();
        assert!((REMEMBERED / 2..=REMEMBERED).contains(&known.len()));
        assert!(known.iter().all(|number| *number >= 2 * REMEMBERED));
    }
}
