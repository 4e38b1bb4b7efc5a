//! Who is signed in to the console: a browser that sent the internal API's key once, or whose owner
//! confirmed it on the phone.

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    cookie::Cookie as SetCookie,
    http::header::{HOST, ORIGIN},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::{
    identity::{MemberId, OpenId},
    scene::BrowserSecret,
    steps::{
        AdmitConsoleSignIn, CONSOLE_SESSION_LIFETIME, ConsoleSignIn, ConsoleSignInBy,
        EndConsoleSession, GiveBackConsoleSignIn, OpenConsoleSession, ReadConsoleSession,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    bans,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::cookies::{Cookie, Sent};

/// The browsers that are signed in.
pub(crate) struct ConsoleSessions {
    store: Arc<Store>,
    api_key: SecretString,
    /// Who may sign in by WeChat.
    owners: Vec<MemberId>,
}

/// A browser that is signed in. Its `Debug` form is redacted.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    secret: BrowserSecret,
    /// Who, if they signed in by WeChat.
    member: Option<MemberId>,
}

/// Why a browser isn't signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// It isn't the key.
    #[error("the key is wrong")]
    WrongKey,
    /// Too many were wrong.
    #[error("too many keys were wrong")]
    TooMany {
        /// Until one is looked at again.
        retry_after: Duration,
    },
    /// No secret can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there is no session for somebody who may have one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// No secret can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConsoleSessions {
    /// Browsers sign in by this key, or as one of these people.
    pub(crate) const fn new(
        store: Arc<Store>,
        api_key: SecretString,
        owners: Vec<MemberId>,
    ) -> Self {
        Self {
            store,
            api_key,
            owners,
        }
    }

    /// Signs in a browser that sent this key.
    ///
    /// # Errors
    ///
    /// It is another key, too many were, or Redis failed.
    pub(crate) async fn sign_in(&self, key: &str, client: IpAddr) -> Result<Owner, SignInError> {
        let by = ConsoleSignInBy::Key;
        match self.store.run(&AdmitConsoleSignIn { by, client }).await? {
            ConsoleSignIn::Admitted => {}
            ConsoleSignIn::Refused { retry_after } => {
                return Err(SignInError::TooMany { retry_after });
            }
        }
        let is_key = key
            .as_bytes()
            .ct_eq(self.api_key.expose_secret().as_bytes());
        if !bool::from(is_key) {
            return Err(SignInError::WrongKey);
        }
        let owner = Owner {
            secret: BrowserSecret::from_random(random::bytes()?),
            member: None,
        };
        let open = OpenConsoleSession {
            id_sha256: owner.digest("id"),
            proof: self.proof(&owner),
        };
        self.store
            .run_both(&open, &GiveBackConsoleSignIn { by, client })
            .await?;
        Ok(owner)
    }

    /// Signs in a browser for this person, who may be.
    ///
    /// # Errors
    ///
    /// Redis failed, or there is no randomness.
    pub(crate) async fn sign_in_as(&self, member: MemberId) -> Result<Owner, OpenError> {
        let owner = Owner {
            secret: BrowserSecret::from_random(random::bytes()?),
            member: Some(member),
        };
        let open = OpenConsoleSession {
            id_sha256: owner.digest("id"),
            proof: self.proof(&owner),
        };
        self.store.run(&open).await?;
        Ok(owner)
    }

    /// Who sends this request, if it is a browser that is signed in. With another key in the
    /// settings, nobody is any more; nor is who was taken out of the list, or banned.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn owner(
        &self,
        request: &HttpRequest,
        is_https: bool,
    ) -> Result<Option<Owner>, StoreError> {
        let Sent::Secret(secret) = Cookie::Session.sent(request, is_https) else {
            return Ok(None);
        };
        let mut owner = Owner {
            secret,
            member: None,
        };
        let id_sha256 = owner.digest("id");
        let Some(proof) = self.store.run(&ReadConsoleSession { id_sha256 }).await? else {
            return Ok(None);
        };
        if is_same(&self.proof(&owner), &proof) {
            return Ok(Some(owner));
        }
        for member in &self.owners {
            owner.member = Some(member.clone());
            if is_same(&self.proof(&owner), &proof) {
                let is_banned = bans::is_banned(&self.store, member).await?;
                return Ok((!is_banned).then_some(owner));
            }
        }
        Ok(None)
    }

    /// Signs a browser out.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn sign_out(&self, owner: &Owner) -> Result<(), StoreError> {
        let id_sha256 = owner.digest("id");
        self.store.run(&EndConsoleSession { id_sha256 }).await
    }

    /// What Redis keeps: made of the key, of the person who signed in by WeChat, and of the cookie,
    /// so that who reads Redis can neither guess a key by it nor make one up.
    fn proof(&self, owner: &Owner) -> String {
        let key = self.api_key.expose_secret();
        owner.digest(&match &owner.member {
            None => format!("key {key}"),
            Some(MemberId { app_id, openid }) => {
                format!("wechat {} {} {key}", app_id.as_str(), openid.as_str())
            }
        })
    }
}

