//! Whether a request is answered with a code, and the code.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::steps::oidc::{
    AddSessionGrant, ClientUse, EndGrant, NoteClientUses, OpenGrant, OpenRequest, ReadRequest,
    SessionGrantAdded,
};
use service_kit::{
    random::{self, NoRandomness},
    redis::StoreError,
    subjects::SubjectError,
};

use super::{
    authorization_request::{AuthorizationRequest, Expected},
    claims,
    clients::Client,
    grant_record::{GrantRecord, has_scope},
    id_token,
    provider::Provider,
    tokens::{self, Kind, Token},
};
use crate::sessions::{identifier::SessionId, rules::is_confirmed, store::Identity};

/// How long a code lives.
const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// How long a visitor may take to log in.
const REQUEST_LIFETIME: Duration = Duration::from_mins(30);

/// What a request comes to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The client gets this code.
    Code(Token),
    /// The visitor has to log in first.
    LogIn,
    /// The visitor would have to log in, and no page may be shown, or somebody else did than whom
    /// the client expects.
    LoginRequired,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuthorizationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// As much came of the session in the last hour as can.
    #[error("too much came of this session")]
    TooMany,
}

impl From<SubjectError> for AuthorizationError {
    fn from(error: SubjectError) -> Self {
        match error {
            SubjectError::Store(error) => Self::Store(error),
            SubjectError::Randomness(error) => Self::Randomness(error),
        }
    }
}

/// How a session suits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Fits,
    /// Another login is needed.
    Login,
    /// The visitor logged in for this request, and is somebody else than whom the client expects.
    SomebodyElse,
}

/// Whether a session suits a request, whose page was first shown at `shown_at`.
fn fit(
    request: &AuthorizationRequest,
    client: &Client,
    (signed_in, sub): (&Identity, &str),
    shown_at: Option<Timestamp>,
    now: Timestamp,
) -> Fit {
    let is_fresh = shown_at.is_some_and(|shown_at| signed_in.begun_at > shown_at);
    if request.wants_login && !is_fresh {
        return Fit::Login;
    }
    if let Some(max_age) = request.max_age
        && !is_fresh
    {
        let age = now.as_second() - signed_in.begun_at.as_second();
        if u64::try_from(age).is_ok_and(|age| age > max_age) {
            return Fit::Login;
        }
    }
    if !is_confirmed(client.site.approval, signed_in.method, signed_in.approval) {
        return Fit::Login;
    }
    if client.requires_following() && !signed_in.is_following() {
        return Fit::Login;
    }
    let is_expected = match &request.expected {
        None => true,
        Some(Expected::Subject(expected)) => expected == sub,
        // Such a hint counts only where nobody can be asked.
        Some(Expected::Nobody) => !request.is_silent,
    };
    match (is_expected, is_fresh) {
        (true, _) => Fit::Fits,
        (false, true) => Fit::SomebodyElse,
        (false, false) => Fit::Login,
    }
}

impl Provider {
    /// What a request comes to in this browser.
    ///
    /// # Errors
    ///
    /// Redis is unavailable, or there are no random bytes.
    pub(super) async fn authorize(
        &self,
        request: &AuthorizationRequest,
        client: &Arc<Client>,
        session: Option<&SessionId>,
        shown_at: Option<Timestamp>,
    ) -> Result<Outcome, AuthorizationError> {
        let needs_login = if request.is_silent {
            Outcome::LoginRequired
        } else {
            Outcome::LogIn
        };
        let Some(session) = session else {
            return Ok(needs_login);
        };
        let Some(signed_in) = client.sessions.identify(session).await? else {
            return Ok(needs_login);
        };
        let sub = claims::subject(client, &self.sealing, signed_in.subject.as_str());
        match fit(
            request,
            client,
            (&signed_in, &sub),
            shown_at,
            self.clock.now(),
        ) {
            Fit::Fits => {}
            Fit::Login => return Ok(needs_login),
            Fit::SomebodyElse => return Ok(Outcome::LoginRequired),
        }
        let code = self.issue(request, client, session, signed_in, sub).await?;
        // The session ended in this very moment.
        Ok(code.map_or(needs_login, Outcome::Code))
    }

