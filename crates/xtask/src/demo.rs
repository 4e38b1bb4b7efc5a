//! The settings that `cargo xtask up` gives each process: one Redis, addresses that fit together, and
//! without a real account the credentials of a made-up one.

use std::env;
use std::fmt::Write;

use crate::failure::Failure;

/// A made-up Official Account. It exists in the simulator only, so nothing here is a secret.
mod account {
    pub(super) const APP_ID: &str = "wx5e1f0a2b3c4d5e6f";
    pub(super) const APP_SECRET: &str = "5117d6e1f0a2b3c4d5e6f708192a3b4c";
    pub(super) const TOKEN: &str = "demonstration";
    pub(super) const ENCODING_AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
}

/// Where everything listens, all on 127.0.0.1.
pub(crate) struct Ports {
    pub(crate) site: u16,
    pub(crate) site_internal: u16,
    pub(crate) gateway: u16,
    pub(crate) gateway_internal: u16,
    pub(crate) simulator: u16,
    pub(crate) redis: u16,
}

/// Names and values of environment variables.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// What the processes of one run share.
pub(crate) struct Settings {
    pub(crate) ports: Ports,
    pub(crate) redis_password: String,
    api_key: String,
    simulated: bool,
}

impl Settings {
    pub(crate) fn new(ports: Ports, simulated: bool) -> Result<Self, Failure> {
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
        let mut environment = vec![
            (
                "GATEWAY__PUBLIC__BIND",
                format!("127.0.0.1:{}", ports.gateway),
            ),
            (
                "GATEWAY__INTERNAL__BIND",
                format!("127.0.0.1:{}", ports.gateway_internal),
            ),
            ("GATEWAY__INTERNAL__API_KEY", self.api_key.clone()),
            ("GATEWAY__REDIS__URL", self.redis()),
        ];
        if self.simulated {
            // A real phone could open no address of this machine's own.
            unless_set(
                &mut environment,
                "GATEWAY__PUBLIC__URL",
                local(ports.gateway),
            );
            let simulator = local(ports.simulator);
            environment.extend([
                ("GATEWAY__WECHAT__APP_ID", account::APP_ID.to_owned()),
                (
                    "GATEWAY__WECHAT__APP_SECRET",
                    account::APP_SECRET.to_owned(),
                ),
                ("GATEWAY__WECHAT__TOKEN", account::TOKEN.to_owned()),
                (
                    "GATEWAY__WECHAT__ENCODING_AES_KEY",
                    account::ENCODING_AES_KEY.to_owned(),
                ),
                ("GATEWAY__WECHAT__API_URL", simulator.clone()),
                ("GATEWAY__WECHAT__MP_URL", simulator.clone()),
                ("GATEWAY__WECHAT__OPEN_URL", simulator),
            ]);
        }
        environment
    }

    pub(crate) fn site(&self) -> Environment {
        let ports = &self.ports;
        let mut environment = vec![
            ("SITE__PUBLIC__BIND", format!("127.0.0.1:{}", ports.site)),
            (
                "SITE__INTERNAL__BIND",
                format!("127.0.0.1:{}", ports.site_internal),
            ),
            ("SITE__REDIS__URL", self.redis()),
            ("SITE__GATEWAY__URL", local(ports.gateway_internal)),
            ("SITE__GATEWAY__API_KEY", self.api_key.clone()),
        ];
        unless_set(&mut environment, "SITE__PUBLIC__URL", local(ports.site));
        environment
    }

    pub(crate) fn simulator(&self) -> Environment {
        let ports = &self.ports;
        vec![
            (
                "SIMULATOR__PUBLIC__BIND",
                format!("127.0.0.1:{}", ports.simulator),
            ),
            ("SIMULATOR__PUBLIC__URL", local(ports.simulator)),
            (
                "SIMULATOR__CALLBACK__URL",
                format!("{}/wechat/callback", local(ports.gateway)),
            ),
            ("SIMULATOR__WECHAT__APP_ID", account::APP_ID.to_owned()),
            (
                "SIMULATOR__WECHAT__APP_SECRET",
                account::APP_SECRET.to_owned(),
            ),
            ("SIMULATOR__WECHAT__TOKEN", account::TOKEN.to_owned()),
            (
                "SIMULATOR__WECHAT__ENCODING_AES_KEY",
                account::ENCODING_AES_KEY.to_owned(),
            ),
        ]
    }
}

/// Whether the environment names a real account. One key is enough to mean it: the gateway then says
/// which of the others is missing, instead of the simulator hiding it.
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

fn unless_set(environment: &mut Environment, key: &'static str, value: String) {
    if env::var_os(key).is_none() {
        environment.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_made_up_account_has_the_shape_of_a_real_one() {
        assert!(account::APP_ID.starts_with("wx") && account::APP_ID.len() == 18);
        assert_eq!(account::APP_SECRET.len(), 32);
        assert!((3..=32).contains(&account::TOKEN.len()));
        assert_eq!(account::ENCODING_AES_KEY.len(), 43);
    }

    #[test]
    fn every_generated_key_is_long_enough_and_new() {
        let key = random_hexadecimal().unwrap();
        assert_eq!(key.len(), 32);
        assert_ne!(key, random_hexadecimal().unwrap());
    }
}
