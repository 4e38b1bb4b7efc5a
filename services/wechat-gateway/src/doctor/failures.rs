//! Why a call failed, and what the operator can do about it.

pub(super) use service_kit::http_client::cause;
use wechat_wire::{
    api::ApiError,
    error_code::{address_to_whitelist, operator_hint},
};

use crate::wechat::error::WechatError;

/// Where AppSecret, IP whitelist and callback address are set. They moved there in 2025.
pub(super) const CONSOLE: &str =
    "WeChat's console (微信开发者平台 → 我的业务; formerly 设置与开发 → 基本配置)";

/// The text of a failure.
pub(super) struct Diagnosis {
    /// What is wrong.
    pub(super) detail: String,
    /// What to do.
    pub(super) action: String,
}

/// Why can't get an access token.
pub(super) fn of_token(error: &WechatError) -> Diagnosis {
    let WechatError::Refused(refused) = error else {
        return of_call(error);
    };
    let action = match refused.errcode {
        // Getting a token needs none, so here a bad credential is a wrong secret.
        40001 | 40125 => format!(
            "Copy the AppSecret (开发者密钥) of this AppID from {CONSOLE} to GATEWAY__WECHAT__APP_SECRET; \
             if nobody has it any more, reset it (重置) there"
        ),
        40243 => {
            format!("Unfreeze the AppSecret (解冻) in {CONSOLE}; it works again after 10 minutes")
        }
        40164 | 45035 | 61004 => return not_whitelisted(refused),
        40013 | 41002 => format!(
            "Copy the AppID (开发者ID) from {CONSOLE} to GATEWAY__WECHAT__APP_ID; its case matters"
        ),
        89501 | 89503 => format!(
            "Let the account's administrator (管理员) confirm the request that WeChat sent to their phone, or \
             add this server's IP address to the IP whitelist (IP白名单) in {CONSOLE}"
        ),
        89506 => format!(
            "Wait 24 hours, then let the administrator (管理员) agree; or add this server's address to the IP \
             whitelist (IP白名单) in {CONSOLE}"
        ),
        89507 => format!(
            "Wait an hour, then let the administrator (管理员) agree; or add this server's address to the IP \
             whitelist (IP白名单) in {CONSOLE}"
        ),
        _ => return of_call(error),
    };
    Diagnosis {
        detail: refusal(refused, token_hint(refused.errcode)),
        action,
    }
}

/// Why another call failed.
pub(super) fn of_call(error: &WechatError) -> Diagnosis {
    let refused = match error {
        WechatError::Unreachable(error) => {
            return Diagnosis {
                detail: format!("WeChat can't be reached: {error}"),
                action: "Make api.weixin.qq.com reachable from this machine on port 443 (DNS, firewall, proxy); \
                         check GATEWAY__WECHAT__API_URL and GATEWAY__WECHAT__PROXY_URL"
                    .to_owned(),
            };
        }
        WechatError::Empty { .. }
        | WechatError::Malformed { .. }
        | WechatError::Unusable { .. } => {
            return Diagnosis {
                detail: error.to_string(),
                action: "Check that GATEWAY__WECHAT__API_URL and the proxies in between lead to WeChat; \
                         run doctor again in a minute"
                    .to_owned(),
            };
        }
        WechatError::NoToken { cause, .. } => return of_call(cause),
        WechatError::StuckToken { .. } | WechatError::OutOfTime => {
            return Diagnosis {
                detail: error.to_string(),
                action: "Run doctor again in a minute".to_owned(),
            };
        }
        WechatError::Randomness(error) => {
            return Diagnosis {
                detail: error.to_string(),
                action:
                    "Make the system's random generator available (seccomp), and run doctor again"
                        .to_owned(),
            };
        }
        WechatError::Refused(refused) => refused,
    };
    let action = match refused.errcode {
        40001 | 40014 | 42001 => {
            "Let all programs that use this account take their tokens from stable_token, or from the gateway's \
             /v1/access-token; run doctor again in a minute"
        }
        48001 | 45103 => {
            "Use a certified service account (认证服务号): subscription accounts (订阅号/公众号) and uncertified \
             ones may not create login codes. Or set SITE__LOGIN__METHOD to auto, page or code, by which people log in \
             without them; to try things out, use a test account (接口测试号)"
        }
        45009 => {
            "Wait until midnight in China, or clear the quota (清零) in WeChat's console, ten times a month"
        }
        45011 => "Wait a minute, and run doctor again",
        -1 | 268_487_001 | 268_487_002 => "WeChat is busy: run doctor again in a minute",
        48004 | 50002 | 50004 | 50007 => {
            "Read the console's notices (通知中心) to see what WeChat restricted, and appeal there"
        }
        _ => {
            "Look up the code at developers.weixin.qq.com (全局返回码); note the rid for Tencent's support"
        }
    };
    Diagnosis {
        detail: refusal(refused, operator_hint(refused.errcode)),
        action: action.to_owned(),
    }
}

