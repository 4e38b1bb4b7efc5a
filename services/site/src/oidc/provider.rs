//! The provider: what its endpoints work with.

use std::{sync::Arc, time::Duration};

use login_protocol::{
    site::{Site, SiteId},
    steps::SessionLifetime,
};
use service_kit::{clock::Clock, lifecycle::ServiceError, redis::Store};
use tokio::sync::Notify;

use super::{
    clients::Clients, failures::Failures, remembered_grants::RememberedGrants, sealing::Sealing,
    signing_keys::SigningKeys,
};
use crate::{public_url::PublicUrl, sessions::rules::SessionRules, settings::oidc::OidcSettings};

/// The OpenID Connect provider of a site.
pub struct Provider {
    pub(super) issuer: String,
    pub(super) public_url: PublicUrl,
    /// The clients.
    pub clients: Clients,
    /// The signing keys.
    pub keys: Arc<SigningKeys>,
    pub(super) sealing: Arc<Sealing>,
    pub(super) store: Arc<Store>,
    pub(super) site: SiteId,
    pub(super) clock: Clock,
    pub(super) access_token_lifetime: Duration,
    pub(super) refresh_token_lifetime: Duration,
    pub(super) session_lifetime: Duration,
    pub(super) failures: Failures,
    pub(super) remembered: RememberedGrants,
    /// How many logins an address may begin in a minute; zero: any number.
    pub(super) logins_per_minute: u32,
    /// Whether an unfollow ends the site's sessions.
    pub(super) ends_on_unfollow: bool,
    /// There may be a client to tell of a logout.
    pub(super) logouts: Notify,
}

impl Provider {
    /// The provider, if there are clients.
    ///
    /// # Errors
    ///
    /// A client can't be prepared.
    pub fn new(
        settings: OidcSettings,
        site: &Site,
        session_lifetime: SessionLifetime,
        rules: &SessionRules,
        store: &Arc<Store>,
        public_url: &PublicUrl,
        clock: Clock,
    ) -> Result<Option<Self>, ServiceError> {
        let Some(secret) = settings.secret.filter(|_| !settings.clients.is_empty()) else {
            return Ok(None);
        };
        let sealing = Arc::new(Sealing::new(&secret).map_err(ServiceError::client)?);
        let keys = SigningKeys::new(
            site.realm.site.clone(),
            Arc::clone(store),
            Arc::clone(&sealing),
            clock.clone(),
            settings.access_token_lifetime,
        );
        let clients = Clients::new(settings.clients, site, session_lifetime, rules, store)
            .map_err(ServiceError::Client)?;
        Ok(Some(Self {
            issuer: public_url.url().as_str().trim_end_matches('/').to_owned(),
            public_url: public_url.clone(),
            clients,
            keys: Arc::new(keys),
            sealing,
            store: Arc::clone(store),
            site: site.realm.site.clone(),
            clock,
            access_token_lifetime: settings.access_token_lifetime,
            refresh_token_lifetime: settings.refresh_token_lifetime,
            session_lifetime: session_lifetime.absolute,
            failures: Failures::default(),
            logins_per_minute: 0,
            remembered: RememberedGrants::default(),
            ends_on_unfollow: rules.end_on_unfollow,
            logouts: Notify::new(),
        }))
    }

    /// The same, where an address may begin so many logins in a minute (zero: any number).
    #[must_use]
    pub const fn admitting(mut self, logins: u32) -> Self {
        self.logins_per_minute = logins;
        self
    }

    /// How long what was granted with `offline_access` lives without being used.
    pub(super) fn offline_lifetime(&self) -> Duration {
        self.refresh_token_lifetime.max(self.access_token_lifetime)
    }
}
