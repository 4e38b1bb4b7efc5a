//! The bodies of the calls that operators use: quotas, and how WeChat reaches the callback URL.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::json;

/// `POST /cgi-bin/openapi/quota/get`.
/// <https://developers.weixin.qq.com/doc/service/api/apimanage/api_getapiquota>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRequest {
    /// The path of the call, such as `/cgi-bin/qrcode/create`; without its slash it is refused
    /// with 76003.
    #[serde(default)]
    pub cgi_path: String,
}

/// The answer of `/cgi-bin/openapi/quota/get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaAnswer {
    /// The call's quota.
    pub quota: Quota,
}

/// How often a call may be made in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// How often in all.
    #[serde(deserialize_with = "json::loose_flag")]
    pub daily_limit: i64,
    /// How often it was made today.
    #[serde(deserialize_with = "json::loose_flag")]
    pub used: i64,
    /// How often it can still be made today.
    #[serde(deserialize_with = "json::loose_flag")]
    pub remain: i64,
}

/// The answer of `/cgi-bin/getcallbackip`.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getcallbackip>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressList {
    /// Addresses and networks in CIDR notation.
    #[serde(deserialize_with = "json::needed_list")]
    pub ip_list: Vec<String>,
}

impl AddressList {
    /// The entries that can be read; an address is a network of one.
    pub fn networks(&self) -> Vec<IpNet> {
        let entries = self.ip_list.iter().map(|entry| entry.trim());
        let networks = entries.map(|entry| {
            let single = || entry.parse::<IpAddr>().map(IpNet::from);
            entry.parse().or_else(|_| single())
        });
        networks.filter_map(Result::ok).collect()
    }
}

/// `POST /cgi-bin/callback/check`: WeChat looks up and pings the callback URL of its console.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_callbackcheck>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackCheckRequest {
    /// `dns`, `ping` or `all`.
    #[serde(default)]
    pub action: String,
    /// From whose network: `CHINANET`, `UNICOM`, `CAP` (Tencent's own), or `DEFAULT` for the one
    /// that suits the address.
    #[serde(default)]
    pub check_operator: String,
}

impl CallbackCheckRequest {
    /// Everything, from the network that suits the address.
    pub fn all() -> Self {
        Self {
            action: "all".to_owned(),
            check_operator: "DEFAULT".to_owned(),
        }
    }
}

/// The answer of `/cgi-bin/callback/check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackCheck {
    /// What the host's name resolves to.
    #[serde(deserialize_with = "json::loose_list")]
    pub dns: Option<Vec<DnsCheck>>,
    /// How the addresses answer pings.
    #[serde(deserialize_with = "json::loose_list")]
    pub ping: Option<Vec<PingCheck>>,
}

/// An address of the callback's host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DnsCheck {
    /// The address.
    #[serde(deserialize_with = "json::loose_text")]
    pub ip: Option<String>,
    /// Whose network it is in.
    #[serde(deserialize_with = "json::loose_text")]
    pub real_operator: Option<String>,
}

/// Pings to an address of the callback's host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PingCheck {
    /// The address.
    #[serde(deserialize_with = "json::loose_text")]
    pub ip: Option<String>,
    /// From whose network.
    #[serde(deserialize_with = "json::loose_text")]
    pub from_operator: Option<String>,
    /// How many were lost, such as `0%`.
    #[serde(deserialize_with = "json::loose_text")]
    pub package_loss: Option<String>,
    /// How long they took, such as `23.079ms`.
    #[serde(deserialize_with = "json::loose_text")]
    pub time: Option<String>,
}

impl PingCheck {
    /// The share of pings that were lost, in per cent.
    pub fn loss_percent(&self) -> Option<f64> {
        let text = self.package_loss.as_deref()?.trim();
        text.trim_end_matches('%').trim_end().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::decode;

    #[test]
    fn the_documented_answers_are_read() {
        let quota: QuotaAnswer = decode(
            br#"{"errcode":0,"errmsg":"ok","quota":{"daily_limit":1000,"used":0,"remain":1000},
                "rate_limit":{"call_count":5,"refresh_second":60}}"#,
        )
        .unwrap();
        assert_eq!(quota.quota.remain, 1000);
        let check: CallbackCheck = decode(
            br#"{"dns":[{"ip":"111.161.64.40","real_operator":"UNICOM"}],
                "ping":[{"ip":"111.161.64.40","from_operator":"UNICOM","package_loss":"0%","time":"23.079ms"}]}"#,
        )
        .unwrap();
        let ping = &check.ping.unwrap()[0];
        assert_eq!(ping.loss_percent(), Some(0.0));
    }

    #[test]
    fn a_list_holds_addresses_and_networks() {
        let list: AddressList =
            decode(br#"{"ip_list":["106.55.206.146"," 101.226.0.0/16","240e::1","junk",""]}"#)
                .unwrap();
        let networks: Vec<String> = list.networks().iter().map(ToString::to_string).collect();
        assert_eq!(
            networks,
            ["106.55.206.146/32", "101.226.0.0/16", "240e::1/128"]
        );
    }

    #[test]
    fn a_loss_that_is_no_number_is_none() {
        let ping = PingCheck {
            package_loss: Some("unknown".to_owned()),
            ..PingCheck::default()
        };
        assert_eq!(ping.loss_percent(), None);
    }
}
