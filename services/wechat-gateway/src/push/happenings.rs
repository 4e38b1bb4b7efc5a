//! What a push, or a profile that was shown, tells the owner's software.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, Occasion},
    identity::MemberId,
    member::{Member, Profile},
    scene::Scene,
    steps::{AppendEvent, Denial, RecordVisit},
    subject::Subject,
};

/// How much WeChat's clock may be ahead of ours.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_secs(5);

/// Who, and what was known of them before.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    /// The account.
    pub(crate) account: &'a AccountName,
    /// Who.
    pub(crate) member: &'a MemberId,
    /// What was stored before.
    pub(crate) known: Option<&'a Member>,
    /// Their subject, if they have one.
    pub(crate) sub: Option<&'a Subject>,
}

impl Person<'_> {
    /// What an event of a follower tells: that they are one now, or that their profile changed.
    pub(crate) fn followed(&self, at: Timestamp, profile: Option<&Profile>) -> Option<AppendEvent> {
        let known = self.known;
        if known.is_some_and(|known| known.overtakes(at)) {
            return None;
        }
        let after = Member::after_follow(known, &self.member.openid, at, profile);
        match known.filter(|known| known.subscribed) {
            None => Some(self.append(EventKind::MemberFollowed, at, after)),
            Some(known) => self.changed(known, after, at),
        }
    }

    /// What a login inside WeChat tells: that the account learned whether the person follows, or that
    /// a follower's profile changed.
    pub(crate) fn visited(&self, visit: &RecordVisit) -> Option<AppendEvent> {
        let known = self.known;
        let after = Member::after_visit(
            known,
            &self.member.openid,
            visit.at,
            visit.follows,
            visit.unionid.as_deref(),
            visit.profile.as_ref(),
        );
        let before = known.is_some_and(|known| known.subscribed);
        if before && after.subscribed {
            return known.and_then(|known| self.changed(known, after, visit.at));
        }
        if before == after.subscribed {
            return None;
        }
        let kind = if after.subscribed {
            EventKind::MemberFollowed
        } else {
            EventKind::MemberUnfollowed
        };
        // As long as the visit isn't kept, a repeat is the same event.
        let seen = known.map_or(0, |known| known.last_seen_at.as_second());
        let occasion = Occasion::of(kind, self.member, &["visit", &seen.to_string()]);
        Some(AppendEvent {
            occasion,
            ..self.append(kind, visit.at, after)
        })
    }

    /// What a profile tells that a follower showed.
    pub(crate) fn showed(&self, at: Timestamp, profile: Option<&Profile>) -> Option<AppendEvent> {
        let known = self.known.filter(|known| known.subscribed)?;
        let mut after = Member::after_follow(Some(known), &self.member.openid, at, profile);
        after.last_seen_at = known.last_seen_at;
        after.follow_changed_at = known.follow_changed_at;
        after.shown_at = Some(at);
        self.changed(known, after, at)
    }

    /// That they left, unless a login inside WeChat has told so before. Told also where this very
    /// push is kept already: Redis may have taken the record and refused the event, and the push that
    /// comes again must bring it. A repeat is the same event.
    pub(crate) fn unfollowed(&self, at: Timestamp) -> Option<AppendEvent> {
        let known = self.known;
        let was_told = |known: &Member| {
            let learned_at = known.unfollow_learned_at;
            let is_learned = learned_at.is_some_and(|learned| at <= learned + CLOCKS_DIFFER_BY);
            !known.subscribed && (is_learned || known.follow_changed_at != Some(at))
        };
        if known.is_some_and(|known| known.overtakes(at) || was_told(known)) {
            return None;
        }
        let after = Member::after_unfollow(known, &self.member.openid, at);
        let mut append = self.append(EventKind::MemberUnfollowed, at, after);
        append.happening.unionid = known.and_then(|known| known.unionid.clone());
        Some(append)
    }

    fn changed(&self, before: &Member, after: Member, at: Timestamp) -> Option<AppendEvent> {
        fn profile(member: &Member) -> [Option<&String>; 4] {
            [
                member.nickname.as_ref(),
                member.avatar_url.as_ref(),
                member.location.as_ref(),
                member.unionid.as_ref(),
            ]
        }
        (profile(before) != profile(&after))
            .then(|| self.append(EventKind::MemberProfileChanged, at, after))
    }

    fn append(&self, kind: EventKind, at: Timestamp, after: Member) -> AppendEvent {
        let occasion = Occasion::of(kind, self.member, &[&at.as_second().to_string()]);
        let happening = Happening::new(kind, self.account.clone(), self.member)
            .with_member(self.sub.cloned(), Some(after));
        AppendEvent {
            occasion,
            happening: Happening {
                at: Some(at),
                ..happening
            },
            opens: true,
        }
    }
}

/// That somebody's login is denied because they are banned, whether they scan now or were banned
/// after they did: for one attempt it is told once.
pub(crate) fn denied_by_ban(
    account: &AccountName,
    member: &MemberId,
    scene: &Scene,
    sub: Option<Subject>,
    known: Option<Member>,
) -> AppendEvent {
    let append = AppendEvent::of_denial(account, member, scene, Denial::Banned);
    AppendEvent {
        happening: append.happening.with_member(sub, known),
        ..append
    }
}
