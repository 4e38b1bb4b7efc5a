//! What a push changes. Everything here can happen twice, late or out of order, on any replica.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    identity::{MemberId, OpenId},
    member::{Member, Profile},
    method::Method,
    scene::Scene,
    steps::{
        AppendEvent, GivenSubject, IndexMember, NoteAttempt, ReadMember, ReadPersonsAttempts,
        ReadScan, ReadSubject, RecordFollow, RecordScan, RecordUnfollow, RefuseScan, ScanEffect,
        ScanOutcome,
    },
    subject::Subject,
};
use service_kit::{
    bans::BanKeys,
    clock::Clock,
    login_steps::{LoginStep, StepCounters},
    redis::{Store, StoreError},
};
use tokio::time::timeout;
use wechat_wire::push::{Push, PushBody};

use super::{
    figures::count,
    happenings::{Person, denied_by_ban},
    replies::{Arrival, Occasion, Replies},
    usable::UsablePush,
};
use crate::{
    compat::CompatCodes,
    denials,
    digits::AccountDigits,
    phone::links::PhoneLinks,
    settings::ProfileSettings,
    subjects::Subjects,
    unfollows::Unfollow,
    wechat::{access_tokens::AccessTokens, api::Api, missing_right::MissingRight, profile},
};

/// How long a push waits for `user/info`. The login doesn't depend on it: the openid is in the
/// event.
const USER_INFO_BUDGET: Duration = Duration::from_millis(1500);

/// The same before somebody is given a subject: the answer may tell that they have one under
/// another account.
const FIRST_USER_INFO_BUDGET: Duration = Duration::from_secs(2);

/// How many logins that a new follower opened are looked at. People open one.
const MOST_WAITING: usize = 10;

/// What somebody reads who is banned. That is the owner's decision, so there is no setting for it.
const BANNED: &str = "您的登录权限已被停用，这次没有登录。如有疑问，请联系网站管理员。";

/// What somebody reads who asked for a code when nearly all of them were given out.
const NO_CODE: &str = "现在领取验证码的人太多，请过几分钟再发一次。";

/// Turns events into logins and members.
pub struct LoginEvents {
    api: Arc<Api>,
    tokens: Arc<AccessTokens>,
    store: Arc<Store>,
    clock: Clock,
    digits: Arc<AccountDigits>,
    subjects: Subjects,
    ban_keys: BanKeys,
    replies: Replies,
    links: PhoneLinks,
    account: AccountName,
    approval: Approval,
    profile: ProfileSettings,
    tells: bool,
    compat_codes: Option<Arc<CompatCodes>>,
    /// Whether the account may not ask `user/info`.
    no_user_info: MissingRight,
    steps: Steps,
}

/// What is counted of logins.
struct Steps {
    scanned: StepCounters,
    followed: StepCounters,
    confirmed: StepCounters,
    denied: StepCounters,
}

/// What the settings say about logins.
#[derive(Debug, Clone)]
pub struct LoginRules {
    /// What the owner calls the account.
    pub account: AccountName,
    /// What makes a scan a login, where a site says nothing.
    pub approval: Approval,
    /// When people are asked for nickname and avatar.
    pub profile: ProfileSettings,
    /// Where the links in replies lead.
    pub links: PhoneLinks,
    /// Whether the owner's software is told what happens.
    pub tells: bool,
    /// Codes for software that knows wechat-server, if the account gives any.
    pub compat_codes: Option<Arc<CompatCodes>>,
}

/// What is known of the digits that a message may hold.
#[derive(Debug, Clone)]
pub enum Guess {
    /// Nobody has looked at them.
    Unseen,
    /// They are those of this attempt, or of none.
    Judged(Option<Scene>),
}

/// The outcome of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Handled {
    /// It was about a login of ours; the phone reads this.
    Login {
        /// The words.
        reply: String,
    },
    /// It was about something else, which a backend of the owner's may want to answer.
    Other {
        /// The automatic reply, if there is one.
        reply: Option<String>,
    },
}

