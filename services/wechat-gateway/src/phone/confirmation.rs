//! Logins that the person who scanned decides on, on the phone (tap mode).

use std::sync::Arc;

use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    identity::{AppId, MemberId},
    method::Method,
    scene::Scene,
    steps::{
        AppendEvent, Appended, Confirmation, Decide, Decision, DecisionEffect, Denial, Exchanger,
        IssueConfirmation, ReadConfirmation, ReadMember, ReadScan, RefuseAttempt, Scan,
        SpendConfirmation,
    },
};
use serde::{Deserialize, Serialize};
use service_kit::{
    bans, events,
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
};
use crate::{
    denials,
    wechat::web_authorization::{AuthorizationError, Scope, WebAuthorization},
};

/// Logins to one account that are confirmed on the phone.
pub struct Confirmations {
    account: AccountName,
    app_id: AppId,
    site_name: String,
    links: PhoneLinks,
    pages: Arc<PageAuthorization>,
    authorization: Arc<WebAuthorization>,
    store: Arc<Store>,
    confirmed: StepCounters,
    denied: StepCounters,
}

/// What a phone holds while its user decides. It is stored as the outcome of the code that it was
/// issued for.
#[derive(Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Ticket(pub String);

impl From<String> for Ticket {
    /// Parses the stored outcome, which the version before prefixed with the URL that it redirected
    /// to.
    fn from(kept: String) -> Self {
        Self(match kept.strip_prefix("decision?ticket=") {
            Some(ticket) => ticket.to_owned(),
            None => kept,
        })
    }
}

/// Why a confirmation link doesn't work.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It names no login.
    #[error("the link names no login")]
    Broken,
    /// Nobody scanned this login, or it has ended.
    #[error("the login is over")]
    Over,
    /// Whose phone it is can't be found out.
    #[error(transparent)]
    Authorization(#[from] PageAuthorizationError),
}

/// Where a ticket's login stands, for the phone that holds the ticket.
#[derive(Debug)]
pub enum Standing {
    /// The person is to decide.
    Asked(Question),
    /// They confirmed.
    Confirmed {
        /// Where they can show the nickname that the website lacks.
        profile_link: Option<String>,
    },
    /// They refused.
    Denied,
    /// The owner banned them: they log in nowhere.
    Banned,
    /// The attempt or the ticket is gone.
    Over,
    /// Somebody else scanned.
    NotTheirs,
    /// The ticket was given to another browser.
    AnotherBrowser,
}

/// What the person is asked.
#[derive(Debug)]
pub struct Question {
    /// The site that they would log in to.
    pub site_name: String,
    /// Which browser asks, and since when.
    pub scan: Scan,
}

impl Confirmations {
    /// Those of this account. `site_name` is what people call a site that gives itself no name.
    pub fn new(
        account: AccountName,
        app_id: AppId,
        site_name: String,
        links: PhoneLinks,
        pages: Arc<PageAuthorization>,
        authorization: Arc<WebAuthorization>,
        store: Arc<Store>,
    ) -> Self {
        Self {
            confirmed: StepCounters::new(LoginStep::Confirmed, &account),
            denied: StepCounters::new(LoginStep::Denied, &account),
            account,
            app_id,
            site_name,
            links,
            pages,
            authorization,
            store,
        }
    }

    fn purpose(&self, scene: &Scene) -> Result<Purpose, PageAuthorizationError> {
        let redirect_uri = self.links.confirm_return(scene);
        Ok(Purpose {
            name: format!("confirm {}", scene.as_str()),
            scope: Scope::Base,
            redirect_uri: redirect_uri.ok_or(PageAuthorizationError::NotOffered)?,
        })
    }

    /// Redirects the phone that opened a reply's link to WeChat, which identifies its user
    /// silently.
    ///
    /// # Errors
    ///
    /// The link is broken, or the gateway has no public URL.
    pub fn begin(
        &self,
        visit: &PhoneVisit,
        scene: Option<&Scene>,
    ) -> Result<AuthorizationRedirect, LinkError> {
        let purpose = self.purpose(scene.ok_or(LinkError::Broken)?)?;
        Ok(self.pages.begin(visit, &purpose)?)
    }

