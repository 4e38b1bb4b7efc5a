//! Clients in the settings: what is refused, in which words.

use std::process::Command;

use system_tests::binaries;

use super::client::{CALLBACK, OIDC_SECRET, SECRET};
use crate::configuration::{self, Configuration};

fn with_a_client() -> Configuration {
    let mut configuration = Configuration::default();
    configuration.set("SITE__OIDC__SECRET", OIDC_SECRET);
    configuration.set("SITE__CLIENT__WIKI__SECRET", SECRET);
    configuration.set("SITE__CLIENT__WIKI__REDIRECT_URIS", CALLBACK);
    configuration
}

#[test]
fn a_client_that_cant_be_served_is_refused_at_the_start() {
    for (variable, value, said) in [
        (
            "SITE__CLIENT__WIKI__REDIRECT_URIS",
            "https://*.example.com/",
            "wildcard",
        ),
        (
            "SITE__CLIENT__WIKI__REDIRECT_URIS",
            "http://wiki.example.com/",
            "must be https",
        ),
        (
            "SITE__CLIENT__WIKI__REDIRECT_URIS",
            "https://a.example/, x",
            "is not a URL",
        ),
        (
            "SITE__CLIENT__WIKI__REDIRECT_URIS",
            "com.example.app:/",
            "private-use scheme",
        ),
        ("SITE__CLIENT__WIKI__SECRET", "short", "at least 24"),
        ("SITE__OIDC__SECRET", "short", "at least 32"),
        ("SITE__OIDC__ACCESS_TOKEN_SECONDS", "0", "at least 1"),
        ("SITE__OIDC__ACCESS_TOKEN_SECONDS", "86401", "at most 86400"),
        ("SITE__OIDC__REFRESH_TOKEN_SECONDS", "1h", "whole number"),
        (
            "SITE__CLIENT__WIKI__BACKCHANNEL_LOGOUT_URI",
            "http://wiki.example.com/",
            "must be https",
        ),
        (
            "SITE__CLIENT__WIKI__ID_TOKEN_ALG",
            "HS256",
            "RS256 or ES256",
        ),
        (
            "SITE__CLIENT__WIKI__SUBJECT_TYPE",
            "private",
            "public or pairwise",
        ),
        (
            "SITE__CLIENT__WIKI__METHOD",
            "telepathy",
            "scan, code, page or auto",
        ),
        ("SITE__CLIENT__WIKI__EMAIL_DOMAIN", "a@b", "domain name"),
        (
            "SITE__CLIENT__WIKI__URL",
            "https://wiki.example.com",
            "is not a setting",
        ),
        (
            "SITE__CLIENT__2WIKI__REDIRECT_URIS",
            CALLBACK,
            "can't be called that",
        ),
    ] {
        let mut configuration = with_a_client();
        configuration.set(variable, value);
        let ended = configuration::run(&[], &configuration);
        assert_eq!(ended.code, Some(2), "{variable}={value}: {}", ended.errors);
        let named = variable.replace("2WIKI__REDIRECT_URIS", "2WIKI (");
        assert!(ended.errors.contains(&named), "{}", ended.errors);
        assert!(ended.errors.contains(said), "{}", ended.errors);
        assert!(!ended.errors.contains(SECRET), "{}", ended.errors);
    }
    let mut configuration = with_a_client();
    configuration.remove("SITE__OIDC__SECRET");
    let ended = configuration::run(&[], &configuration);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.errors.contains("SITE__OIDC__SECRET"),
        "{}",
        ended.errors
    );
    let mut configuration = with_a_client();
    configuration.remove("SITE__CLIENT__WIKI__REDIRECT_URIS");
    let ended = configuration::run(&[], &configuration);
    assert!(ended.errors.contains("is missing"), "{}", ended.errors);
}

#[test]
fn two_clients_cant_have_one_id() {
    let mut configuration = with_a_client();
    configuration.set("SITE__CLIENT__FORUM__REDIRECT_URIS", CALLBACK);
    configuration.set("SITE__CLIENT__FORUM__ID", "wiki");
    let ended = configuration::run(&[], &configuration);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.errors.contains("is also the id of"),
        "{}",
        ended.errors
    );
}

fn client_new(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(binaries::path("site"))
        .env_clear()
        .args(["client", "new"])
        .args(arguments)
        .output()
        .expect("the site runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_command_makes_a_section_that_can_be_used() {
    let (code, section, errors) = client_new(&["wiki", "--redirect-uri", CALLBACK]);
    assert_eq!(code, Some(0), "{errors}");
    let mut configuration = Configuration::default();
    configuration.set("SITE__OIDC__SECRET", OIDC_SECRET);
    let lines: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("SITE__"))
        .collect();
    assert_eq!(lines.len(), 2, "{section}");
    for line in lines {
        let (variable, value) = line.split_once('=').expect("a variable");
        configuration.set(variable, value);
    }
    // Settings that can't be used would end it with 2; nobody answers.
    let ended = configuration::run(&["healthcheck"], &configuration);
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(section.contains("[client.wiki]"), "{section}");
    let (_, other, _) = client_new(&["wiki", "--redirect-uri", CALLBACK]);
    assert_ne!(section, other, "the secret is fresh");
    let (code, section, _) =
        client_new(&["app", "--public", "--redirect-uri", "com.example.app:/"]);
    assert_eq!(code, Some(0));
    assert!(!section.contains("SECRET"), "{section}");
    for wrong in [
        vec!["wiki"],
        vec!["Wiki", "--redirect-uri", CALLBACK],
        vec!["wiki", "--redirect-uri", "http://wiki.example.com/"],
    ] {
        assert_eq!(client_new(&wrong).0, Some(2), "{wrong:?}");
    }
}