impl Steps {
    fn new(account: &AccountName) -> Self {
        let counters = |step| StepCounters::new(step, account);
        Self {
            scanned: counters(LoginStep::Scanned),
            followed: counters(LoginStep::Followed),
            confirmed: counters(LoginStep::Confirmed),
            denied: counters(LoginStep::Denied),
        }
    }
}

impl LoginEvents {
    /// For this account, with the owner's texts and rules.
    pub fn new(
        api: Arc<Api>,
        tokens: Arc<AccessTokens>,
        store: Arc<Store>,
        clock: Clock,
        digits: Arc<AccountDigits>,
        replies: Replies,
        rules: LoginRules,
    ) -> Self {
        Self {
            api,
            tokens,
            steps: Steps::new(&rules.account),
            subjects: Subjects::new(rules.account.clone(), Arc::clone(&store)),
            ban_keys: BanKeys::default(),
            store,
            clock,
            digits,
            replies,
            links: rules.links,
            account: rules.account,
            approval: rules.approval,
            profile: rules.profile,
            tells: rules.tells,
            compat_codes: rules.compat_codes,
            no_user_info: MissingRight::default(),
        }
    }

    /// The name of sites that set none.
    pub fn site_name(&self) -> &str {
        self.replies.site_name()
    }

    /// Whether a push is about one of our codes. All others concern the account's owner as well.
    pub fn is_login(push: &UsablePush) -> bool {
        scene(&push.push).is_some()
    }

    /// Whether a push, if it isn't about one of our codes, is a message that logs somebody in or
    /// asks for a code of ours; and what is known of its digits now.
    ///
    /// # Errors
    ///
    /// Redis failed: it isn't known.
    pub async fn is_our_message(&self, push: &UsablePush) -> Result<(bool, Guess), StoreError> {
        let live_code = self.digits.live_code(push).await?;
        let is_ours = live_code.is_some() || self.asked_codes(&push.push).is_some();
        Ok((is_ours, Guess::Judged(live_code)))
    }

    /// Acts on a push. When this returns, all is stored.
    ///
    /// # Errors
    ///
    /// Redis failed: something may not be stored, and the push must come again.
    pub async fn handle(&self, usable: &UsablePush, guess: Guess) -> Result<Handled, StoreError> {
        let UsablePush { push, openid, at } = usable;
        let member = MemberId {
            app_id: self.api.app_id().clone(),
            openid: openid.clone(),
        };
        let at = *at;
        let arrival = match &push.body {
            PushBody::Subscribe { .. } => Arrival::NewFollower,
            PushBody::Scan { .. } => Arrival::Follower,
            PushBody::Unsubscribe => {
                // In a box: rare, and longer than the rest, whose future it would make larger.
                Box::pin(self.unsubscribed(member, at)).await?;
                return Ok(Handled::Other { reply: None });
            }
            PushBody::Message { content, .. } => {
                let live_code = match guess {
                    Guess::Unseen => self.digits.live_code(usable).await?,
                    Guess::Judged(live_code) => live_code,
                };
                if let Some(scene) = live_code {
                    let follower = Arrival::Follower;
                    let reply = self
                        .log_in(member, scene, at, follower, Method::Code)
                        .await?;
                    return Ok(Handled::Login { reply });
                }
                if let Some(codes) = self.asked_codes(push) {
                    let reply = self.give_code(codes, usable, member).await?;
                    return Ok(Handled::Login { reply });
                }
                count(&self.account, "message", "passed");
                let reply = content
                    .as_deref()
                    .and_then(|content| self.replies.to_message(content));
                return Ok(Handled::Other { reply });
            }
            PushBody::OtherEvent { .. } => {
                count(&self.account, "other", "passed");
                return Ok(Handled::Other { reply: None });
            }
        };
        // Scenes that aren't ours belong to the account's other codes.
        let Some(scene) = scene(push) else {
            let (known, sub) = self.known(&member).await?;
            let append = self
                .person(&member, known.as_ref(), sub.as_ref())
                .and_then(|person| person.followed(at, None));
            let index = index(&member, known.as_ref(), at);
            let opened = ReadPersonsAttempts {
                member: member.clone(),
            };
            let follow = RecordFollow {
                member,
                at,
                profile: None,
            };
            let (_, _, (), opened) = self
                .store
                .run_together((append.as_ref(), index.as_ref(), &follow, &opened))
                .await?;
            count(&self.account, name(arrival), "not_a_login");
            let reply = match arrival {
                Arrival::NewFollower => match self.to_waiting_login(opened).await? {
                    Some(reply) => Some(reply),
                    None => self.replies.to_subscription(),
                },
                Arrival::Follower => None,
            };
            return Ok(Handled::Other { reply });
        };
        let reply = self
            .log_in(member, scene, at, arrival, Method::Scan)
            .await?;
        Ok(Handled::Login { reply })
    }

