//! A person shows nickname and avatar to an account that can't read them otherwise.

use std::sync::Arc;

use login_protocol::{
    account::AccountName,
    identity::{AppId, MemberId},
    steps::{Exchanger, ReadMember, ReadSubject, RecordProfile},
};
use serde::{Deserialize, Serialize};
use service_kit::{clock::Clock, redis::Store};

use super::{
    browser::PhoneVisit,
    links::PhoneLinks,
    page_authorization::{
        AuthorizationRedirect, AuthorizationResponse, Authorized, PageAuthorization,
        PageAuthorizationError, Purpose,
    },
};
use crate::{
    push::happenings::Person,
    subjects::{Naming, Subjects},
    wechat::{
        profile,
        web_authorization::{Scope, WebAuthorization},
    },
};

/// Profiles that people show to one account.
pub struct ShownProfiles {
    app_id: AppId,
    tells: bool,
    links: PhoneLinks,
    pages: Arc<PageAuthorization>,
    authorization: Arc<WebAuthorization>,
    subjects: Arc<Subjects>,
    store: Arc<Store>,
    clock: Clock,
}

/// The outcome for a profile. It is stored for the code; the version before stored the redirect
/// target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// It is stored.
    #[serde(alias = "../thanks")]
    Kept,
    /// Its person doesn't follow the account, so that nothing is kept.
    #[serde(alias = "../follow-first")]
    NotFollowing,
}

impl ShownProfiles {
    /// Those of this account. `tells`: whether the owner's software is told of them.
    pub fn new(
        app_id: AppId,
        tells: bool,
        links: PhoneLinks,
        pages: Arc<PageAuthorization>,
        authorization: Arc<WebAuthorization>,
        store: Arc<Store>,
        clock: Clock,
    ) -> Self {
        let account = authorization.account().clone();
        Self {
            app_id,
            tells,
            links,
            pages,
            authorization,
            subjects: Arc::new(Subjects::new(account, Arc::clone(&store))),
            store,
            clock,
        }
    }

    fn purpose(&self) -> Result<Purpose, PageAuthorizationError> {
        let redirect_uri = self.links.profile_return();
        Ok(Purpose {
            name: "profile".to_owned(),
            scope: Scope::UserInfo,
            redirect_uri: redirect_uri.ok_or(PageAuthorizationError::NotOffered)?,
        })
    }

    /// Redirects the phone to WeChat's consent page.
    ///
    /// # Errors
    ///
    /// The gateway has no public URL.
    pub fn begin(
        &self,
        visit: &PhoneVisit,
    ) -> Result<AuthorizationRedirect, PageAuthorizationError> {
        self.pages.begin(visit, &self.purpose()?)
    }

    /// Stores the profile of the person who returns with their consent. A rejected code is
    /// invalidated.
    ///
    /// # Errors
    ///
    /// Another browser began, the person didn't agree, or WeChat or Redis failed.
    pub async fn store(
        &self,
        visit: &PhoneVisit,
        response: &AuthorizationResponse,
    ) -> Result<Authorized<Shown>, PageAuthorizationError> {
        let purpose = self.purpose();
        let purpose = purpose.inspect_err(|_| self.pages.discard(visit, response))?;
        let browser = match self.pages.recognise(visit, &purpose, response)? {
            Authorized::Done(browser) => browser,
            Authorized::Retry(redirect) => return Ok(Authorized::Retry(redirect)),
        };
        let exchange = {
            let authorization = Arc::clone(&self.authorization);
            let (store, subjects) = (Arc::clone(&self.store), Arc::clone(&self.subjects));
            let (clock, tells) = (self.clock.clone(), self.tells);
            let (app_id, code) = (self.app_id.clone(), response.code().to_owned());
            let client = Exchanger::Client(visit.client);
            async move {
                let person = authorization
                    .recognise(client, &code, Scope::UserInfo)
                    .await?;
                let member = MemberId {
                    app_id,
                    openid: person.openid.clone(),
                };
                let read_subject = ReadSubject {
                    member: member.clone(),
                };
                let read = ReadMember {
                    member: member.clone(),
                };
                let (info, stored) = tokio::join!(
                    authorization.profile(&person),
                    store.run_both(&read_subject, &read)
                );
                let (subject, known) = stored?;
                let unionid = person.unionid();
                let sub = subject.as_ref().map(|given| given.subject.clone());
                // Who has no subject yet gets one with a login.
                let naming = match subject {
                    Some(subject) => subjects.name(&member, Some(subject), unionid).await?,
                    None => Naming::default(),
                };
                let step = RecordProfile {
                    member,
                    at: clock.now(),
                    unionid: unionid.map(str::to_owned),
                    profile: info.as_ref().ok().map(profile::from_web_user_info),
                };
                let person = tells.then_some(Person {
                    account: authorization.account(),
                    member: &step.member,
                    known: known.as_ref(),
                    sub: sub.as_ref(),
                });
                let append =
                    person.and_then(|person| person.showed(step.at, step.profile.as_ref()));
                // Also when only the UnionID is known.
                let (_, kept, _, _) = store
                    .run_together((
                        append.as_ref(),
                        &step,
                        naming.claim.as_ref(),
                        naming.note.as_ref(),
                    ))
                    .await?;
                info?;
                count(authorization.account(), kept);
                Ok(if kept {
                    Shown::Kept
                } else {
                    Shown::NotFollowing
                })
            }
        };
        self.pages
            .once(visit, &purpose, response, &browser, exchange)
            .await
    }
}

fn count(account: &AccountName, kept: bool) {
    let (kept, account) = (if kept { "yes" } else { "no" }, account.label());
    metrics::counter!("profiles_shown_total", "kept" => kept, "account" => account).increment(1);
}
