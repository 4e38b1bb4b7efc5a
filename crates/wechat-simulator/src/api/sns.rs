//! `/sns`: what a page's server does with the code of a web authorisation.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use wechat_wire::web_authorization::WebAccessGranted;

use super::answer::{Refusal, acknowledged, refusal, success};
use super::gate::{check_secret, parameters};
use crate::people::Person;
use crate::web_authorization::access::{ExchangeError, Grant, Scope, TokenUse};
use crate::world::World;

/// The name of the virtual person in a snapshot.
const SNAPSHOT_NICKNAME: &str = "微信用户";

/// The members of every call; an absent one is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    appid: String,
    secret: String,
    code: String,
    grant_type: String,
    refresh_token: String,
    access_token: String,
    openid: String,
}

/// Nickname and avatar are real; sex and region have been empty since 2021-10-20.
#[derive(Serialize)]
struct Profile {
    openid: String,
    nickname: String,
    sex: u8,
    province: &'static str,
    city: &'static str,
    country: &'static str,
    headimgurl: String,
    privilege: [&'static str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

/// `GET /sns/oauth2/access_token`: a code for tokens, once.
pub(super) async fn access_token(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let parameters = parameters::<Parameters>(&request).unwrap_or_default();
    check_app_id(&world, &parameters.appid)?;
    if parameters.secret.is_empty() {
        return Err(refusal(41004));
    }
    check_secret(&world, &parameters.secret)?;
    if parameters.code.is_empty() {
        return Err(refusal(41008));
    }
    if parameters.grant_type != "authorization_code" {
        return Err(refusal(40002));
    }
    let setup = world.account.setup();
    let exchanged = world
        .web_access
        .exchange(&parameters.code, &setup, Timestamp::now());
    match exchanged {
        Ok(tokens) => Ok(granted(&world, tokens)),
        Err(ExchangeError::Unknown) => Err(refusal(40029)),
        Err(ExchangeError::Used) => Err(refusal(40163)),
        Err(ExchangeError::Expired) => Err(refusal(42003)),
    }
}

/// `GET /sns/oauth2/refresh_token`.
pub(super) async fn refresh_token(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let parameters = parameters::<Parameters>(&request).unwrap_or_default();
    check_app_id(&world, &parameters.appid)?;
    if parameters.grant_type != "refresh_token" {
        return Err(refusal(40002));
    }
    if parameters.refresh_token.is_empty() {
        return Err(refusal(41003));
    }
    let setup = world.account.setup();
    let refreshed = world
        .web_access
        .refresh(&parameters.refresh_token, &setup, Timestamp::now());
    match refreshed {
        Ok(tokens) => Ok(granted(&world, tokens)),
        Err(ExchangeError::Expired) => Err(refusal(42002)),
        Err(ExchangeError::Unknown | ExchangeError::Used) => Err(refusal(40030)),
    }
}

/// `GET /sns/auth`: whether an access token works for this person.
pub(super) async fn auth(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    authorized(&world, &request).map(|_| acknowledged())
}

/// `GET /sns/userinfo`: nickname and avatar.
pub(super) async fn user_info(
    world: Data<World>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (grant, person) = authorized(&world, &request)?;
    if grant.scope != Scope::UserInfo {
        return Err(refusal(48001));
    }
    let unionid = union_id(&grant, &person);
    let (nickname, headimgurl) = if grant.snapshot {
        (SNAPSHOT_NICKNAME.to_owned(), String::new())
    } else {
        let avatar = person.avatar_address(&world.public_url);
        (person.nickname, avatar)
    };
    Ok(success(&Profile {
        openid: grant.openid,
        nickname,
        sex: 0,
        province: "",
        city: "",
        country: "",
        headimgurl,
        privilege: [],
        unionid,
    }))
}

fn check_app_id(world: &World, app_id: &str) -> Result<(), Refusal> {
    if app_id.is_empty() {
        Err(refusal(41002))
    } else if app_id == world.account.credentials().app_id {
        Ok(())
    } else {
        Err(refusal(40013))
    }
}

fn authorized(world: &World, request: &HttpRequest) -> Result<(Grant, Person), Refusal> {
    let parameters = parameters::<Parameters>(request).unwrap_or_default();
    if parameters.access_token.is_empty() {
        return Err(refusal(41001));
    }
    if parameters.openid.is_empty() {
        return Err(refusal(41009));
    }
    let checked = world
        .web_access
        .check(&parameters.access_token, Timestamp::now());
    let grant = checked.map_err(|error| match error {
        ExchangeError::Expired => refusal(42001),
        ExchangeError::Unknown | ExchangeError::Used => refusal(40001),
    })?;
    let person = world.people.find(&grant.person);
    match person.filter(|_| grant.openid == parameters.openid) {
        Some(person) => Ok((grant, person)),
        None => Err(refusal(40003)),
    }
}

fn granted(world: &World, tokens: TokenUse) -> HttpResponse {
    let person = world.people.find(&tokens.grant.person);
    let unionid = person.and_then(|person| union_id(&tokens.grant, &person));
    success(&WebAccessGranted {
        access_token: Some(SecretString::from(tokens.access_token)),
        expires_in: Some(u64::from(tokens.expires_in)),
        refresh_token: Some(SecretString::from(tokens.refresh_token)),
        openid: tokens.grant.openid,
        scope: tokens.grant.scope.name().to_owned(),
        is_snapshotuser: tokens.grant.snapshot.then_some(1),
        unionid,
    })
}

/// Told with nickname and avatar only. The virtual person of a snapshot has a virtual one, made
/// from the openid so that it stays the same.
fn union_id(grant: &Grant, person: &Person) -> Option<String> {
    let real = person
        .unionid
        .clone()
        .filter(|_| grant.scope == Scope::UserInfo)?;
    Some(if grant.snapshot {
        grant.openid.chars().rev().collect()
    } else {
        real
    })
}
