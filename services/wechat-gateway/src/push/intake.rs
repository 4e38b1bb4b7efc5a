//! Handles an incoming push: it is opened, stored, relayed and answered within WeChat's time limit.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{HttpRequest, rt::spawn};
use login_protocol::account::AccountName;
use service_kit::{clock::Clock, redis::StoreError, request_id};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use wechat_wire::push::PushBody;

use super::{
    envelope::{Opened, OpenedPush, PushQuery, PushSecurity, Refusal},
    events::{Guess, Handled, LoginEvents},
    figures::count,
    relay::{RawPush, Relay, RelayedAnswer},
    senders::{Origin, Senders},
    usable::{Unusable, UsablePush},
};
use crate::settings::OnFailure;

/// How long handling may take. WeChat waits five seconds, then pushes again.
const TIME_BUDGET: Duration = Duration::from_secs(4);

/// When the owner's backend must have responded, from the push's arrival: a little before the
/// overall deadline, so that a slow backend is handled as the owner configured and not by another
/// delivery.
const RELAY_BUDGET: Duration = Duration::from_millis(3700);

/// How long to wait before a push that Redis didn't take is stored again, while there is time.
const STORE_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How long a backend's response waits for our own storing, which continues in the background.
const STORING_IN_PASSING: Duration = Duration::from_millis(200);

/// The pushes of one account.
pub struct Pushes {
    account: AccountName,
    security: PushSecurity,
    senders: Arc<Senders>,
    events: Arc<LoginEvents>,
    relay: Option<Relay>,
    clock: Clock,
}

/// What WeChat is answered.
#[derive(Debug)]
pub enum Answer {
    /// Understood, and nothing to say.
    Acknowledged,
    /// A reply for the person, as XML in the push's own mode.
    Reply(String),
    /// What the owner's backend said.
    Relayed(RelayedAnswer),
    /// It must push again: not everything could be stored, or the backend failed. Why is in the
    /// log.
    PushAgain,
}

impl Pushes {
    /// Those of this account.
    pub const fn new(
        account: AccountName,
        security: PushSecurity,
        senders: Arc<Senders>,
        events: Arc<LoginEvents>,
        relay: Option<Relay>,
        clock: Clock,
    ) -> Self {
        Self {
            account,
            security,
            senders,
            events,
            relay,
            clock,
        }
    }

    /// Whether a verification of the URL is WeChat's.
    pub fn is_signed(&self, query: &PushQuery) -> bool {
        self.security.is_signed(query)
    }

    /// Who sent this request, if they may not.
    pub fn stranger(&self, request: &HttpRequest) -> Option<IpAddr> {
        self.senders.stranger(request)
    }

    /// Who sent this request, and how.
    pub fn origin(&self, request: &HttpRequest) -> Origin {
        self.senders.origin(request)
    }

    /// Does what the push asks for. Stored first, answered after. `raw` is asked for the push as it
    /// came if it goes on to the owner's backend.
    ///
    /// # Errors
    ///
    /// It isn't WeChat's, or in no mode that is accepted.
    pub async fn take(
        &self,
        query: &PushQuery,
        body: &[u8],
        raw: impl Fn() -> RawPush,
        arrived: Instant,
    ) -> Result<Answer, Refusal> {
        let opened = self.security.open(query, body, self.clock.now())?;
        let answer = async {
            match &opened {
                Opened::Push(opened) => self.act(opened, raw, arrived).await,
                Opened::Unusable(reason) => self.pass_by(*reason, raw, arrived).await,
            }
        };
        let answered = timeout_at(arrived + TIME_BUDGET, answer).await;
        Ok(answered.unwrap_or_else(|_| {
            tracing::error!("handling a push took too long; WeChat will deliver it again");
            Answer::PushAgain
        }))
    }

    /// What can't be used concerns the owner alone.
    async fn pass_by(
        &self,
        reason: Unusable,
        raw: impl Fn() -> RawPush,
        arrived: Instant,
    ) -> Answer {
        let relay = self.relay.as_ref();
        let account = self.account.in_log();
        tracing::warn!(account, %reason, relayed = relay.is_some(), "ignored a signed push");
        count(&self.account, "ignored", reason.label());
        match relay {
            Some(relay) => relay.pass_on(&raw(), arrived + RELAY_BUDGET).await.into(),
            None => Answer::Acknowledged,
        }
    }

