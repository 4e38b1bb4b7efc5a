//! Whether the callback URL answers from outside, as WeChat's console will ask it.

use jiff::Timestamp;
use login_protocol::account::AccountName;
use reqwest::{
    StatusCode,
    header::{LOCATION, USER_AGENT},
};
use service_kit::random::{self, NoRandomness};
use url::Url;
use wechat_wire::signature::CallbackToken;

use super::{
    failures::{self, CONSOLE},
    report::Check,
};
use crate::phone::links;

const NAME: &str = "callback";
const SIGNATURE: &str = "callback_signature";

/// What is read of an answer: more than any echo.
const ANSWER_LIMIT: usize = 4 * 1024;

/// What WeChat calls itself when it verifies. Some firewalls treat unknown names differently.
const WECHATS_USER_AGENT: &str = "Mozilla/4.0";

/// An answer to a verification.
#[derive(Debug, Default)]
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    location: Option<String>,
}

/// The URL that an account has below the gateway's public one.
pub(super) fn url(public_url: &Url, account: &AccountName) -> Url {
    links::below(public_url, &links::path(account, links::CALLBACK))
}

/// Verifies the callback at this URL.
pub(super) async fn check(
    http: &reqwest::Client,
    address: Option<&Url>,
    token: &CallbackToken,
) -> Vec<Check> {
    let Some(address) = address else {
        let skipped = Check::skip(NAME, "public.url isn't set, so the URL is unknown");
        return vec![skipped.advising("Set GATEWAY__PUBLIC__URL to the URL that WeChat calls")];
    };
    let [nonce, echo] = match random_numbers() {
        Ok(numbers) => numbers,
        Err(error) => return vec![Check::skip(NAME, error.to_string())],
    };
    let timestamp = Timestamp::now().as_second().to_string();
    let signature = token.sign(&timestamp, &nonce);
    let asked = |signature: &str| {
        let mut asked = address.clone();
        asked
            .query_pairs_mut()
            .append_pair("signature", signature)
            .append_pair("echostr", &echo)
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", &nonce);
        asked
    };
    let right = verify(http, asked(signature.as_str())).await;
    let verified = judge_right(address, right, &echo);
    if verified.action.is_some() {
        return vec![
            verified,
            Check::skip(SIGNATURE, "needs the gateway at that URL"),
        ];
    }
    // Nobody's signature, in the right form.
    let wrong = verify(http, asked(&"0".repeat(40))).await;
    vec![verified, judge_wrong(wrong)]
}

fn judge_right(address: &Url, answer: Result<Answer, String>, echo: &str) -> Check {
    let (detail, action) = match answer {
        Err(cause) => (
            format!("no response from {address}: {cause}"),
            "Start the gateway, and make DNS, firewall and reverse proxy lead to its public listener; \
             WeChat uses ports 80 and 443 only"
                .to_owned(),
        ),
        Ok(answer) if answer.status == StatusCode::OK && answer.body == echo.as_bytes() => {
            return Check::ok(NAME, format!("{address} answers as WeChat expects"));
        }
        Ok(answer) if answer.status == StatusCode::FORBIDDEN => (
            format!("{address} rejects our signature (403): what runs there has another Token"),
            format!(
                "Use one Token (令牌) everywhere: GATEWAY__WECHAT__TOKEN of that gateway, of these settings, and \
                 in {CONSOLE}"
            ),
        ),
        Ok(answer) if answer.status.is_redirection() => {
            let target = answer.location.unwrap_or_else(|| "another URL".to_owned());
            (
                format!("{address} redirects ({}) to {target}, and WeChat doesn't follow", answer.status.as_u16()),
                "Set GATEWAY__PUBLIC__URL, and 服务器地址(URL) in the console, to the URL that answers without redirecting"
                    .to_owned(),
            )
        }
        Ok(answer) if answer.status.is_server_error() => (
            format!("{address} answers HTTP {}: the proxy there reaches no gateway", answer.status.as_u16()),
            "Start the gateway, and point the reverse proxy at its public listener (GATEWAY__PUBLIC__BIND)".to_owned(),
        ),
        Ok(answer) if answer.status == StatusCode::OK => (
            format!(
                "{address} answers {} bytes that aren't the echo: it isn't the gateway, or a proxy changes its responses",
                answer.body.len()
            ),
            "Make the reverse proxy pass /wechat/ to the gateway's public listener unchanged".to_owned(),
        ),
        Ok(answer) => (
            format!("{address} answers HTTP {}", answer.status.as_u16()),
            "Make the reverse proxy pass /wechat/ to the gateway's public listener, including the query string"
                .to_owned(),
        ),
    };
    Check::fail(NAME, detail, action)
}

