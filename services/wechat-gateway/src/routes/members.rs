//! `/v1/members`: who has met an account.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Bytes, Path, Query},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::stream;
use login_protocol::{identity::OpenId, problem::ProblemCode, steps::MemberPlace};
use serde::Deserialize;
use serde_json::json;
use service_kit::{problem::Problem, redis::StoreError};

use super::{account::AccountInQuery, actor::Caller, problems};

/// How many members at most, where the request doesn't say.
const LIMIT: usize = 100;

/// How many members an export reads at once.
const EXPORTED_AT_ONCE: usize = 500;

/// The parameters of the list.
#[derive(Deserialize)]
pub(super) struct Asked {
    cursor: Option<String>,
    limit: Option<usize>,
    subscribed: Option<bool>,
}

/// `GET /v1/members/{openid}`: reads a stored member.
pub(super) async fn read(
    openid: Path<String>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let member = account.members.find(&openid).await?;
    let member = member.ok_or_else(problems::unknown_member)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(member))
}

/// `GET /v1/members`: a page of them, newest first.
pub(super) async fn list(
    asked: Query<Asked>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=1000).contains(&limit) {
        let detail = "`limit` is 1 to 1000.";
        return Err(Problem::new(ProblemCode::InvalidRequest, detail));
    }
    let cursor = asked.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let before = cursor.map(|cursor| read_cursor(cursor).ok_or_else(not_a_cursor));
    let page = account
        .members
        .page(before.transpose()?, limit, asked.subscribed)
        .await?;
    let next = page.next.as_ref().map(cursor_of);
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "members": page.members, "next_cursor": next })))
}

/// `GET /v1/members/export`: all of them, a line of JSON each.
pub(super) async fn export(
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    account.members.note_export(&caller).await?;
    let account = account.shared();
    let lines = stream::try_unfold(Some(None), move |before| {
        let account = Arc::clone(&account);
        async move {
            let Some(before) = before else {
                return Ok::<_, StoreError>(None);
            };
            let members = &account.members;
            let page = members.page(before, EXPORTED_AT_ONCE, None).await?;
            let mut text = String::new();
            for member in &page.members {
                text.push_str(&serde_json::to_string(member).unwrap_or_default());
                text.push('\n');
            }
            Ok(Some((Bytes::from(text), page.next.map(Some))))
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(lines)))
}

/// `DELETE /v1/members/{openid}`: erases somebody.
pub(super) async fn erase(
    openid: Path<String>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    if account.members.erase(&openid, &caller).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(problems::unknown_member())
    }
}

/// `PUT /v1/members/{openid}/ban`: bans somebody.
pub(super) async fn ban(
    openid: Path<String>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let openid = openid_of(&openid)?;
    account.members.ban(openid, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /v1/members/{openid}/ban`: lets somebody in again.
pub(super) async fn lift_ban(
    openid: Path<String>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let openid = openid_of(&openid)?;
    account.members.lift_ban(openid, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Nobody has an OpenID that can't be one.
fn openid_of(text: &str) -> Result<OpenId, Problem> {
    OpenId::parse(text).map_err(|_| problems::unknown_member())
}

fn cursor_of(place: &MemberPlace) -> String {
    URL_SAFE_NO_PAD.encode(place.to_text())
}

fn read_cursor(cursor: &str) -> Option<MemberPlace> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    MemberPlace::parse(std::str::from_utf8(&text).ok()?)
}

fn not_a_cursor() -> Problem {
    let detail = "`cursor` has to be a `next_cursor` that was answered.";
    Problem::new(ProblemCode::InvalidRequest, detail)
}