    /// Keeps that somebody left, and ends what ends with it.
    async fn unsubscribed(&self, member: MemberId, at: Timestamp) -> Result<(), StoreError> {
        let (known, sub) = self.known(&member).await?;
        let append = self
            .person(&member, known.as_ref(), sub.as_ref())
            .and_then(|person| person.unfollowed(at));
        let left = Unfollow::announce(&self.store, &member, append.as_ref()).await?;
        let index = index(&member, known.as_ref(), at);
        let unfollow = RecordUnfollow {
            member: member.clone(),
            at,
        };
        let (_, _, counts, sessions, uses) = self
            .store
            .run_together((
                append.as_ref(),
                index.as_ref(),
                &unfollow,
                &left.index,
                &left.uses,
            ))
            .await?;
        if counts {
            left.conclude(at, &sessions, &uses).await?;
        }
        count(&self.account, "unsubscribe", "recorded");
        Ok(())
    }

    /// The reply to a new follower whose login waits for that: the latest of those that they opened
    /// by a code of ours, if its site asks for following.
    async fn to_waiting_login(&self, opened: Vec<Scene>) -> Result<Option<String>, StoreError> {
        let reads: Vec<ReadScan> = opened
            .into_iter()
            .take(MOST_WAITING)
            .map(|scene| ReadScan {
                scene,
                account: self.account.clone(),
            })
            .collect();
        let scans = self.store.run_all(&reads).await?;
        let waiting = reads.iter().zip(&scans).filter_map(|(read, scan)| {
            let scan = scan.as_ref().filter(|scan| {
                scan.require_following
                    && scan.method == Some(Method::Page)
                    && scan.status == AttemptStatus::Pending
            })?;
            Some((&read.scene, scan))
        });
        let latest = waiting.max_by_key(|(_, scan)| scan.opened_at);
        Ok(latest.and_then(|(scene, scan)| {
            let link = self.links.login(scene)?;
            Some(
                self.replies
                    .to_waiting_login(scan.site_name.as_deref(), &link),
            )
        }))
    }

    /// Our codes, if this message asks for one.
    fn asked_codes(&self, push: &Push) -> Option<&CompatCodes> {
        let codes = self.compat_codes.as_deref();
        codes.filter(|codes| codes.are_asked_for(push))
    }

    /// Gives somebody a code that they type into a website.
    async fn give_code(
        &self,
        codes: &CompatCodes,
        push: &UsablePush,
        member: MemberId,
    ) -> Result<String, StoreError> {
        let ask = self.ban_keys.ask(&member);
        let answer = self.store.run(&ask).await?;
        if self.ban_keys.settle(&self.store, ask, answer).await? {
            count(&self.account, "message", "banned");
            return Ok(BANNED.to_owned());
        }
        let reply = codes.give(push).await?;
        let outcome = if reply.is_some() {
            "code_given"
        } else {
            "no_code"
        };
        count(&self.account, "message", outcome);
        Ok(reply.unwrap_or_else(|| NO_CODE.to_owned()))
    }

