//! Two gateways and two sites, each pair behind an edge, as a deployment has them.

use serde_json::{Value, json};
use system_tests::{
    edge::{Edge, Order},
    stack::{Plan, Stack},
    visitor::Visitor,
};

/// A running system. WeChat, the sites and the browsers know the edges' addresses alone.
pub(crate) struct System {
    /// Everything behind the edges.
    pub(crate) stack: Stack,
    /// Whether the phone must also press.
    pub(crate) tap: bool,
    /// A browser without cookies, at the sites' edge; all others are its clones.
    visitor: Visitor,
    /// In front of the gateways' two listeners and of the sites; they live as long as this.
    _edges: [Edge; 3],
}

impl System {
    /// Starts one with these settings besides, in tap mode or in scan mode.
    pub(crate) async fn start(plan: Plan, tap: bool, order: Order) -> Self {
        let phones = Edge::start(order).await;
        let internal = Edge::start(order).await;
        let browsers = Edge::start(order).await;
        // WeChat pushes three times, five seconds apart; here more often and closer together.
        let stack = plan
            .gateways(2)
            .sites(2)
            .gateway("GATEWAY__PUBLIC__URL", phones.url())
            .gateway("GATEWAY__LOGIN__APPROVAL", if tap { "tap" } else { "scan" })
            .site("SITE__GATEWAY__URL", internal.url())
            .simulator("SIMULATOR__PUSH__DELIVERIES", "200")
            .simulator("SIMULATOR__PUSH__INTERVAL_MS", "100")
            .start()
            .await;
        phones.lead_to(stack.gateways.iter().map(|gateway| gateway.public.as_str()));
        internal.lead_to(stack.gateways.iter().map(|one| one.internal.as_str()));
        browsers.lead_to(stack.sites.iter().map(|site| site.public.as_str()));
        let callback_url = format!("{}/wechat/callback", phones.url());
        stack
            .wechat
            .settings(json!({ "callback_url": callback_url }))
            .await;
        Self {
            stack,
            tap,
            visitor: Visitor::new(browsers.url()),
            _edges: [phones, internal, browsers],
        }
    }

    /// A new browser, at the sites' edge.
    pub(crate) fn visitor(&self) -> Visitor {
        self.visitor.clone()
    }

    /// How many sessions of this person Redis holds.
    pub(crate) async fn sessions_of(&self, openid: &str) -> usize {
        let owners = self.session_owners().await;
        owners.iter().filter(|owner| *owner == openid).count()
    }

    /// Whose the sessions in Redis are.
    pub(crate) async fn session_owners(&self) -> Vec<String> {
        let redis = &self.stack.redis;
        let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:session:*"]).await;
        if keys.is_empty() {
            return keys;
        }
        let read: Vec<&str> = ["MGET"]
            .into_iter()
            .chain(keys.iter().map(String::as_str))
            .collect();
        let records: Vec<String> = redis.command(&read).await;
        let owner = |record: &String| {
            let record: Value = serde_json::from_str(record).unwrap_or_default();
            record["openid"].as_str().unwrap_or_default().to_owned()
        };
        records.iter().map(owner).collect()
    }
}