    /// Issues a ticket to the phone that returns from WeChat. A rejected code is invalidated.
    ///
    /// # Errors
    ///
    /// The login is over, another browser started, or WeChat or Redis failed.
    pub async fn recognise(
        &self,
        visit: &PhoneVisit,
        scene: Option<Scene>,
        response: &AuthorizationResponse,
    ) -> Result<Authorized<Ticket>, LinkError> {
        let link = scene.ok_or(LinkError::Broken).and_then(|scene| {
            let purpose = self.purpose(&scene)?;
            Ok((scene, purpose))
        });
        let (scene, purpose) = link.inspect_err(|_| self.pages.discard(visit, response))?;
        let browser = match self.pages.recognise(visit, &purpose, response)? {
            Authorized::Done(browser) => browser,
            Authorized::Retry(redirect) => return Ok(Authorized::Retry(redirect)),
        };
        // Whoever knows the scene of a scanned attempt is no stranger, so it has a limit of its
        // own, whatever others at the same IP address do. Invented scenes end here.
        let was_scanned = self.was_scanned(&scene).await;
        if !was_scanned
            .map_err(|error| PageAuthorizationError::from(AuthorizationError::from(error)))?
        {
            self.pages.discard(visit, response);
            return Err(LinkError::Over);
        }
        let exchange = {
            let authorization = Arc::clone(&self.authorization);
            let store = Arc::clone(&self.store);
            let (app_id, browser) = (self.app_id.clone(), browser.name());
            let code = response.code().to_owned();
            async move {
                let attempt = Exchanger::Attempt(scene.clone());
                let person = authorization.recognise(attempt, &code, Scope::Base).await?;
                let openid = person.openid;
                let issue = IssueConfirmation {
                    ticket: random::name()?,
                    confirmation: Confirmation {
                        scene,
                        member: MemberId { app_id, openid },
                        browser: Some(browser),
                        decided: false,
                    },
                };
                store.run(&issue).await?;
                Ok(Ticket(issue.ticket))
            }
        };
        Ok(self
            .pages
            .once(visit, &purpose, response, &browser, exchange)
            .await?)
    }

    async fn was_scanned(&self, scene: &Scene) -> Result<bool, StoreError> {
        let scan = self.scan(scene.clone()).await?;
        Ok(scan.is_some_and(|scan| scan.member.is_some()))
    }

    async fn scan(&self, scene: Scene) -> Result<Option<Scan>, StoreError> {
        let account = self.account.clone();
        self.store.run(&ReadScan { scene, account }).await
    }

