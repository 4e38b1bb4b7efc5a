//! `/v1/members`: who has met an account.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Bytes, Path, Query},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::stream;
use login_protocol::{
    gateway_api, identity::OpenId, member::StoredMember, problem::ProblemCode, steps::MemberPlace,
};
use serde::{Deserialize, Serialize};
use service_kit::{api_description::Problems, problem::Problem, redis::StoreError};
use utoipa::{IntoParams, ToSchema};

use super::{account::AccountInQuery, actor::Caller, problems};

/// How many members at most, where the request doesn't say.
const LIMIT: usize = 100;

/// How many members an export reads at once.
const EXPORTED_AT_ONCE: usize = 500;

/// The parameters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// Only those who follow the account, or who don't.
    subscribed: Option<bool>,
}

/// A page of members.
#[derive(Serialize, ToSchema)]
#[schema(as = Members)]
pub(super) struct Listed {
    /// With `subscribed` there may be fewer than `limit`.
    members: Vec<StoredMember>,
    /// Null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// `GET /v1/members/{openid}`: reads a stored member.
#[utoipa::path(
    get,
    path = gateway_api::MEMBER,
    tag = "members",
    summary = "A stored member",
    params(("openid" = String, Path, description = "A person towards the account"), AccountInQuery),
    responses(
        (status = 200, description = "The member", body = StoredMember),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
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
#[utoipa::path(
    get,
    path = gateway_api::MEMBERS,
    tag = "members",
    summary = "The members, page by page, newest first",
    params(Asked, AccountInQuery),
    responses(
        (status = 200, description = "A page", body = Listed),
        Problems<400>,
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
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
    let listed = Listed {
        next_cursor: page.next.as_ref().map(cursor_of),
        members: page.members,
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(listed))
}

/// `GET /v1/members/export`: all of them, a line of JSON each.
#[utoipa::path(
    get,
    path = gateway_api::MEMBERS_EXPORT,
    tag = "members",
    summary = "All members, a line of JSON each, newest first",
    params(AccountInQuery),
    responses(
        (status = 200, description = "The members", body = String, content_type = "application/x-ndjson"),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
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
#[utoipa::path(
    delete,
    path = gateway_api::MEMBER,
    tag = "members",
    summary = "Erase a person: the record, the subject, sessions, open logins and events. A ban stays, as a keyed hash",
    params(("openid" = String, Path, description = "A person towards the account"), AccountInQuery),
    responses(
        (status = 204, description = "Erased"),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
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
#[utoipa::path(
    put,
    path = gateway_api::MEMBER_BAN,
    tag = "members",
    summary = "Ban a person, known or not, at this account: signed out everywhere at once, open logins are denied",
    params(("openid" = String, Path, description = "A person towards the account"), AccountInQuery),
    responses(
        (status = 204, description = "Banned"),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
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
#[utoipa::path(
    delete,
    path = gateway_api::MEMBER_BAN,
    tag = "members",
    summary = "Let a person in again",
    params(("openid" = String, Path, description = "A person towards the account"), AccountInQuery),
    responses(
        (status = 204, description = "Not banned"),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
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
