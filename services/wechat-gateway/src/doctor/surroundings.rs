//! The owner's other backend, and the domain that web authorisation returns to.

use std::collections::BTreeMap;

use url::Url;

use super::{failures, report::Check};

const RELAY: &str = "relay";
const DOMAIN: &str = "web_authorization_domain";

/// Where hosts of web authorisation are entered.
const WHERE: &str =
    "网页授权域名 (设置与开发 → 公众号设置 → 功能设置), exactly and without http:// or port";

/// Whether the owner's backend answers HTTP at all. Nothing is pushed to it.
pub(super) async fn relay(http: &reqwest::Client, url: Option<&Url>) -> Check {
    const ACTION: &str = "Start your backend, and check GATEWAY__RELAY__URL";
    let Some(url) = url else {
        return Check::skip(RELAY, "relay.url isn't set: no pushes are relayed");
    };
    let place = url.origin().ascii_serialization();
    // A HEAD without a signature: any answer shows that something listens.
    match http.head(url.clone()).send().await {
        Ok(answer) if answer.status().is_server_error() => {
            let detail = format!("{place} answers HTTP {}", answer.status().as_u16());
            Check::warn(RELAY, detail, ACTION)
        }
        Ok(_) => Check::ok(RELAY, format!("{place} answers")),
        Err(error) => {
            let detail = format!("no response from {place}: {}", failures::cause(&error));
            Check::fail(RELAY, detail, ACTION)
        }
    }
}

/// What the check of the domain depends on.
pub(super) struct WebAuthorization<'a> {
    /// The gateway's public URL.
    pub(super) public_url: Option<&'a Url>,
    /// The configured files, by name.
    pub(super) files: &'a BTreeMap<String, String>,
}

/// Whether the public URL serves the files that prove the domain to WeChat's console. Whether the
/// console knows the domain can't be queried from a server. The site's own host needs it as well,
/// whatever the gateway's settings say: a login inside WeChat redirects there.
pub(super) async fn domain(http: &reqwest::Client, used: &WebAuthorization<'_>) -> Check {
    let Some(public_url) = used.public_url else {
        let skipped = Check::skip(
            DOMAIN,
            "public.url isn't set, so no link to nickname and avatar is sent",
        );
        return skipped.advising(format!(
            "Enter the host of SITE__PUBLIC__URL as {WHERE}; logins inside WeChat redirect there. Set \
             GATEWAY__PUBLIC__URL, or GATEWAY__PROFILE__ASK=false"
        ));
    };
    let host = public_url.host_str().unwrap_or_default();
    let enter = format!(
        "Enter {host} and the host of SITE__PUBLIC__URL, where logins inside WeChat redirect to, as {WHERE}; without it \
         phones see error 10003"
    );
    if used.files.is_empty() {
        let skipped = Check::skip(
            DOMAIN,
            "no verification files are set, so there is nothing to check",
        );
        let files = "if the console asks for a file MP_verify_….txt, put its name into GATEWAY__PUBLIC__VERIFICATION_FILES";
        return skipped.advising(format!("{enter}; {files}"));
    }
    for (name, content) in used.files {
        let mut address = public_url.clone();
        // The console looks at the host's root, whatever path the gateway has.
        address.set_path(name);
        let served = read(http, address.clone()).await;
        if served.as_deref() != Ok(content.as_str()) {
            let detail = match served {
                Ok(_) => format!("{address} doesn't answer with the file's content"),
                Err(cause) => format!("{address} can't be read: {cause}"),
            };
            return Check::fail(
                DOMAIN,
                detail,
                "Make the reverse proxy pass /MP_verify_*.txt to the gateway's public listener",
            );
        }
    }
    Check::ok(DOMAIN, format!("{host} serves its verification files")).advising(enter)
}

async fn read(http: &reqwest::Client, address: Url) -> Result<String, String> {
    /// More than any such file contains.
    const LIMIT: usize = 1024;
    let words = |error: reqwest::Error| failures::cause(&error);
    let mut response = http.get(address).send().await.map_err(words)?;
    if !response.status().is_success() {
        return Err(format!("HTTP {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).trim_end().to_owned())
}
