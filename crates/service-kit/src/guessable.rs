//! Secrets that strangers know or can guess. They aren't rejected, since a local demonstration may
//! use them, but the operator is warned.

use std::{collections::BTreeSet, fmt};

use url::{Host, Url};

/// What this project publishes: the demonstration's settings, and examples in texts.
pub const PUBLISHED: [&str; 7] = [
    "demonstration-only-api-key-0123456789",
    "demonstration",
    "5117d6e1f0a2b3c4d5e6f708192a3b4c",
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "the-output-of-openssl-rand-hex-32",
    "a1B2c3D4e5F6g7H8",
    "0123456789abcdef0123456789abcdef",
];

/// Fewer different characters than a random text of 16 characters or more has.
const DISTINCT_CHARACTERS: usize = 8;

/// Why a secret is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guessable {
    /// It is published in this project's own files.
    Published,
    /// It has fewer characters than it should.
    Short,
    /// It repeats a few characters.
    Repetitive,
}

impl fmt::Display for Guessable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Published => "it is public: the demonstration or an example uses it",
            Self::Short => "it is short enough to be guessed",
            Self::Repetitive => "it consists of few different characters and can be guessed",
        })
    }
}

/// What is wrong with a secret that should have at least so many characters. On a loopback address,
/// a published one will do.
pub fn judge(secret: &str, least_characters: usize, reach: Reach) -> Option<Guessable> {
    let distinct: BTreeSet<char> = secret.chars().collect();
    if PUBLISHED.contains(&secret) {
        return (reach == Reach::Others).then_some(Guessable::Published);
    }
    if secret.chars().count() < least_characters {
        return Some(Guessable::Short);
    }
    (distinct.len() < DISTINCT_CHARACTERS).then_some(Guessable::Repetitive)
}

/// Who can reach a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine alone.
    Loopback,
    /// Other machines as well, or that isn't known.
    Others,
}

impl Reach {
    /// Who can reach a service with this public URL.
    pub fn of(public_url: Option<&Url>) -> Self {
        let is_loopback = match public_url.and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if is_loopback {
            Self::Loopback
        } else {
            Self::Others
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_no_secret_outside_this_machine() {
        for secret in PUBLISHED {
            assert_eq!(judge(secret, 1, Reach::Others), Some(Guessable::Published));
            assert_eq!(judge(secret, 100, Reach::Loopback), None);
        }
    }

    #[test]
    fn the_demonstrations_own_settings_are_known() {
        let env = include_str!("../../../.env");
        let secret = |name: &str| {
            let line = env.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} stands in .env"))
        };
        for name in [
            "GATEWAY__INTERNAL__API_KEY=",
            "GATEWAY__WECHAT__APP_SECRET=",
            "GATEWAY__WECHAT__TOKEN=",
            "GATEWAY__WECHAT__ENCODING_AES_KEY=",
        ] {
            assert!(PUBLISHED.contains(&secret(name)), "{name}");
        }
    }

    #[test]
    fn short_and_repetitive_secrets_can_be_guessed() {
        let judge = |secret| judge(secret, 16, Reach::Loopback);
        assert_eq!(judge("Tk4fP0qLw8"), Some(Guessable::Short));
        assert_eq!(judge("12341234123412341234"), Some(Guessable::Repetitive));
        assert_eq!(judge("6f1c0e8a9d2b4753"), None);
    }

    #[test]
    fn loopback_is_told_from_everything_else() {
        let reach = |address: &str| Reach::of(Some(&Url::parse(address).unwrap()));
        for address in [
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ] {
            assert_eq!(reach(address), Reach::Loopback, "{address}");
        }
        for address in [
            "https://example.com",
            "http://192.168.1.2",
            "http://localhost.example",
        ] {
            assert_eq!(reach(address), Reach::Others, "{address}");
        }
        assert_eq!(Reach::of(None), Reach::Others);
    }
}
