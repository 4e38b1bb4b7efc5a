//! Logins by a code of ours: it opens a page on the phone, web authorisation tells who opened it,
//! and they are asked whether that browser may log in.
//!
//! The code's address is no secret. Whoever opens it first is asked, after being told what a
//! confirmation does; nobody else can confirm.

use std::sync::Arc;

use login_protocol::{
    account::AccountName,
    attempt::Approval,
    method::Method,
    scene::Scene,
    steps::{
        AppendEvent, Confirmation, Denial, Exchanger, IssueConfirmation, NoteAttempt, ReadScan,
        RecordScan, RefuseScan, Scan, ScanEffect,
    },
};
use serde::{Deserialize, Serialize};
use service_kit::{
    bans,
    login_steps::{LoginStep, StepCounters},
    random,
    redis::{Store, StoreError},
};

use super::{
    browser::PhoneVisit,
    links::PhoneLinks,
    page_authorization::{
        AuthorizationRedirect, AuthorizationResponse, Authorized, PageAuthorization,
        PageAuthorizationError, Purpose,
    },
    web_authorization_login::WebAuthorizationLogin,
};
use crate::{
    denials,
    wechat::web_authorization::{AuthorizationError, Scope, WebAuthorization},
};

/// Logins to one account by a page of ours.
pub struct PageLogins {
    account: AccountName,
    links: PhoneLinks,
    pages: Arc<PageAuthorization>,
    authorization: Arc<WebAuthorization>,
    people: Arc<WebAuthorizationLogin>,
    store: Arc<Store>,
    steps: Arc<Steps>,
}

/// What is counted of them, until they are confirmed.
struct Steps {
    scanned: StepCounters,
    denied: StepCounters,
}

/// What a phone that opened the code gets. It is stored as the outcome of WeChat's code.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedCode {
    /// They are asked, with this ticket.
    Asked {
        /// The ticket.
        ticket: String,
    },
    /// They have to follow the account first. The attempt waits for them, or somebody else.
    FollowFirst,
    /// The owner banned them.
    Banned,
    /// Somebody else opened it before.
    Taken,
    /// The login is over.
    Over,
}

/// Why a code can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It names no login.
    #[error("the code names no login")]
    Broken,
    /// The login is over, or not one by a page.
    #[error("the login is over")]
    Over,
    /// Whose phone it is can't be found out.
    #[error(transparent)]
    Authorization(#[from] PageAuthorizationError),
}

impl PageLogins {
    /// Those of this account.
    pub fn new(
        account: AccountName,
        links: PhoneLinks,
        pages: Arc<PageAuthorization>,
        authorization: Arc<WebAuthorization>,
        people: Arc<WebAuthorizationLogin>,
        store: Arc<Store>,
    ) -> Self {
        let counters = |step| StepCounters::new(step, &account);
        Self {
            steps: Arc::new(Steps {
                scanned: counters(LoginStep::Scanned),
                denied: counters(LoginStep::Denied),
            }),
            account,
            links,
            pages,
            authorization,
            people,
            store,
        }
    }

    fn purpose(&self, scene: &Scene) -> Result<Purpose, PageAuthorizationError> {
        let redirect_uri = self.links.login_return(scene);
        Ok(Purpose {
            name: format!("login {}", scene.as_str()),
            scope: Scope::Base,
            redirect_uri: redirect_uri.ok_or(PageAuthorizationError::NotOffered)?,
        })
    }

    /// Redirects the phone that opened a code to WeChat, which identifies its user silently.
    ///
    /// # Errors
    ///
    /// The address is broken, or the gateway has no public URL.
    pub fn begin(
        &self,
        visit: &PhoneVisit,
        scene: Option<&Scene>,
    ) -> Result<AuthorizationRedirect, OpenError> {
        let purpose = self.purpose(scene.ok_or(OpenError::Broken)?)?;
        Ok(self.pages.begin(visit, &purpose)?)
    }