    /// What is stored of a person, for what the owner's software is told.
    async fn known(
        &self,
        member: &MemberId,
    ) -> Result<(Option<Member>, Option<Subject>), StoreError> {
        if !self.tells {
            return Ok((None, None));
        }
        let (known, given, banned) = self.stored(member).await?;
        let known = known.map(|known| Member { banned, ..known });
        Ok((known, given.map(|given| given.subject)))
    }

    /// What is stored of a person, their subject, and whether they are banned.
    async fn stored(
        &self,
        member: &MemberId,
    ) -> Result<(Option<Member>, Option<GivenSubject>, bool), StoreError> {
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let ask = self.ban_keys.ask(member);
        let (known, given, bans) = self
            .store
            .run_together((&read, &read_subject, &ask))
            .await?;
        let banned = self.ban_keys.settle(&self.store, ask, bans).await?;
        Ok((known, given, banned))
    }

    /// Whom the owner's software is told about, if it is.
    fn person<'a>(
        &'a self,
        member: &'a MemberId,
        known: Option<&'a Member>,
        sub: Option<&'a Subject>,
    ) -> Option<Person<'a>> {
        self.tells.then_some(Person {
            account: &self.account,
            member,
            known,
            sub,
        })
    }

    async fn log_in(
        &self,
        member: MemberId,
        scene: Scene,
        at: Timestamp,
        arrival: Arrival,
        method: Method,
    ) -> Result<String, StoreError> {
        let (known, subject, banned) = self.stored(&member).await?;
        if banned {
            let sub = subject.map(|given| given.subject);
            let refuse = self.refuse(member, scene, at, sub, known, method);
            return Box::pin(refuse).await;
        }
        let learned = if self.is_profile_due(known.as_ref()) {
            let budget = if subject.is_some() {
                USER_INFO_BUDGET
            } else {
                FIRST_USER_INFO_BUDGET
            };
            self.learn(&member.openid, budget).await
        } else {
            None
        };
        let unionid = learned
            .as_ref()
            .and_then(|profile| profile.unionid.as_deref())
            .or_else(|| known.as_ref()?.unionid.as_deref());
        let sub = subject.as_ref().map(|given| given.subject.clone());
        let naming = self.subjects.name(&member, subject, unionid).await?;
        let sub = sub.or_else(|| Some(naming.give.as_ref()?.subject.clone()));
        let append = self
            .person(&member, known.as_ref(), sub.as_ref())
            .and_then(|person| person.followed(at, learned.as_ref()));
        let index = index(&member, known.as_ref(), at);
        let known = known.filter(|member| member.subscribed);
        let is_outdated = self.is_shown_outdated(known.as_ref());
        let nickname = learned
            .as_ref()
            .and_then(|profile| profile.nickname.clone())
            .or_else(|| known?.nickname);
        let follow = RecordFollow {
            member: member.clone(),
            at,
            profile: learned,
        };
        // Before the scan: a ban that comes after it finds the attempt.
        let note = NoteAttempt {
            member: member.clone(),
            scene: scene.clone(),
        };
        let scan = RecordScan {
            scene: scene.clone(),
            account: self.account.clone(),
            member,
            approval: self.approval,
        };
        let (_, _, _, _, _, (), (), scanned) = self
            .store
            .run_together((
                naming.give.as_ref(),
                naming.claim.as_ref(),
                naming.note.as_ref(),
                append.as_ref(),
                index.as_ref(),
                &follow,
                &note,
                &scan,
            ))
            .await?;
        let ScanOutcome { effect, site_name } = scanned;
        if effect == ScanEffect::Accepted(AttemptStatus::Confirmed) {
            self.steps.confirmed.count(method);
        }
        if matches!(effect, ScanEffect::Accepted(_)) {
            self.steps.scanned.count(method);
            if arrival == Arrival::NewFollower {
                self.steps.followed.count(method);
            }
        }
        let event = match method {
            Method::Code => "message",
            _ => name(arrival),
        };
        count(
            &self.account,
            event,
            match effect {
                ScanEffect::Accepted(_) => "accepted",
                ScanEffect::Repeated(_) => "repeated",
                ScanEffect::Taken => "taken",
                ScanEffect::Elsewhere => "elsewhere",
                ScanEffect::Gone => "gone",
            },
        );
        let occasion = Occasion {
            arrival,
            effect,
            site_name: site_name.as_deref(),
            nickname: nickname.as_deref(),
            ask_profile: self
                .links
                .profile()
                .filter(|_| nickname.is_none() || is_outdated),
            confirm: self.confirm_link(effect, &scene),
        };
        Ok(self.replies.to_scan(&occasion))
    }

    /// The link under which the person confirms, where that is to be done. Only there: a URL costs
    /// more than the rest of the reply.
    fn confirm_link(&self, effect: ScanEffect, scene: &Scene) -> Option<String> {
        let asks_to_confirm = matches!(
            effect,
            ScanEffect::Accepted(AttemptStatus::Scanned)
                | ScanEffect::Repeated(AttemptStatus::Scanned)
        );
        let link = asks_to_confirm.then(|| self.links.confirm(Some(scene)))?;
        if link.is_none() {
            tracing::error!(
                account = self.account.in_log(),
                "a site asks for confirmation on the phone (its login.approval is tap), and this gateway has no \
                 page for it → Set GATEWAY__PUBLIC__URL, or the site's SITE__LOGIN__APPROVAL to scan"
            );
        }
        link
    }

    /// Denies the login of somebody who is banned. That they follow is kept of whom something is
    /// kept already: who was erased stays so.
    async fn refuse(
        &self,
        member: MemberId,
        scene: Scene,
        at: Timestamp,
        sub: Option<Subject>,
        known: Option<Member>,
        method: Method,
    ) -> Result<String, StoreError> {
        let follow = known.is_some().then(|| RecordFollow {
            member: member.clone(),
            at,
            profile: None,
        });
        let known = known.map(|known| Member {
            banned: true,
            ..known
        });
        let followed = self
            .person(&member, known.as_ref(), sub.as_ref())
            .filter(|person| person.known.is_some())
            .and_then(|person| person.followed(at, None));
        let known = known.map(|known| Member::after_follow(Some(&known), &member.openid, at, None));
        let is_open = denials::is_open(&self.store, &scene, &self.account, &member).await?;
        let append = is_open.then(|| AppendEvent {
            opens: self.tells,
            ..denied_by_ban(&self.account, &member, &scene, sub, known)
        });
        let refuse = RefuseScan {
            scene,
            account: self.account.clone(),
            member,
        };
        let (.., refused) = self
            .store
            .run_together((followed.as_ref(), append.as_ref(), follow.as_ref(), &refuse))
            .await?;
        count(&self.account, "scan", "banned");
        if matches!(refused.effect, ScanEffect::Accepted(_)) {
            self.steps.denied.count(method);
        }
        Ok(BANNED.to_owned())
    }

    fn is_profile_due(&self, known: Option<&Member>) -> bool {
        let learned_at = known
            .filter(|member| member.subscribed)
            .and_then(|member| member.profile_at);
        learned_at.is_none_or(|at| self.clock.now().duration_since(at) > self.profile.max_age)
    }

    /// Whether what the person showed is so old that they are asked for it again.
    fn is_shown_outdated(&self, known: Option<&Member>) -> bool {
        let shown_at = known.and_then(|member| member.shown_at);
        shown_at
            .is_some_and(|at| self.clock.now().duration_since(at) > self.profile.ask_again_after)
    }

    /// What WeChat returns about a person, if it does so in time.
    async fn learn(&self, openid: &OpenId, budget: Duration) -> Option<Profile> {
        if self.no_user_info.is_known(self.clock.now()) {
            return None;
        }
        let ask = self
            .tokens
            .with_token(async |token| self.api.user_info(token, openid).await);
        match timeout(budget, ask).await {
            Ok(Ok(info)) => Some(profile::from_user_info(&info)),
            Ok(Err(error)) => {
                self.no_user_info.learn(&error, self.clock.now());
                tracing::warn!(account = self.account.in_log(), %error, "user/info failed; the login continues without a profile");
                None
            }
            Err(_) => {
                tracing::warn!(
                    account = self.account.in_log(),
                    "user/info took too long; the login continues without a profile"
                );
                None
            }
        }
    }
}

