//! Which IP addresses may push: WeChat's callback IPs only, for owners who want that.
//!
//! A second line of defence behind the signature, off by default: WeChat calls the list advisory,
//! and a list that is a day old can lack an address.
//! <https://developers.weixin.qq.com/doc/service/api/base/api_getcallbackip>

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use actix_web::HttpRequest;
use ipnet::IpNet;
use service_kit::client_address::TrustedProxies;
use tokio::time::sleep;

use crate::wechat::{access_tokens::AccessTokens, api::Api};

/// How often the list is fetched again.
const REFRESH: Duration = Duration::from_hours(24);

/// How long to wait after a failure.
const RETRY_AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// `http` or `https`.
    pub protocol: &'static str,
}

/// Those who may push.
pub struct Senders {
    proxies: TrustedProxies,
    networks: Option<RwLock<Vec<IpNet>>>,
}

impl Senders {
    /// Any IP address, or WeChat's callback IPs only. `proxies` are those whose `X-Forwarded-For`
    /// is believed.
    pub fn new(only_wechats: bool, proxies: TrustedProxies) -> Self {
        Self {
            proxies,
            networks: only_wechats.then(RwLock::default),
        }
    }

    /// Who sent this request, and how, as far as the proxies in front of us are believed.
    pub fn origin(&self, request: &HttpRequest) -> Origin {
        Origin {
            address: self.proxies.client(request),
            protocol: self.proxies.protocol(request),
        }
    }

    /// Who sent this request, if they may not. Until a list has been fetched, anybody may: the
    /// signature is still checked, and no login should wait for the list.
    pub fn stranger(&self, request: &HttpRequest) -> Option<IpAddr> {
        let networks = self.networks.as_ref()?;
        let networks = networks.read().unwrap_or_else(PoisonError::into_inner);
        let sender = self.proxies.client(request);
        let is_known =
            networks.is_empty() || networks.iter().any(|network| network.contains(&sender));
        (!is_known).then_some(sender)
    }

    /// Fetches the list every day, for as long as the gateway runs. Does nothing where any address
    /// may push.
    pub async fn keep_current(&self, api: &Api, tokens: &Arc<AccessTokens>) {
        let Some(networks) = &self.networks else {
            return std::future::pending().await;
        };
        loop {
            let listed = tokens
                .with_own_token(|token| async move { api.callback_addresses(&token).await })
                .await;
            let wait = match listed.map(|list| list.networks()) {
                Ok(listed) if !listed.is_empty() => {
                    tracing::info!(
                        account = api.account().in_log(),
                        count = listed.len(),
                        "fetched WeChat's callback IPs"
                    );
                    *networks.write().unwrap_or_else(PoisonError::into_inner) = listed;
                    REFRESH
                }
                Ok(_) => {
                    tracing::warn!(
                        account = api.account().in_log(),
                        "WeChat's list of callback IPs is empty; the previous list stays in force"
                    );
                    RETRY_AFTER_FAILURE
                }
                Err(error) => {
                    tracing::warn!(account = api.account().in_log(), %error, "can't fetch WeChat's callback IPs; the previous list stays in force");
                    RETRY_AFTER_FAILURE
                }
            };
            sleep(wait).await;
        }
    }
}
