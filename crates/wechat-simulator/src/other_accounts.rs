//! Accounts beside the first one. Each is a world of its own, below `/account/<name>`: its people
//! have other openids there, and its tokens, codes, quotas and faults are nobody else's. What
//! WeChat finds by an AppID, a token or a ticket is sent there, so that all accounts share WeChat's
//! URLs.

use std::collections::BTreeMap;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorBadRequest;
use actix_web::http::Uri;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

use crate::world::World;

/// Where the other accounts' own paths begin.
pub(crate) const BELOW: &str = "/account";

/// WeChat's paths that a body finds the account for.
const BY_BODY: [&str; 2] = ["/cgi-bin/stable_token", "/cgi-bin/clear_quota/v2"];

/// WeChat's paths that a query finds the account for.
const BY_QUERY: [&str; 3] = ["/cgi-bin/", "/sns/", "/connect/"];

/// The other accounts, by name.
#[derive(Clone, Default)]
pub(crate) struct OtherAccounts(BTreeMap<String, Data<World>>);

#[derive(Deserialize)]
struct Named {
    appid: String,
}

impl OtherAccounts {
    /// Those of these worlds.
    pub(crate) fn new(worlds: BTreeMap<String, Data<World>>) -> Self {
        Self(worlds)
    }

    /// Each with its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Data<World>)> {
        self.0.iter().map(|(name, world)| (name.as_str(), world))
    }

    fn by_app_id(&self, app_id: &str) -> Option<&str> {
        let mut accounts = self.iter();
        let found = accounts.find(|(_, world)| world.account.credentials().app_id == app_id);
        found.map(|(name, _)| name)
    }

    /// The account that a query names, by what WeChat's parameters hold.
    fn by_query(&self, query: &str) -> Option<&str> {
        form_urlencoded::parse(query.as_bytes()).find_map(|(parameter, value)| {
            let found = match &*parameter {
                "appid" => return self.by_app_id(&value),
                "access_token" => self.iter().find(|(_, world)| {
                    let of_person = world.web_access.check(&value, Timestamp::now());
                    world.tokens.granted(&value) || of_person.is_ok()
                }),
                "ticket" => self
                    .iter()
                    .find(|(_, world)| world.codes.find(&value).is_some()),
                _ => None,
            };
            found.map(|(name, _)| name)
        })
    }
}

/// WeChat's own path of a request that was sent to an account.
pub(crate) fn wechats(path: &str) -> &str {
    let below = path
        .strip_prefix(BELOW)
        .and_then(|rest| rest.strip_prefix('/'));
    let rest = below.and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    rest.unwrap_or(path)
}

/// Sends a request to the account that it is about.
pub(crate) async fn dispatch(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let accounts = request.app_data::<Data<OtherAccounts>>().cloned();
    if let Some(accounts) = accounts {
        let path = request.path().to_owned();
        let name = if BY_BODY.contains(&path.as_str()) {
            let body = request.extract::<Bytes>().await?;
            let whole = body.clone();
            request.set_payload(Payload::Stream {
                payload: Box::pin(stream::once(async { Ok(whole) })),
            });
            let named: Option<Named> = serde_json::from_slice(&body).ok();
            named.and_then(|named| accounts.by_app_id(&named.appid).map(str::to_owned))
        } else if BY_QUERY.iter().any(|base| path.starts_with(base)) {
            accounts.by_query(request.query_string()).map(str::to_owned)
        } else {
            None
        };
        if let Some(name) = name {
            move_below(&mut request, &name)?;
        }
    }
    next.call(request).await
}

fn move_below(request: &mut ServiceRequest, name: &str) -> Result<(), Error> {
    let mut parts = request.uri().clone().into_parts();
    let rest = parts
        .path_and_query
        .as_ref()
        .map_or("/", |rest| rest.as_str());
    let moved = format!("{BELOW}/{name}{rest}").parse();
    parts.path_and_query = Some(moved.map_err(ErrorBadRequest)?);
    let uri = Uri::from_parts(parts).map_err(ErrorBadRequest)?;
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
    Ok(())
}
