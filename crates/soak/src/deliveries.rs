//! WeChat's side of a scan: a signed and encrypted push, delivered up to three times.
//!
//! The soak pushes itself. Through the simulator every scan would cost two requests more and a
//! record of it, and the simulator's speed would be what is measured.

use std::time::Duration;

use harness::{
    phone::{Mode, Phone},
    visitor::Replicas,
};
use login_protocol::scene::Scene;
use reqwest::{Client, header::CONTENT_TYPE};
use tokio::time::{Instant, sleep_until};
use wechat_wire::push::Push;

/// How long WeChat waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often WeChat delivers a push that isn't answered.
const DELIVERIES: usize = 3;

/// Delivers pushes to the gateways.
#[derive(Debug)]
pub(crate) struct Deliveries {
    http: Client,
    gateways: Replicas,
    interval: Duration,
    phone: Phone,
}

/// What the phone shows after a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The account answered.
    Answered,
    /// 该公众号提供的服务出现故障: no delivery was answered.
    Fault,
}

impl Deliveries {
    /// Pushes go to these gateways in turn; an unanswered one comes again after this interval.
    pub(crate) fn new(gateways: Vec<String>, interval: Duration) -> Result<Self, String> {
        let http = service_kit::http_client::builder()
            .timeout(PATIENCE)
            // WeChat makes a connection for each push.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            http,
            gateways: Replicas::new(gateways),
            interval,
            phone: Phone::default(),
        })
    }

    /// A follower scans. Returns what came of it and how many deliveries it took.
    pub(crate) async fn scan(&self, openid: &str, scene: &Scene) -> (Scanned, usize) {
        let push = self.phone.scan(openid, scene);
        for delivery in 1..=DELIVERIES {
            let next = Instant::now() + self.interval;
            if self.deliver(&push).await {
                return (Scanned::Answered, delivery);
            }
            sleep_until(next).await;
        }
        (Scanned::Fault, DELIVERIES)
    }

    /// Delivers once, to the next gateway that takes the connection.
    async fn deliver(&self, push: &Push) -> bool {
        let signed = self.phone.sign(push, Mode::Safe);
        let query = signed.query();
        for gateway in self.gateways.in_turn() {
            let request = self
                .http
                .post(format!("{gateway}/wechat/callback?{query}"))
                .header(CONTENT_TYPE, "text/xml")
                .body(signed.body.clone());
            match request.send().await {
                // The answer counts once all of it has arrived.
                Ok(answer) => return answer.status() == 200 && answer.bytes().await.is_ok(),
                Err(error) if error.is_connect() => {}
                Err(_) => return false,
            }
        }
        false
    }
}
