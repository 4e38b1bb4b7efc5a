//! What the visitor of a login is shown when the site wants something else than WeChat's code:
//! digits, a page of ours, or whatever the account can do at the moment.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    gateway_api::{ClientLogins, CreateQrCode},
    login_prompt::{CreateLoginPrompt, LoginPrompt, PromptedDigits, PromptedQr},
    method::{Method, MethodChoice},
};
use service_kit::clock::Clock;

use crate::{
    account_picture::AccountPicture,
    digits::{AccountDigits, NoDigits},
    phone::links::PhoneLinks,
    settings::{ShownAccount, ShownPicture},
    wechat::{
        code_budget::{CodeBudget, NoCodeLeft},
        code_refusals::{CodeRefusals, Refusal},
        error::WechatError,
        qr_codes::QrCodes,
    },
};

/// How much longer WeChat knows a code than the attempt lives: a scan in the last second is
/// answered that it has expired.
const CODE_OUTLIVES_ATTEMPT_SECONDS: u32 = 60;

/// What visitors of one account are shown.
pub struct LoginPrompts {
    shown: ShownAccount,
    links: PhoneLinks,
    /// Its digits.
    pub digits: Arc<AccountDigits>,
    /// What is left of the day's codes.
    pub code_budget: Arc<CodeBudget>,
    /// WeChat's codes.
    pub qr_codes: Arc<QrCodes>,
    /// Whether WeChat refuses codes.
    pub refusals: CodeRefusals,
    clock: Clock,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The day's codes are used up or reserved.
    #[error(transparent)]
    NoCodeLeft(#[from] NoCodeLeft),
    /// WeChat failed.
    #[error(transparent)]
    Wechat(#[from] WechatError),
    /// There are no digits.
    #[error(transparent)]
    NoDigits(#[from] NoDigits),
    /// The gateway has no page: it has no public URL, or the account no web authorisation.
    #[error("this gateway has no page for logins to this account")]
    NoPage,
}

impl LoginPrompts {
    /// Those of this account.
    pub fn new(
        name: &AccountName,
        shown: ShownAccount,
        links: PhoneLinks,
        digits: Arc<AccountDigits>,
        code_budget: CodeBudget,
        qr_codes: QrCodes,
        clock: Clock,
    ) -> Self {
        let has_page = shown.web_authorization && links.are_there();
        let instead = if has_page { Method::Page } else { Method::Code };
        Self {
            shown,
            links,
            digits,
            code_budget: Arc::new(code_budget),
            qr_codes: Arc::new(qr_codes),
            refusals: CodeRefusals::new(name.clone(), instead),
            clock,
        }
    }

    /// Whether somebody inside WeChat can log in by its consent.
    pub const fn have_web_authorization(&self) -> bool {
        self.shown.web_authorization
    }

    /// The account's picture, if the owner gave a file.
    pub const fn picture(&self) -> Option<&AccountPicture> {
        match &self.shown.picture {
            Some(ShownPicture::File(picture)) => Some(picture),
            _ => None,
        }
    }

    /// What the visitor of this attempt is shown.
    ///
    /// # Errors
    ///
    /// WeChat or Redis failed, or the method isn't offered.
    pub async fn create(&self, request: CreateLoginPrompt) -> Result<LoginPrompt, PromptError> {
        match request.method {
            MethodChoice::Scan => self.scan(&request).await,
            MethodChoice::Code => self.code(&request).await,
            MethodChoice::Page => self.page(&request),
            MethodChoice::Auto => self.best(&request).await,
        }
    }

    /// WeChat's code; while there is none, the other way, in this very request.
    async fn best(&self, request: &CreateLoginPrompt) -> Result<LoginPrompt, PromptError> {
        let now = self.clock.now();
        if self.refusals.is_in_force(now) {
            return self.instead(request).await;
        }
        let refusal = match self.scan(request).await {
            Ok(prompt) => {
                self.refusals.end();
                return Ok(prompt);
            }
            Err(PromptError::NoCodeLeft(NoCodeLeft::UsedUp { .. })) => Some(Refusal::OwnLimit),
            // Others may have codes, and this client needn't wait.
            Err(PromptError::NoCodeLeft(NoCodeLeft::Paced { .. })) => None,
            Err(PromptError::Wechat(error)) => {
                Some(Refusal::of(&error).ok_or(PromptError::Wechat(error))?)
            }
            Err(error) => return Err(error),
        };
        if let Some(why) = refusal {
            self.refusals.begin(why, now);
        }
        self.instead(request).await
    }

    async fn instead(&self, request: &CreateLoginPrompt) -> Result<LoginPrompt, PromptError> {
        match self.refusals.instead() {
            Method::Page => self.page(request),
            _ => self.code(request).await,
        }
    }

    async fn scan(&self, request: &CreateLoginPrompt) -> Result<LoginPrompt, PromptError> {
        let client = request.client_logins.unwrap_or(ClientLogins::Few);
        self.code_budget.take(client).await?;
        let code = CreateQrCode {
            scene: request.scene.clone(),
            ttl_seconds: request.ttl_seconds + CODE_OUTLIVES_ATTEMPT_SECONDS,
            client_logins: None,
            account: request.account.clone(),
        };
        let code = self.qr_codes.create(code).await?;
        Ok(LoginPrompt {
            method: Method::Scan,
            qr: Some(PromptedQr {
                content: code.content,
                image_url: Some(code.image_url),
            }),
            code: None,
            expires_at: code.expires_at,
        })
    }

    async fn code(&self, request: &CreateLoginPrompt) -> Result<LoginPrompt, PromptError> {
        let lifetime = Duration::from_secs(request.ttl_seconds.into());
        let digits = self.digits.give(request.scene.clone(), lifetime).await?;
        let (address, picture) = match &self.shown.picture {
            Some(ShownPicture::Address(address)) => (Some(address.to_string()), None),
            Some(ShownPicture::File(picture)) => (None, Some(picture.name.clone())),
            None => (None, None),
        };
        Ok(LoginPrompt {
            method: Method::Code,
            qr: None,
            code: Some(PromptedDigits {
                digits: digits.as_str().to_owned(),
                account_name: self.shown.name.clone(),
                account_qr_url: address,
                account_picture: picture,
            }),
            expires_at: self.end_of(lifetime),
        })
    }

    fn page(&self, request: &CreateLoginPrompt) -> Result<LoginPrompt, PromptError> {
        let page = self.links.login(&request.scene);
        let content = page
            .filter(|_| self.shown.web_authorization)
            .ok_or(PromptError::NoPage)?;
        let lifetime = Duration::from_secs(request.ttl_seconds.into());
        Ok(LoginPrompt {
            method: Method::Page,
            qr: Some(PromptedQr {
                content,
                image_url: None,
            }),
            code: None,
            expires_at: self.end_of(lifetime),
        })
    }

    fn end_of(&self, lifetime: Duration) -> Timestamp {
        let end = self.clock.now().checked_add(lifetime);
        end.unwrap_or(Timestamp::MAX)
    }
}
