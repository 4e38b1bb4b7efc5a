//! Every key name. Braces are Redis Cluster's hash tags: all that belongs to one attempt, member or
//! session lives in one slot.

use crate::{
    history::Hour,
    identity::{AppId, MemberId, OpenId},
    scene::Scene,
    site::SiteId,
    subject::UnionDigest,
    webhook::WebhookName,
};

pub(crate) fn attempt(scene: &Scene) -> String {
    format!("wechat-login:attempt:{{{}}}", scene.as_str())
}

pub(crate) fn member(id: &MemberId) -> String {
    format!(
        "wechat-login:member:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

pub(crate) fn session(site: &SiteId, id_sha256: &str) -> String {
    format!("wechat-login:session:{{{}:{id_sha256}}}", site.as_str())
}

/// Which sessions somebody has, at all sites.
pub(crate) fn sessions(id: &MemberId) -> String {
    format!(
        "wechat-login:sessions:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

/// Where a version kept sessions that knew no sites.
pub(crate) fn older_session(id_sha256: &str) -> String {
    format!("wechat-login:session:{{{id_sha256}}}")
}

pub(crate) fn sessions_end_at(site: &SiteId, id: &MemberId) -> String {
    format!(
        "wechat-login:sessions-end:{{{}:{}:{}}}",
        site.as_str(),
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

/// A code that signs a browser in on another host.
pub(crate) fn return_code(site: &SiteId, code_sha256: &str) -> String {
    format!(
        "wechat-login:return-code:{{{}:{code_sha256}}}",
        site.as_str()
    )
}

/// The cookie of another host.
pub(crate) fn forward_auth(site: &SiteId, cookie_sha256: &str) -> String {
    format!(
        "wechat-login:forward-auth:{{{}:{cookie_sha256}}}",
        site.as_str()
    )
}

pub(crate) fn ticket(site: &SiteId, ticket_sha256: &str) -> String {
    format!("wechat-login:ticket:{{{}:{ticket_sha256}}}", site.as_str())
}

/// The end of somebody's sessions at all sites.
pub(crate) fn sessions_end(id: &MemberId) -> String {
    format!(
        "wechat-login:sessions-end:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

pub(crate) fn subject(id: &MemberId) -> String {
    format!(
        "wechat-login:subject:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

pub(crate) fn subject_of_union(union: &UnionDigest) -> String {
    format!("wechat-login:subject-of-union:{{{}}}", union.as_str())
}

pub(crate) fn access_token(app_id: &AppId) -> String {
    format!("wechat-login:access-token:{{{}}}", app_id.as_str())
}

pub(crate) fn access_token_lock(app_id: &AppId) -> String {
    format!("wechat-login:access-token-lock:{{{}}}", app_id.as_str())
}

pub(crate) fn forced_refreshes(app_id: &AppId) -> String {
    format!("wechat-login:access-token-forced:{{{}}}", app_id.as_str())
}

pub(crate) fn replaced_legacy_tokens(app_id: &AppId) -> String {
    format!("wechat-login:access-token-replaced:{{{}}}", app_id.as_str())
}

pub(crate) fn logins_begun(site: &SiteId, widest_net: std::net::IpAddr) -> String {
    format!(
        "wechat-login:logins-begun:{{{}:{widest_net}}}",
        site.as_str()
    )
}

pub(crate) fn spent_proof(site: &SiteId, challenge: &str) -> String {
    format!("wechat-login:spent-proof:{{{}:{challenge}}}", site.as_str())
}

pub(crate) fn codes_taken(app_id: &AppId, day: jiff::civil::Date) -> String {
    format!("wechat-login:codes-taken:{{{}:{day}}}", app_id.as_str())
}

pub(crate) fn refused_codes_of_attempt(scene: &Scene) -> String {
    format!("wechat-login:refused-codes:{{{}}}", scene.as_str())
}

pub(crate) fn refused_codes_of_client(client: std::net::IpAddr) -> String {
    format!("wechat-login:refused-codes-from:{{{client}}}")
}

pub(crate) fn confirmation(ticket: &str) -> String {
    format!("wechat-login:confirmation:{{{ticket}}}")
}

pub(crate) fn authorization_code(code_sha256: &str) -> String {
    format!("wechat-login:authorization-code:{{{code_sha256}}}")
}

pub(crate) fn events() -> String {
    "wechat-login:events".to_owned()
}

/// Whom an account's owner banned.
pub(crate) fn bans(app_id: &AppId) -> String {
    format!("wechat-login:bans:{{{}}}", app_id.as_str())
}

/// The attempts that somebody scanned lately.
pub(crate) fn attempts_of(id: &MemberId) -> String {
    format!(
        "wechat-login:attempts-of:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

/// How far a receiver of events is.
pub(crate) fn webhook(name: &WebhookName) -> String {
    format!("wechat-login:webhook:{{{name}}}")
}

/// The index of an account's members.
pub(crate) fn members(app_id: &AppId) -> String {
    format!("wechat-login:members:{{{}}}", app_id.as_str())
}

/// How far the move of an account's members to another account has got.
pub(crate) fn migration(from: &AppId, to: &AppId) -> String {
    format!(
        "wechat-login:member-migration:{{{}:{}}}",
        from.as_str(),
        to.as_str()
    )
}

/// How far the members of versions without an index have got into it.
pub(crate) fn member_indexing() -> String {
    "wechat-login:member-indexing".to_owned()
}

/// What the keys of all members match.
pub(crate) const MEMBERS: &str = "wechat-login:member:{*}";

/// Whose key it is, if it is a member's.
pub(crate) fn member_of(key: &str) -> Option<MemberId> {
    let named = key.strip_prefix("wechat-login:member:{")?;
    let (app_id, openid) = named.strip_suffix('}')?.split_once(':')?;
    Some(MemberId {
        app_id: AppId::parse(app_id).ok()?,
        openid: OpenId::parse(openid).ok()?,
    })
}

/// What was counted in an hour.
pub(crate) fn history(hour: Hour) -> String {
    format!("wechat-login:stats:{{{hour}}}")
}

/// A browser that is signed in to the owner's console.
pub(crate) fn console_session(id_sha256: &str) -> String {
    format!("wechat-login:console-session:{{{id_sha256}}}")
}

/// Sign-ins to the owner's console by the key that failed.
pub(crate) fn console_sign_ins(widest_net: std::net::IpAddr) -> String {
    format!("wechat-login:console-sign-ins:{{{widest_net}}}")
}

/// Codes to sign in to the owner's console that nobody confirmed.
pub(crate) fn console_codes(widest_net: std::net::IpAddr) -> String {
    format!("wechat-login:console-codes:{{{widest_net}}}")
}

pub(crate) fn write_probe(prober: &str) -> String {
    format!("wechat-login:ready-probe:{{{prober}}}")
}

pub(crate) fn digits_given(app_id: &AppId) -> String {
    format!("wechat-login:digits-given:{{{}}}", app_id.as_str())
}

pub(crate) fn digits(app_id: &AppId, digits: &str) -> String {
    format!("wechat-login:digits:{{{}:{digits}}}", app_id.as_str())
}

pub(crate) fn guesses(id: &MemberId) -> String {
    format!(
        "wechat-login:guesses:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

/// A code in the protocol of wechat-server.
pub(crate) fn compat_code(app_id: &AppId, code: &str) -> String {
    format!("wechat-login:compat-code:{{{}:{code}}}", app_id.as_str())
}

/// Codes of that protocol that a caller sent and that were nobody's.
pub(crate) fn wrong_compat_codes(caller: std::net::IpAddr) -> String {
    format!("wechat-login:wrong-compat-codes:{{{caller}}}")
}

pub(crate) fn oidc_signing_keys(site: &SiteId) -> String {
    format!("wechat-login:oidc-keys:{{{}}}", site.as_str())
}

pub(crate) fn oidc_request(site: &SiteId, id: &str) -> String {
    format!("wechat-login:oidc-request:{{{}:{id}}}", site.as_str())
}

pub(crate) fn oidc_grant(site: &SiteId, id: &str) -> String {
    format!("wechat-login:oidc-grant:{{{}:{id}}}", site.as_str())
}

pub(crate) fn oidc_session(site: &SiteId, session_sha256: &str) -> String {
    format!(
        "wechat-login:oidc-session:{{{}:{session_sha256}}}",
        site.as_str()
    )
}

/// What a person's logins at clients left, at all sites.
pub(crate) fn client_uses(id: &MemberId) -> String {
    format!(
        "wechat-login:client-uses:{{{}:{}}}",
        id.app_id.as_str(),
        id.openid.as_str()
    )
}

/// Sessions that ended, for the site to deal with.
pub(crate) fn oidc_endings(site: &SiteId) -> String {
    format!("wechat-login:oidc-endings:{{{}}}", site.as_str())
}

/// Logouts that a client is to hear of.
pub(crate) fn oidc_logouts(site: &SiteId, client: &str) -> String {
    format!("wechat-login:oidc-logouts:{{{}:{client}}}", site.as_str())
}
