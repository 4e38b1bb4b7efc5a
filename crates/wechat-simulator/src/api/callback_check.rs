//! `POST /cgi-bin/callback/check`: whether WeChat reaches the callback URL.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpStream, lookup_host};
use url::Url;

use super::answer::{Refusal, refusal, success};
use super::gate::authorize;
use crate::world::World;

/// How long a connection is awaited.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    action: String,
    #[serde(default)]
    check_operator: String,
}

#[derive(Serialize)]
struct Checked {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Vec<Resolved>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ping: Option<Vec<Reached>>,
}

#[derive(Serialize)]
struct Resolved {
    ip: IpAddr,
    real_operator: &'static str,
}

#[derive(Serialize)]
struct Reached {
    ip: IpAddr,
    from_operator: String,
    package_loss: &'static str,
    time: String,
}

/// Resolves the callback's host and connects to it.
pub(super) async fn check(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    authorize(&world, &request)?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| refusal(47001))?;
    let (dns, ping) = match wanted.action.as_str() {
        "all" => (true, true),
        "dns" => (true, false),
        "ping" => (false, true),
        _ => return Err(refusal(40202)),
    };
    if !["DEFAULT", "CHINANET", "UNICOM", "CAP"].contains(&wanted.check_operator.as_str()) {
        return Err(refusal(40203));
    }
    let addresses = addresses(&world.account.setup().callback_url).await;
    if addresses.is_empty() {
        return Err(refusal(40201));
    }
    let resolved = addresses.iter().map(|address| Resolved {
        ip: address.ip(),
        real_operator: "UNICOM",
    });
    let dns = dns.then(|| resolved.collect());
    let mut reached = Vec::new();
    if ping {
        for address in &addresses {
            reached.push(reach(*address, &wanted.check_operator).await);
        }
    }
    let ping = ping.then_some(reached);
    Ok(success(&Checked { dns, ping }))
}

async fn addresses(callback: &Url) -> Vec<SocketAddr> {
    let Some((host, port)) = callback.host_str().zip(callback.port_or_known_default()) else {
        return Vec::new();
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = lookup_host((host, port)).await;
    found.map(Iterator::collect).unwrap_or_default()
}

async fn reach(address: SocketAddr, operator: &str) -> Reached {
    let started = Instant::now();
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    Reached {
        ip: address.ip(),
        from_operator: operator.to_owned(),
        package_loss: if matches!(connected, Ok(Ok(_))) {
            "0%"
        } else {
            "100%"
        },
        time: format!("{milliseconds:.3}ms"),
    }
}
