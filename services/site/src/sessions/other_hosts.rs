//! Sessions on other hosts, which ask by forward authentication: a code leads there, and a cookie of
//! the host's own keeps the browser signed in.

use login_protocol::steps::{
    ForwardAuthGrant, GrantForwardAuth, IssueReturnCode, ReadForwardAuth, RedeemReturnCode,
    ReturnCodeRedemption,
};
use service_kit::{redis::StoreError, subjects::SubjectError};

use super::{
    identifier::SessionId,
    store::{Sessions, SignedIn},
};
use crate::forward_auth::{
    Target,
    marks::{BrowserMark, HostCookie, HostSecret, ReturnCode},
};

/// What becomes of a browser that comes back with a code.
#[derive(Debug)]
pub enum Return {
    /// It has this cookie from now on.
    SignedIn(HostCookie),
    /// The code is for another origin or another browser.
    Elsewhere,
    /// The code was used, is over, or never was.
    Over,
}

impl Sessions {
    /// Who is signed in on another host with this cookie.
    ///
    /// # Errors
    ///
    /// As [`Sessions::signed_in`].
    pub async fn signed_in_on(
        &self,
        target: &Target,
        cookie: &HostCookie,
    ) -> Result<Option<SignedIn>, SubjectError> {
        let read_grant = ReadForwardAuth {
            site: self.realm.site.clone(),
            cookie_sha256: cookie.sha256(),
        };
        let read = self.read(cookie.session_sha256().to_owned());
        let (grant, session) = self.store.run_both(&read_grant, &read).await?;
        let is_granted = grant.is_some_and(|grant| {
            target.fits(&grant) && grant.session_sha256 == cookie.session_sha256()
        });
        if !is_granted {
            return Ok(None);
        }
        let found = match session {
            Some(session) => self.found(session, read.id_sha256),
            None => self.find_older(read.id_sha256).await?,
        };
        match found {
            Some(found) => {
                let person = self.person(found, None).await?;
                Ok(person.map(|(identity, _)| identity.into_signed_in(None)))
            }
            None => Ok(None),
        }
    }

    /// Keeps a code that signs in, on another host, the browser whose mark has this hash.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn issue_return_code(
        &self,
        session: &SessionId,
        target: &Target,
        code: &ReturnCode,
        browser_sha256: &str,
    ) -> Result<(), StoreError> {
        let issue = IssueReturnCode {
            site: self.realm.site.clone(),
            code_sha256: code.sha256(),
            session_sha256: session.sha256(),
            browser_sha256: browser_sha256.to_owned(),
            origin: target.origin(),
        };
        self.store.run(&issue).await
    }

    /// Takes a code back from the browser with this mark. If it is good, it becomes a cookie.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn redeem_return_code(
        &self,
        target: &Target,
        code: &ReturnCode,
        mark: &BrowserMark,
        secret: HostSecret,
    ) -> Result<Return, StoreError> {
        let redeem = RedeemReturnCode {
            site: self.realm.site.clone(),
            code_sha256: code.sha256(),
            origin: target.origin(),
            browser_sha256: mark.sha256(),
            cookie_sha256: secret.sha256(),
        };
        let session_sha256 = match self.store.run(&redeem).await? {
            ReturnCodeRedemption::Redeemed(session_sha256) => session_sha256,
            ReturnCodeRedemption::Elsewhere => return Ok(Return::Elsewhere),
            ReturnCodeRedemption::Used | ReturnCodeRedemption::Unknown => return Ok(Return::Over),
        };
        let grant = GrantForwardAuth {
            site: redeem.site,
            cookie_sha256: redeem.cookie_sha256,
            grant: ForwardAuthGrant {
                session_sha256: session_sha256.clone(),
                origin: redeem.origin,
            },
            lifetime: self.lifetime,
        };
        self.store.run(&grant).await?;
        Ok(Return::SignedIn(HostCookie::new(secret, session_sha256)))
    }
}