/// Where somebody belongs in the index who wasn't seen before, or not so early.
fn index(member: &MemberId, known: Option<&Member>, at: Timestamp) -> Option<IndexMember> {
    let is_indexed = known.is_some_and(|known| known.first_seen_at <= at);
    (!is_indexed).then(|| IndexMember {
        member: member.clone(),
        first_seen_at: at,
        // Nothing is known of anybody where nothing is told: who has a place keeps it.
        only_new: known.is_none(),
    })
}

fn scene(push: &Push) -> Option<Scene> {
    push.scene().and_then(|scene| Scene::parse(scene).ok())
}

const fn name(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::NewFollower => "subscribe",
        Arrival::Follower => "scan",
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use service_kit::clock::Hands;

    use super::*;
    use crate::{accounts::Account, test_account};

    const NOON: &str = "2026-11-27T12:00:00Z";

    /// Asks WeChat again after a day, and the person after a month.
    fn events() -> (LoginEvents, Hands) {
        let (clock, hands) = Clock::standing(NOON.parse().unwrap());
        let (settings, shared) = test_account::settings(clock.clone());
        let account = AccountName::default();
        let rules = LoginRules {
            account: account.clone(),
            approval: shared.approval,
            profile: ProfileSettings {
                ask: true,
                max_age: SignedDuration::from_hours(24),
                ask_again_after: SignedDuration::from_hours(24 * 30),
            },
            links: PhoneLinks::new(&account, None, true),
            tells: true,
            compat_codes: None,
        };
        let app_id = settings.credentials.app_id.clone();
        let digits = Arc::new(AccountDigits::new(
            account.clone(),
            app_id,
            Arc::clone(&shared.store),
        ));
        let Account { api, tokens, .. } = Account::new(account, settings.clone(), &shared).unwrap();
        let replies = Replies::new(settings.replies);
        let events = LoginEvents::new(api, tokens, shared.store, clock, digits, replies, rules);
        (events, hands)
    }

    /// A follower of whom all was learned at noon.
    fn follower() -> Member {
        let noon = NOON.parse().unwrap();
        Member {
            openid: OpenId::parse("o6_bmjrPTlm6_2sgVt7hMZOPfL2M").unwrap(),
            unionid: None,
            nickname: Some("小林".to_owned()),
            avatar_url: None,
            location: None,
            subscribed: true,
            first_seen_at: noon,
            last_seen_at: noon,
            profile_at: Some(noon),
            shown_at: Some(noon),
            banned: false,
            follow_changed_at: Some(noon),
            unfollow_learned_at: None,
        }
    }

    #[test]
    fn what_wechat_told_and_what_a_person_showed_grow_old() {
        let (events, hands) = events();
        let follower = follower();
        let (day, month) = (24 * 3600, 30 * 24 * 3600);
        for (seconds, is_profile_due, is_shown_outdated) in [
            (0, false, false),
            (day, false, false),
            (day + 1, true, false),
            (month, true, false),
            (month + 1, true, true),
        ] {
            let noon: Timestamp = NOON.parse().unwrap();
            hands.put(noon + SignedDuration::from_secs(seconds));
            let judged = (
                events.is_profile_due(Some(&follower)),
                events.is_shown_outdated(Some(&follower)),
            );
            assert_eq!(judged, (is_profile_due, is_shown_outdated), "{seconds}");
        }
    }

    #[test]
    fn of_who_is_unknown_or_has_left_the_profile_is_asked_and_nobody_showed_one() {
        let (events, _hands) = events();
        let unknown = Member {
            profile_at: None,
            shown_at: None,
            ..follower()
        };
        let left = Member {
            subscribed: false,
            ..follower()
        };
        for member in [None, Some(&unknown), Some(&left)] {
            assert!(events.is_profile_due(member));
        }
        for member in [None, Some(&unknown)] {
            assert!(!events.is_shown_outdated(member));
        }
    }
}
