//! What is to be done about error codes.

use std::time::Duration;

use wechat_wire::error_code::{Remedy, address_to_whitelist, operator_hint, remedy};
use wechat_wire::ids::{AppId, InvalidAppId};

fn later(seconds: u64) -> Remedy {
    Remedy::RetryLater {
        after: Duration::from_secs(seconds),
    }
}

#[test]
fn only_three_codes_ask_for_a_new_token() {
    let refreshing: Vec<i64> = (-100..100_000)
        .filter(|code| remedy(*code) == Remedy::RefreshToken)
        .collect();
    assert_eq!(refreshing, [40001, 40014, 42001]);
}

#[test]
fn busy_means_retrying_soon_and_limits_mean_retrying_later() {
    for code in [-1, 268_487_001, 268_487_002] {
        assert_eq!(remedy(code), Remedy::RetryWithBackoff);
        assert_eq!(operator_hint(code), None);
    }
    assert_eq!(remedy(45011), later(60));
    assert_eq!(remedy(89503), later(60));
    assert_eq!(remedy(45009), later(3600));
    assert_eq!(remedy(89507), later(3600));
    assert_eq!(remedy(89506), later(86_400));
}

#[test]
fn what_only_an_operator_can_mend_comes_with_a_hint() {
    for code in [
        10003, 10005, 40013, 40125, 40164, 40243, 41002, 41004, 45029, 45035, 45103, 48001, 48004,
        48006, 50002, 50004, 50007, 61004, 61007,
    ] {
        assert_eq!(remedy(code), Remedy::TellOperator, "{code}");
        assert!(operator_hint(code).is_some(), "{code}");
    }
    for code in [40001, 45009, 45011, 89501, 89503, 89506, 89507] {
        assert!(operator_hint(code).is_some(), "{code}");
    }
}

#[test]
fn the_rest_is_neither_repeated_nor_reported() {
    for code in [
        0,
        40003,
        40029,
        40053,
        40163,
        43004,
        45015,
        45047,
        47001,
        48002,
        99999,
        i64::MIN,
    ] {
        assert_eq!(remedy(code), Remedy::None, "{code}");
        assert_eq!(operator_hint(code), None, "{code}");
    }
}

#[test]
fn the_address_to_add_is_read_from_wechats_words() {
    for (errmsg, expected) in [
        (
            "invalid ip 118.190.42.90 ipv6 ::ffff:118.190.42.90, not in whitelist rid: 60aca0ce-1-2",
            Some("118.190.42.90"),
        ),
        (
            "invalid ip ipv6 ::ffff:118.190.42.90, not in whitelist",
            Some("118.190.42.90"),
        ),
        (
            "invalid ip 2408::1 ipv6 2408::1, not in whitelist",
            Some("2408::1"),
        ),
        (
            "access clientip is not registered, not in ip-white-list",
            None,
        ),
    ] {
        let found = address_to_whitelist(errmsg).map(|address| address.to_string());
        assert_eq!(found.as_deref(), expected, "{errmsg}");
    }
}

#[test]
fn an_app_id_is_short_and_plain() {
    for text in ["wxabb8e5e80f591861", "a", &"x".repeat(64), "wx_-1"] {
        assert_eq!(AppId::parse(text).unwrap().as_str(), text);
        assert_eq!(text.parse::<AppId>().unwrap().to_string(), text);
    }
    for text in ["", &"x".repeat(65), "wx 1", "wx1\n", "微信", "wx=1"] {
        assert_eq!(AppId::parse(text), Err(InvalidAppId), "{text:?}");
    }
}