    /// Makes the phone that returns from WeChat the one that decides, if it is the first. A rejected
    /// code of WeChat's is invalidated.
    ///
    /// # Errors
    ///
    /// The login is over, another browser started, or WeChat or Redis failed.
    pub async fn open(
        &self,
        visit: &PhoneVisit,
        scene: Option<Scene>,
        response: &AuthorizationResponse,
    ) -> Result<Authorized<OpenedCode>, OpenError> {
        let link = scene.ok_or(OpenError::Broken).and_then(|scene| {
            let purpose = self.purpose(&scene)?;
            Ok((scene, purpose))
        });
        let (scene, purpose) = link.inspect_err(|_| self.pages.discard(visit, response))?;
        let browser = match self.pages.recognise(visit, &purpose, response)? {
            Authorized::Done(browser) => browser,
            Authorized::Retry(redirect) => return Ok(Authorized::Retry(redirect)),
        };
        // Invented scenes, and those of logins that no page is for, end here.
        let scan = self.scan(scene.clone()).await;
        let scan =
            scan.map_err(|error| PageAuthorizationError::from(AuthorizationError::from(error)))?;
        let Some(scan) = scan.filter(|scan| scan.method == Some(Method::Page)) else {
            self.pages.discard(visit, response);
            return Err(OpenError::Over);
        };
        let exchange = {
            let authorization = Arc::clone(&self.authorization);
            let (people, store) = (Arc::clone(&self.people), Arc::clone(&self.store));
            let (account, browser) = (self.account.clone(), browser.name());
            let steps = Arc::clone(&self.steps);
            let code = response.code().to_owned();
            async move {
                let attempt = Exchanger::Attempt(scene.clone());
                let person = authorization.recognise(attempt, &code, Scope::Base).await?;
                let stranger = people.id(&person);
                if bans::is_banned(&store, &stranger).await? {
                    let refuse = RefuseScan {
                        scene,
                        account,
                        member: stranger,
                    };
                    let RefuseScan {
                        scene,
                        account,
                        member,
                    } = &refuse;
                    let is_open = denials::is_open(&store, scene, account, member).await?;
                    let append = is_open
                        .then(|| AppendEvent::of_denial(account, member, scene, Denial::Banned));
                    let (_, refused) = store.run_together((append.as_ref(), &refuse)).await?;
                    if matches!(refused.effect, ScanEffect::Accepted(_)) {
                        steps.denied.count(Method::Page);
                    }
                    return Ok(OpenedCode::Banned);
                }
                let (member, follows) = people.meet(&person).await?;
                let note = NoteAttempt {
                    member: member.clone(),
                    scene: scene.clone(),
                };
                if scan.require_following && !follows {
                    // Once they follow, the account's reply leads back to it.
                    store.run(&note).await?;
                    return Ok(OpenedCode::FollowFirst);
                }
                let record = RecordScan {
                    scene: scene.clone(),
                    account,
                    member: member.clone(),
                    approval: Approval::Tap,
                };
                let issue = IssueConfirmation {
                    ticket: random::name()?,
                    confirmation: Confirmation {
                        scene,
                        member,
                        browser: Some(browser),
                        decided: false,
                    },
                };
                let ((), scanned) = store.run_both(&note, &record).await?;
                let effect = scanned.effect;
                if matches!(effect, ScanEffect::Accepted(_)) {
                    steps.scanned.count(Method::Page);
                }
                Ok(match effect {
                    ScanEffect::Accepted(_) | ScanEffect::Repeated(_) => {
                        store.run(&issue).await?;
                        OpenedCode::Asked {
                            ticket: issue.ticket,
                        }
                    }
                    ScanEffect::Taken => OpenedCode::Taken,
                    ScanEffect::Elsewhere | ScanEffect::Gone => OpenedCode::Over,
                })
            }
        };
        Ok(self
            .pages
            .once(visit, &purpose, response, &browser, exchange)
            .await?)
    }

    async fn scan(&self, scene: Scene) -> Result<Option<Scan>, StoreError> {
        let account = self.account.clone();
        self.store.run(&ReadScan { scene, account }).await
    }
}