    /// The status of a ticket's login, and what there is to decide.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn standing(
        &self,
        visit: &PhoneVisit,
        ticket: String,
    ) -> Result<Standing, StoreError> {
        let confirmation = match self.held(visit, ticket).await? {
            Ok(confirmation) => confirmation,
            Err(standing) => return Ok(standing),
        };
        let Confirmation { scene, member, .. } = confirmation;
        let (scan, banned) =
            tokio::try_join!(self.scan(scene), bans::is_banned(&self.store, &member))?;
        Ok(match scan {
            _ if banned => Standing::Banned,
            None => Standing::Over,
            Some(scan) if scan.member != Some(member) => Standing::NotTheirs,
            Some(scan) if scan.status == AttemptStatus::Scanned => Standing::Asked(Question {
                site_name: scan
                    .site_name
                    .clone()
                    .unwrap_or_else(|| self.site_name.clone()),
                scan,
            }),
            Some(scan) => Standing::of(scan.status),
        })
    }

    /// Decides. The first decision stands.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn decide(
        &self,
        visit: &PhoneVisit,
        ticket: String,
        decision: Decision,
    ) -> Result<Standing, StoreError> {
        let confirmation = match self.held(visit, ticket.clone()).await? {
            Ok(confirmation) => confirmation,
            Err(standing) => return Ok(standing),
        };
        let member = confirmation.member.clone();
        if bans::is_banned(&self.store, &member).await? {
            let refuse = RefuseAttempt {
                scene: confirmation.scene,
                member,
            };
            let is_open =
                denials::is_open(&self.store, &refuse.scene, &self.account, &refuse.member).await?;
            let append =
                is_open.then(|| self.denied(&refuse.member, &refuse.scene, Denial::Banned));
            self.store.run_together((append.as_ref(), &refuse)).await?;
            return Ok(Standing::Banned);
        }
        let effect = if confirmation.decided {
            self.decided_before(confirmation).await?
        } else {
            let decide = Decide {
                scene: confirmation.scene.clone(),
                account: self.account.clone(),
                member: member.clone(),
                decision,
            };
            let spend = SpendConfirmation {
                ticket,
                confirmation,
            };
            let (effect, method) = match decision {
                Decision::Confirm => {
                    // Afterwards, so that what is read is no longer going to change.
                    let read = ReadScan {
                        scene: decide.scene.clone(),
                        account: self.account.clone(),
                    };
                    let (effect, (), scan) =
                        self.store.run_together((&decide, &spend, &read)).await?;
                    (effect, scan.and_then(|scan| scan.method))
                }
                Decision::Deny => self.deny(&decide, &spend).await?,
            };
            count(&self.account, effect);
            // Records of a version that didn't say are of a scan.
            let method = method.unwrap_or(Method::Scan);
            match effect {
                DecisionEffect::Stands(AttemptStatus::Confirmed) => self.confirmed.count(method),
                DecisionEffect::Stands(AttemptStatus::Denied) => self.denied.count(method),
                _ => {}
            }
            effect
        };
        Ok(match effect {
            DecisionEffect::Stands(AttemptStatus::Confirmed) => Standing::Confirmed {
                profile_link: self.profile_link(member).await?,
            },
            DecisionEffect::Stands(status) => Standing::of(status),
            DecisionEffect::NotTheirs => Standing::NotTheirs,
            DecisionEffect::Gone => Standing::Over,
        })
    }

    /// Denies, and tells so in the same round trip. Says by which method the visitor logs in, too.
    async fn deny(
        &self,
        decide: &Decide,
        spend: &SpendConfirmation,
    ) -> Result<(DecisionEffect, Option<Method>), StoreError> {
        const DENIED: DecisionEffect = DecisionEffect::Stands(AttemptStatus::Denied);
        let scan = self.scan(decide.scene.clone()).await?;
        let method = scan.as_ref().and_then(|scan| scan.method);
        let is_theirs = scan.is_some_and(|scan| {
            let is_open = matches!(scan.status, AttemptStatus::Scanned | AttemptStatus::Denied);
            is_open && scan.member.as_ref() == Some(&decide.member)
        });
        let append = is_theirs.then(|| self.denied(&decide.member, &decide.scene, Denial::Person));
        let (told, effect, ()) = self
            .store
            .run_together((append.as_ref(), decide, spend))
            .await?;
        // They pressed both buttons, and the other one was first.
        if effect != DENIED
            && let Some(Appended::Now(position) | Appended::Before(position)) = told
        {
            events::take_back(&self.store, position, |_| true).await?;
        }
        Ok((effect, method))
    }

    fn denied(&self, member: &MemberId, scene: &Scene, denial: Denial) -> AppendEvent {
        AppendEvent::of_denial(&self.account, member, scene, denial)
    }

    /// What a ticket stands for, in the browser that it was issued to.
    async fn held(
        &self,
        visit: &PhoneVisit,
        ticket: String,
    ) -> Result<Result<Confirmation, Standing>, StoreError> {
        let Some(confirmation) = self.store.run(&ReadConfirmation { ticket }).await? else {
            return Ok(Err(Standing::Over));
        };
        let is_theirs = match &confirmation.browser {
            Some(browser) => visit.is_by(browser),
            // A gateway of an older version gave it out, a few minutes ago at most.
            None => true,
        };
        Ok(if is_theirs {
            Ok(confirmation)
        } else {
            Err(Standing::AnotherBrowser)
        })
    }

    async fn decided_before(
        &self,
        confirmation: Confirmation,
    ) -> Result<DecisionEffect, StoreError> {
        let Confirmation { scene, member, .. } = confirmation;
        Ok(match self.scan(scene).await? {
            None => DecisionEffect::Gone,
            Some(scan) if scan.member != Some(member) => DecisionEffect::NotTheirs,
            Some(scan) => DecisionEffect::Stands(scan.status),
        })
    }

    async fn profile_link(&self, member: MemberId) -> Result<Option<String>, StoreError> {
        let Some(link) = self.links.profile() else {
            return Ok(None);
        };
        let known = self.store.run(&ReadMember { member }).await?;
        let is_nameless = known.is_none_or(|member| member.nickname.is_none());
        Ok(is_nameless.then(|| link.to_owned()))
    }
}

impl Standing {
    const fn of(status: AttemptStatus) -> Self {
        match status {
            AttemptStatus::Confirmed | AttemptStatus::Consumed => {
                Self::Confirmed { profile_link: None }
            }
            AttemptStatus::Denied => Self::Denied,
            AttemptStatus::Pending | AttemptStatus::Scanned | AttemptStatus::Expired => Self::Over,
        }
    }
}

fn count(account: &AccountName, effect: DecisionEffect) {
    let outcome = match effect {
        DecisionEffect::Stands(status) => status.as_str(),
        DecisionEffect::NotTheirs => "not_theirs",
        DecisionEffect::Gone => "gone",
    };
    let account = account.label();
    metrics::counter!("login_decisions_total", "outcome" => outcome, "account" => account)
        .increment(1);
}