    async fn issue(
        &self,
        request: &AuthorizationRequest,
        client: &Client,
        session: &SessionId,
        signed_in: Identity,
        sub: String,
    ) -> Result<Option<Token>, AuthorizationError> {
        let grant = tokens::new_grant()?;
        let code = Token::new(Kind::Code, &grant)?;
        let session_sha256 = session.sha256();
        let is_offline = has_scope(&request.scope, "offline_access");
        let add = AddSessionGrant {
            site: self.site.clone(),
            session_sha256: session_sha256.clone(),
            client: client.name.as_str().to_owned(),
            sub,
            grant: (!is_offline).then(|| {
                let life = CODE_LIFETIME + self.access_token_lifetime;
                (grant.clone(), life)
            }),
            lifetime: self.session_lifetime,
        };
        let session_use = ClientUse::Session(self.site.clone(), session_sha256.clone());
        let mut left = vec![(session_use, self.session_lifetime)];
        if is_offline {
            let grant_use = ClientUse::Grant(self.site.clone(), grant.clone());
            // A code that is exchanged lives longer, and is noted again.
            left.push((grant_use, CODE_LIFETIME));
        }
        let note = NoteClientUses {
            member: signed_in.member.clone(),
            uses: left,
        };
        let record = GrantRecord {
            client: client.name.as_str().to_owned(),
            redirect_uri: request.to.redirect_uri.clone(),
            code_challenge: request.code_challenge.clone(),
            nonce: request.nonce.clone(),
            scope: request.scope.clone(),
            account: client.site.realm.account.clone(),
            subject: signed_in.subject.as_str().to_owned(),
            auth_time: signed_in.begun_at.as_second(),
            begun_at_ms: signed_in.begun_at.as_millisecond(),
            method: signed_in.method,
            sid: id_token::session_name(client, &session_sha256),
            member: signed_in.member,
        };
        self.remember(&grant, client, &record);
        // First the session's list, and only then the grant: whoever ends the session finds it.
        let (added, ()) = self.store.run_both(&add, &note).await?;
        match added {
            SessionGrantAdded::Added => {}
            SessionGrantAdded::Ended => return Ok(None),
            SessionGrantAdded::Full => return Err(AuthorizationError::TooMany),
        }
        let open = OpenGrant {
            site: self.site.clone(),
            grant,
            data: serde_json::to_string(&record).unwrap_or_default(),
            code_sha256: code.sha256(),
            code_lifetime: CODE_LIFETIME,
        };
        // A session that ended between the two has left a grant behind.
        let ((), still_added) = self.store.run_both(&open, &add).await?;
        if still_added != SessionGrantAdded::Added {
            let end = EndGrant {
                site: self.site.clone(),
                grant: open.grant,
            };
            self.store.run(&end).await?;
            return Ok(None);
        }
        Ok(Some(code))
    }

    /// Keeps a request until its visitor has logged in. Returns its name.
    ///
    /// # Errors
    ///
    /// Redis is unavailable, or there are no random bytes.
    pub(super) async fn keep(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<String, AuthorizationError> {
        let open = OpenRequest {
            site: self.site.clone(),
            id: random::name()?,
            data: serde_json::to_string(request).unwrap_or_default(),
            lifetime: REQUEST_LIFETIME,
        };
        self.store.run(&open).await?;
        Ok(open.id)
    }

    /// A request that was kept, its client, and when its page was first shown.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub(super) async fn kept(
        &self,
        id: &str,
    ) -> Result<Option<(AuthorizationRequest, Arc<Client>, Timestamp)>, StoreError> {
        // Whatever else it is, it is no name of ours.
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let read = ReadRequest {
            site: self.site.clone(),
            id: id.to_owned(),
        };
        let Some((data, shown_at)) = self.store.run(&read).await? else {
            return Ok(None);
        };
        let request: Option<AuthorizationRequest> = serde_json::from_str(&data).ok();
        Ok(request.and_then(|request| {
            let client = self.clients.named(&request.client)?;
            let client = Arc::clone(client);
            Some((request, client, shown_at))
        }))
    }

    /// The client of a request that was kept: its account, its name and its rules hold for the
    /// login.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn client_of(&self, request: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.kept(request).await?.map(|(_, client, _)| client))
    }
}