impl Owner {
    /// What a form of its own pages has to carry.
    pub(crate) fn form_token(&self) -> String {
        self.digest("form")
    }

    /// Whether a form came from one of its own pages.
    pub(crate) fn sent(&self, token: &str) -> bool {
        is_same(&self.form_token(), token)
    }

    /// Who, if they signed in by WeChat.
    pub(crate) fn openid(&self) -> Option<OpenId> {
        let member = self.member.as_ref()?;
        Some(member.openid.clone())
    }

    /// The cookie by which it is known.
    pub(crate) fn cookie(&self, is_https: bool) -> SetCookie<'static> {
        let seconds = i64::try_from(CONSOLE_SESSION_LIFETIME.as_secs()).unwrap_or_default();
        Cookie::Session.set(&self.secret, is_https, seconds)
    }

    fn digest(&self, purpose: &str) -> String {
        digest(&self.secret, purpose)
    }
}

/// What a secret is shown as for a purpose. It leads back to neither.
pub(super) fn digest(secret: &BrowserSecret, purpose: &str) -> String {
    let digest = Sha256::new()
        .chain_update(secret.as_bytes())
        .chain_update(purpose)
        .finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Compares in constant time.
pub(super) fn is_same(expected: &str, sent: &str) -> bool {
    expected.as_bytes().ct_eq(sent.as_bytes()).into()
}

/// The cookie that takes the other one away.
pub(crate) fn no_cookie(is_https: bool) -> SetCookie<'static> {
    Cookie::Session.clear(is_https)
}

/// Whether a browser has two cookies of the session's name. Then something else on this host set
/// one of them.
pub(crate) fn is_doubled(request: &HttpRequest, is_https: bool) -> bool {
    matches!(Cookie::Session.sent(request, is_https), Sent::Several)
}

/// Whether a page of another origin sent this. Browsers say so themselves (`Sec-Fetch-Site`) where
/// the connection is trustworthy, and name the origin elsewhere.
pub(crate) fn is_foreign(request: &HttpRequest) -> bool {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or("unreadable"))
    };
    if let Some(from) = header("sec-fetch-site") {
        return !matches!(from, "same-origin" | "none");
    }
    let Some(origin) = header(ORIGIN.as_str()) else {
        return false;
    };
    let Ok(origin) = Url::parse(origin) else {
        return true;
    };
    let host = header(HOST.as_str()).unwrap_or_default();
    let asked = Url::parse(&format!("{}://{host}", origin.scheme()));
    asked.map_or(true, |asked| asked.origin() != origin.origin())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_own_pages_and_programs_send_forms() {
        for (headers, foreign) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("origin", "http://10.0.0.1:9081")], false),
            (&[("origin", "http://10.0.0.1:9080")], true),
            (&[("origin", "http://evil.example.com")], true),
            (&[("origin", "null")], true),
        ] {
            let mut request = TestRequest::post().insert_header(("host", "10.0.0.1:9081"));
            for header in headers {
                request = request.insert_header(*header);
            }
            let request = request.to_http_request();
            assert_eq!(is_foreign(&request), foreign, "{headers:?}");
        }
    }

    #[test]
    fn a_token_belongs_to_one_browser_and_is_not_its_name() {
        let [one, other] = [1, 2].map(|byte| Owner {
            secret: BrowserSecret::from_random([byte; 32]),
            member: None,
        });
        assert!(one.sent(&one.form_token()));
        assert!(!one.sent(&other.form_token()));
        assert!(!one.sent(""));
        assert_ne!(one.form_token(), one.digest("id"));
    }
}