    async fn act(
        &self,
        opened: &OpenedPush,
        raw: impl Fn() -> RawPush,
        arrived: Instant,
    ) -> Answer {
        let deadline = arrived + TIME_BUDGET;
        let (is_login, guess) = match self.is_login(&opened.push).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%error, "it isn't known whether a message logs somebody in");
                return Answer::PushAgain;
            }
        };
        match &self.relay {
            Some(relay) if !is_login => {
                // The owner's backend doesn't wait for our Redis, and its answer isn't lost to it.
                let (events, push) = (Arc::clone(&self.events), opened.push.clone());
                let stored = spawn(request_id::carried(async move {
                    store(&events, &push, guess, deadline).await
                }));
                let answer = relay.pass_on(&raw(), arrived + RELAY_BUDGET).await;
                if opened.push.push.body == PushBody::Unsubscribe {
                    // Nobody reads an answer to this one, so that WeChat may well push it again.
                    return match stored.await {
                        Ok(Ok(_)) => answer.into(),
                        _ => Answer::PushAgain,
                    };
                }
                if timeout(STORING_IN_PASSING, stored).await.is_err() {
                    tracing::error!("a push was relayed before Redis had stored its member");
                }
                answer.into()
            }
            relay => match store(&self.events, &opened.push, guess, deadline).await {
                Ok(Handled::Login { reply }) => {
                    if let Some(relay) = relay {
                        relay.copy_login(raw());
                    }
                    self.reply(opened, Some(reply))
                }
                Ok(Handled::Other { reply }) => self.reply(opened, reply),
                Err(_) => Answer::PushAgain,
            },
        }
    }

    /// Whether a push is a login, and none of the owner's. Without a backend of theirs it makes no
    /// difference.
    async fn is_login(&self, push: &UsablePush) -> Result<(bool, Guess), StoreError> {
        if self.relay.is_none() || LoginEvents::is_login(push) {
            return Ok((true, Guess::Unseen));
        }
        self.events.is_our_message(push).await
    }

    fn reply(&self, opened: &OpenedPush, text: Option<String>) -> Answer {
        let Some(text) = text else {
            return Answer::Acknowledged;
        };
        // Without random bytes nothing can be encrypted. The login is stored; only the reply is
        // lost.
        let now = self.clock.now().as_second();
        match self.security.seal(opened, &text, now) {
            Ok(reply) => Answer::Reply(reply),
            Err(error) => {
                tracing::error!(%error, "a push is answered without its reply");
                Answer::Acknowledged
            }
        }
    }
}

impl From<Result<RelayedAnswer, OnFailure>> for Answer {
    fn from(passed_on: Result<RelayedAnswer, OnFailure>) -> Self {
        match passed_on {
            Ok(answer) => Self::Relayed(answer),
            Err(OnFailure::Acknowledge) => Self::Acknowledged,
            Err(OnFailure::Retry) => Self::PushAgain,
        }
    }
}

/// Stores what a push says. While Redis fails, it is tried again until the deadline: a restart of
/// Redis takes less than WeChat waits.
async fn store(
    events: &LoginEvents,
    push: &UsablePush,
    guess: Guess,
    deadline: Instant,
) -> Result<Handled, StoreError> {
    loop {
        match events.handle(push, guess.clone()).await {
            Err(error) if Instant::now() + STORE_AGAIN_AFTER < deadline => {
                tracing::debug!(%error, "a push isn't stored yet");
                sleep(STORE_AGAIN_AFTER).await;
            }
            handled => {
                // Here and not where it is answered: a relayed push was answered before.
                return handled
                    .inspect_err(|error| tracing::error!(%error, "a push couldn't be stored"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use wechat_wire::{push::Push, signature::CallbackToken};

    use super::*;
    use crate::test_account::account;

    /// A message with a keyword, signed and sent in this second.
    fn message(second: i64) -> (PushQuery, String) {
        let token = CallbackToken::parse("testtokentesttoken").unwrap();
        let (timestamp, nonce) = (second.to_string(), "42".to_owned());
        let query = PushQuery {
            signature: token.sign(&timestamp, &nonce).as_str().to_owned(),
            timestamp,
            nonce,
            ..PushQuery::default()
        };
        let push = Push {
            to_user_name: "gh_0123456789ab".to_owned(),
            from_user_name: "o6_bmjrPTlm6_2sgVt7hMZOPfL2M".to_owned(),
            create_time: second,
            body: PushBody::Message {
                msg_type: "text".to_owned(),
                msg_id: Some("1".to_owned()),
                content: Some("hours".to_owned()),
            },
        };
        (query, push.to_xml())
    }

    #[tokio::test]
    async fn a_push_is_taken_within_five_minutes_and_its_reply_says_when() {
        let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let (clock, hands) = Clock::standing(noon);
        let pushes = account(clock).pushes;
        let (query, body) = message(noon.as_second());
        let unasked = || unreachable!("there is no backend");
        for (seconds, is_taken) in [
            (-301, false),
            (-300, true),
            (0, true),
            (300, true),
            (301, false),
        ] {
            let now = noon + SignedDuration::from_secs(seconds);
            hands.put(now);
            let taken = pushes.take(&query, body.as_bytes(), unasked, Instant::now());
            match taken.await {
                Ok(Answer::Reply(reply)) => {
                    assert!(is_taken, "{seconds}");
                    let written = format!("<CreateTime>{}</CreateTime>", now.as_second());
                    assert!(reply.contains(&written), "{seconds}: {reply}");
                }
                Err(Refusal::Stale) => assert!(!is_taken, "{seconds}"),
                other => panic!("{seconds}: {other:?}"),
            }
        }
    }
}