fn judge_wrong(answer: Result<Answer, String>) -> Check {
    const ACTION: &str = "Find out what is between that URL and the gateway, which answers 403";
    match answer {
        Ok(answer) if answer.status == StatusCode::FORBIDDEN => {
            Check::ok(SIGNATURE, "a wrong signature is refused with 403")
        }
        Ok(answer) if answer.status.is_success() => Check::fail(
            SIGNATURE,
            "a wrong signature is accepted: whoever finds the URL can pretend to be WeChat",
            ACTION,
        ),
        Ok(answer) => Check::warn(
            SIGNATURE,
            format!("a wrong signature gets HTTP {}", answer.status.as_u16()),
            ACTION,
        ),
        Err(cause) => Check::warn(
            SIGNATURE,
            format!("no response to a wrong signature: {cause}"),
            ACTION,
        ),
    }
}

async fn verify(http: &reqwest::Client, address: Url) -> Result<Answer, String> {
    let words = |error: reqwest::Error| failures::cause(&error);
    let request = http.get(address).header(USER_AGENT, WECHATS_USER_AGENT);
    let mut response = request.send().await.map_err(words)?;
    let location = response.headers().get(LOCATION);
    // Its query may contain our signature.
    let location = location
        .and_then(|location| location.to_str().ok())
        .map(|location| location.split('?').next().unwrap_or_default().to_owned());
    let mut answer = Answer {
        status: response.status(),
        body: Vec::new(),
        location,
    };
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        answer.body.extend_from_slice(&chunk);
        if answer.body.len() > ANSWER_LIMIT {
            break;
        }
    }
    Ok(answer)
}

/// A nonce and an echo: decimal numbers, as WeChat sends them.
fn random_numbers() -> Result<[String; 2], NoRandomness> {
    let number = u128::from_be_bytes(random::bytes()?);
    let (nonce, echo) = (number % 10_000_000_000, number >> 64);
    Ok([nonce.to_string(), echo.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Status;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.as_bytes().to_vec(),
            location: Some("https://www.example.com/".to_owned()),
        }
    }

    #[test]
    fn each_wrong_answer_has_its_own_cause() {
        let address = Url::parse("https://example.com/wechat/callback").unwrap();
        for (given, words) in [
            (Ok(answer(403, "")), "another Token"),
            (
                Ok(answer(301, "")),
                "redirects (301) to https://www.example.com/",
            ),
            (Ok(answer(502, "")), "reaches no gateway"),
            (Ok(answer(200, "\"123\"")), "5 bytes that aren't the echo"),
            (Ok(answer(404, "")), "HTTP 404"),
            (Err("Connection refused".to_owned()), "no response from"),
        ] {
            let check = judge_right(&address, given, "123");
            assert_eq!(check.status, Status::Fail);
            assert!(check.detail.contains(words), "{}", check.detail);
        }
        assert_eq!(
            judge_right(&address, Ok(answer(200, "123")), "123").status,
            Status::Ok
        );
    }

    #[test]
    fn a_wrong_signature_must_be_refused() {
        assert_eq!(judge_wrong(Ok(answer(403, ""))).status, Status::Ok);
        assert_eq!(judge_wrong(Ok(answer(200, "123"))).status, Status::Fail);
        assert_eq!(judge_wrong(Ok(answer(404, ""))).status, Status::Warn);
        assert_eq!(judge_wrong(Err("gone".to_owned())).status, Status::Warn);
    }
}
