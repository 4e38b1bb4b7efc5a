//! The settings that `cargo xtask up` gives each process: one Redis, addresses that fit together,
//! and without a real account the credentials of a made-up one.

use std::env;
use std::fmt::Write;

use harness::ports;
use harness::services::{self, Environment};

use crate::failure::Failure;

/// Where everything listens, all on 127.0.0.1.
pub(crate) struct Ports {
    pub(crate) site: u16,
    pub(crate) site_internal: u16,
    pub(crate) gateway: u16,
    pub(crate) gateway_internal: u16,
    pub(crate) simulator: u16,
    pub(crate) redis: u16,
}

/// What the processes of one run share.
pub(crate) struct Settings {
    pub(crate) ports: Ports,
    pub(crate) redis_password: String,
    api_key: String,
    simulated: bool,
    pub(crate) account: AccountKind,
}

/// What kind of account the simulator plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum AccountKind {
    /// A certified service account.
    Service,
    /// A personal subscription account: no codes, no web authorisation, no profiles.
    Subscription,
}

impl Settings {
    pub(crate) fn new(
        ports: Ports,
        simulated: bool,
        account: AccountKind,
    ) -> Result<Self, Failure> {
        // An owner who sets the key has other backends that use it.
        let api_key = match env::var("GATEWAY__INTERNAL__API_KEY") {
            Ok(key) => key,
            Err(_) => random_hexadecimal()?,
        };
        Ok(Self {
            ports,
            redis_password: random_hexadecimal()?,
            api_key,
            simulated,
            account,
        })
    }

    pub(crate) fn redis(&self) -> String {
        let Self {
            ports,
            redis_password,
            ..
        } = self;
        format!("redis://:{redis_password}@127.0.0.1:{}/0", ports.redis)
    }

    pub(crate) fn gateway(&self) -> Environment {
        let ports = &self.ports;
        let (public, internal) = (
            ports::local(ports.gateway),
            ports::local(ports.gateway_internal),
        );
        let mut environment = services::gateway(public, internal, &self.redis());
        set(
            &mut environment,
            "GATEWAY__INTERNAL__API_KEY",
            &self.api_key,
        );
        if self.simulated {
            // A real phone could open no address of this machine's own.
            unless_set(
                &mut environment,
                "GATEWAY__PUBLIC__URL",
                &local(ports.gateway),
            );
            environment.extend(services::account("GATEWAY", true));
            let simulator = local(ports.simulator);
            environment.extend(services::wechat_at(&simulator));
            if self.account == AccountKind::Subscription {
                let code = format!("{simulator}/account-code.jpg");
                for (key, value) in [
                    ("GATEWAY__WECHAT__WEB_AUTHORIZATION", "false"),
                    ("GATEWAY__WECHAT__NAME", "扫码登录"),
                    ("GATEWAY__WECHAT__QR_URL", &code),
                ] {
                    unless_set(&mut environment, key, value);
                }
            }
        }
        environment
    }

    pub(crate) fn site(&self) -> Environment {
        let ports = &self.ports;
        let addresses = [ports::local(ports.site), ports::local(ports.site_internal)];
        let gateway = local(ports.gateway_internal);
        let public_url = env::var("SITE__PUBLIC__URL").unwrap_or_else(|_| local(ports.site));
        let mut environment = services::site(addresses, &public_url, &self.redis(), &gateway);
        set(&mut environment, "SITE__GATEWAY__API_KEY", &self.api_key);
        set(&mut environment, "SITE__PAGE__DEMO", "true");
        if self.simulated && self.account == AccountKind::Subscription {
            unless_set(&mut environment, "SITE__LOGIN__METHOD", "auto");
        }
        environment
    }

    pub(crate) fn simulator(&self) -> Environment {
        let ports = &self.ports;
        let mut environment = services::simulator(ports::local(ports.simulator));
        environment.extend(services::account("SIMULATOR", true));
        set(
            &mut environment,
            "SIMULATOR__PUBLIC__URL",
            &local(ports.simulator),
        );
        let callback_url = format!("{}/wechat/callback", local(ports.gateway));
        set(&mut environment, "SIMULATOR__CALLBACK__URL", &callback_url);
        if self.account == AccountKind::Subscription {
            set(
                &mut environment,
                "SIMULATOR__WECHAT__ACCOUNT",
                "uncertified",
            );
        }
        environment
    }
}

/// Whether the environment names a real account. One key is enough to mean it: the gateway then
/// says which of the others is missing, instead of the simulator hiding it.
pub(crate) fn real_account_is_configured() -> bool {
    [
        "GATEWAY__WECHAT__APP_ID",
        "GATEWAY__WECHAT__APP_SECRET",
        "GATEWAY__WECHAT__TOKEN",
    ]
    .iter()
    .any(|key| env::var_os(key).is_some_and(|value| !value.is_empty()))
}

/// The address of a port on this machine.
pub(crate) fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// 128 random bits as 32 characters: as long as the gateway asks of an API key.
fn random_hexadecimal() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(format!("the system provides no random bytes: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn set(environment: &mut Environment, key: &str, value: &str) {
    environment.insert(key.to_owned(), value.to_owned());
}

fn unless_set(environment: &mut Environment, key: &str, value: &str) {
    if env::var_os(key).is_none() {
        set(environment, key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_key_is_long_enough_and_new() {
        let key = random_hexadecimal().unwrap();
        assert_eq!(key.len(), 32);
        assert_ne!(key, random_hexadecimal().unwrap());
    }
}