fn not_whitelisted(refused: &ApiError) -> Diagnosis {
    let (detail, address) = match address_to_whitelist(&refused.errmsg) {
        Some(address) => (
            format!(
                "WeChat answered {}: {address} is not on the account's IP whitelist",
                refused.errcode
            ),
            address.to_string(),
        ),
        None => (
            refusal(refused, operator_hint(refused.errcode)),
            "this server's public IP address".to_owned(),
        ),
    };
    Diagnosis {
        detail,
        action: format!(
            "Add {address} to the IP whitelist (IP白名单) in {CONSOLE}; it takes effect after 5 to 10 minutes"
        ),
    }
}

fn token_hint(errcode: i64) -> Option<&'static str> {
    match errcode {
        40001 => operator_hint(40125),
        code => operator_hint(code),
    }
}

fn refusal(refused: &ApiError, hint: Option<&str>) -> String {
    // Without a hint, only WeChat's own message is available.
    let words = hint.unwrap_or(refused.errmsg.as_str());
    let rid = refused.rid().filter(|_| hint.is_some());
    let rid = rid.map(|rid| format!(" (rid {rid})"));
    format!(
        "WeChat answered {}: {words}{}",
        refused.errcode,
        rid.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(errcode: i64, errmsg: &str) -> WechatError {
        WechatError::Refused(ApiError {
            errcode,
            errmsg: errmsg.to_owned(),
        })
    }

    #[test]
    fn the_address_to_add_is_named() {
        let diagnosis = of_token(&refused(
            40164,
            "invalid ip 118.190.42.90, not in whitelist",
        ));
        assert!(
            diagnosis.action.starts_with("Add 118.190.42.90 to"),
            "{}",
            diagnosis.action
        );
        let diagnosis = of_token(&refused(61004, "access clientip is not registered"));
        assert!(diagnosis.action.contains("this server's public IP address"));
    }

    #[test]
    fn each_refusal_of_a_token_says_what_to_do() {
        for (errcode, term) in [
            (40001, "开发者密钥"),
            (40125, "开发者密钥"),
            (40243, "解冻"),
            (40013, "开发者ID"),
            (89503, "管理员"),
            (89506, "24 hours"),
            (89507, "an hour"),
            (50007, "通知中心"),
            (45009, "清零"),
            (99999, "全局返回码"),
        ] {
            let diagnosis = of_token(&refused(errcode, "words"));
            assert!(
                diagnosis.action.contains(term),
                "{errcode}: {}",
                diagnosis.action
            );
            assert!(
                diagnosis.detail.contains(&errcode.to_string()),
                "{}",
                diagnosis.detail
            );
        }
        assert!(
            of_token(&refused(40001, ""))
                .detail
                .contains("the AppSecret is wrong")
        );
    }

    #[test]
    fn the_request_id_is_kept_for_the_support() {
        let error = refused(48001, "api unauthorized rid: 60aca0ce-5d8d1a2b-3c4d5e6f");
        let detail = of_call(&error).detail;
        assert!(
            detail.ends_with("(rid 60aca0ce-5d8d1a2b-3c4d5e6f)"),
            "{detail}"
        );
    }
}
