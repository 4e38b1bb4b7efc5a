//! Parsers of common settings. Each error message continues the key's name.

use std::{net::SocketAddr, str::FromStr};

use ipnet::IpNet;
use login_protocol::attempt::Approval;
use secrecy::SecretString;
use url::Url;

/// Any text.
pub fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

/// Any text that must never be shown. An empty one is a file that nobody wrote to.
pub fn secret(value: &str) -> Result<SecretString, String> {
    if value.is_empty() {
        return Err("is empty".to_owned());
    }
    Ok(SecretString::from(value))
}

/// How many characters a bearer key has at least.
pub const API_KEY_CHARACTERS: usize = 32;

/// A bearer key: at least [`API_KEY_CHARACTERS`] printable ASCII characters, none of them a space.
pub fn api_key(value: &str) -> Result<SecretString, String> {
    if value.len() < API_KEY_CHARACTERS {
        return Err(format!(
            "has {} characters; it needs at least {API_KEY_CHARACTERS}",
            value.len()
        ));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("contains a space or a non-ASCII character".to_owned());
    }
    secret(value)
}

/// `address:port`.
pub fn socket_address(value: &str) -> Result<SocketAddr, String> {
    value
        .parse()
        .map_err(|_| format!("is not an address:port: {value:?}"))
}

/// A whole number of at least `LEAST`.
pub fn integer_from<const LEAST: u32>(value: &str) -> Result<u32, String> {
    let number: u32 = value
        .parse()
        .map_err(|_| format!("is not a whole number: {value:?}"))?;
    if number < LEAST {
        Err(format!("must be at least {LEAST}, not {number}"))
    } else {
        Ok(number)
    }
}

/// What makes a scan a login: `scan` or `tap`.
pub fn approval(value: &str) -> Result<Approval, String> {
    value
        .parse()
        .map_err(|wrong| format!("{wrong}, not {value:?}"))
}

/// `true` or `false`.
pub fn boolean(value: &str) -> Result<bool, String> {
    value
        .parse()
        .map_err(|_| format!("must be true or false, not {value:?}"))
}

/// An `http` or `https` URL without query or fragment.
pub fn http_url(value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|error| format!("is not a URL: {value:?}: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!(
            "must begin with http:// or https://, not {value:?}"
        ));
    }
    // They would be dropped, or sent as `%20`.
    if value.contains(char::is_whitespace) {
        return Err(format!("contains a space or a line break: {value:?}"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("must not have a query or a fragment: {value:?}"));
    }
    Ok(url)
}

/// Networks, separated by commas: `10.0.0.0/8, 192.168.1.1`.
pub fn networks(value: &str) -> Result<Vec<IpNet>, String> {
    let network = |text: &str| {
        let single = || text.parse::<std::net::IpAddr>().map(IpNet::from).ok();
        IpNet::from_str(text)
            .ok()
            .or_else(single)
            .ok_or_else(|| format!("is not a network: {text:?}"))
    };
    value
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(network)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_values_are_named() {
        assert_eq!(
            socket_address("8080").unwrap_err(),
            "is not an address:port: \"8080\""
        );
        assert_eq!(
            integer_from::<1>("0").unwrap_err(),
            "must be at least 1, not 0"
        );
        assert_eq!(
            boolean("yes").unwrap_err(),
            "must be true or false, not \"yes\""
        );
        assert!(http_url("ftp://example.com").is_err());
        assert!(http_url("example.com").is_err());
        assert!(http_url("https://example.com/?a=1").is_err());
        assert!(http_url("https://exa\nmple.com").is_err());
        assert!(http_url("https://example.com/a b").is_err());
        assert!(networks("10.0.0.0/40").is_err());
    }

    #[test]
    fn a_bad_secret_is_not_repeated() {
        let complaint = api_key("hunter2").unwrap_err();
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }

    #[test]
    fn networks_may_be_single_addresses() {
        assert_eq!(networks("10.0.0.0/8, 192.168.1.1,::1").unwrap().len(), 3);
        assert_eq!(networks("").unwrap(), Vec::new());
    }
}
