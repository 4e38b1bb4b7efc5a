//! Which account a request is for.

use std::{
    future::{Ready, ready},
    ops::Deref,
    sync::Arc,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use login_protocol::{account::AccountName, problem::ProblemCode};
use service_kit::problem::Problem;
use url::form_urlencoded;
use utoipa::{
    IntoParams,
    openapi::{
        Ref, Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use crate::accounts::{Account, Accounts};

/// The parameter of a path, and of a query, that names an account.
pub(super) const PARAMETER: &str = "account";

/// The account in whose part of the paths a page or the callback is.
pub(super) struct AccountInPath(Arc<Account>);

/// The account that `?account=` names; without it the one that needs no name.
pub(super) struct AccountInQuery(Arc<Account>);

impl Deref for AccountInPath {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl Deref for AccountInQuery {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl AccountInQuery {
    /// The account itself, for what outlives the request.
    pub(super) fn shared(self) -> Arc<Account> {
        self.0
    }
}

impl IntoParams for AccountInQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name(PARAMETER)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some("Whose; by default the account `default`"))
            .schema(Some(Ref::from_schema_name("AccountName")));
        vec![parameter.build()]
    }
}

impl FromRequest for AccountInPath {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(in_path(request).map(Self).ok_or_else(unknown))
    }
}

impl FromRequest for AccountInQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut query = form_urlencoded::parse(request.query_string().as_bytes());
        let name = match query.find(|(name, _)| name == PARAMETER) {
            Some((_, name)) => AccountName::parse(&name).ok(),
            None => Some(AccountName::default()),
        };
        let account = name.and_then(|name| served(request, &name));
        ready(account.map(Self).ok_or_else(unknown))
    }
}

/// The account whose part of the paths this is; `None` if the gateway serves none of this name.
/// Only accounts that are served may be told from each other in metrics: anybody can make up names.
pub(super) fn in_path(request: &HttpRequest) -> Option<Arc<Account>> {
    let name = match request.match_info().get(PARAMETER) {
        Some(name) => AccountName::parse(name).ok()?,
        None => AccountName::default(),
    };
    served(request, &name)
}

/// The account that a body names.
///
/// # Errors
///
/// The gateway serves none of this name.
pub(super) fn in_body(accounts: &Accounts, name: &AccountName) -> Result<Arc<Account>, Problem> {
    accounts.named(name).cloned().ok_or_else(unknown)
}

fn served(request: &HttpRequest, name: &AccountName) -> Option<Arc<Account>> {
    let accounts = request.app_data::<Data<Accounts>>()?;
    accounts.named(name).cloned()
}

pub(super) fn unknown() -> Problem {
    let detail = "The gateway serves no account of this name.";
    Problem::new(ProblemCode::UnknownAccount, detail)
}
