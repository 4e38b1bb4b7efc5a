//! Whether the gateway can do its work: Redis answers, and at least one account holds an access
//! token. An account that can't is named, and keeps no other one from being served.

use std::{collections::BTreeMap, sync::Arc};

use login_protocol::problem::ProblemCode;
use service_kit::{
    essentials::Essentials,
    operations::{Readiness, Remarks},
};

use crate::accounts::{Account, Accounts};

/// What `/readyz` asks.
pub(crate) fn readiness(essentials: Essentials, accounts: Accounts) -> Readiness {
    let essentials = Arc::new(essentials);
    Arc::new(move || {
        let (essentials, accounts) = (Arc::clone(&essentials), accounts.clone());
        Box::pin(async move {
            let by_redis = essentials.check().await?;
            let mut missing = Vec::new();
            let mut ready = None;
            for account in accounts.iter() {
                match account.tokens.held() {
                    Ok(()) => ready = Some(account),
                    Err(why) => missing.push(in_account(account, why)),
                }
            }
            let Some(account) = ready else {
                return Err((ProblemCode::WechatUnavailable, missing.join(" ")));
            };
            // WeChat's clock is one for all accounts.
            account
                .api
                .clock_complaint(by_redis)
                .map_or(Ok(()), |wrong| Err((ProblemCode::NotReady, wrong)))
        })
    })
}

/// What `/readyz` says beside "ready": how each of several accounts stands, and that a day's codes
/// run short. Without a code left, logins are still possible: scans of codes that are already
/// shown, and browsers inside WeChat.
pub(crate) fn remarks(accounts: Accounts) -> Remarks {
    Arc::new(move || {
        let accounts = accounts.clone();
        Box::pin(async move {
            let mut remarks = serde_json::Map::new();
            let mut warnings = Vec::new();
            for account in accounts.iter() {
                let used_up = account.code_budget.remark().await;
                let refused = account.login_prompts.refusals.remark();
                let remarks = used_up.into_iter().chain(refused);
                warnings.extend(remarks.map(|remark| in_account(account, remark)));
            }
            if !warnings.is_empty() {
                remarks.insert("warning".to_owned(), warnings.join("; ").into());
            }
            if accounts.iter().count() > 1 {
                let standing: BTreeMap<&str, String> = accounts
                    .iter()
                    .map(|account| (account.name.as_str(), standing(account)))
                    .collect();
                remarks.insert("accounts".to_owned(), serde_json::json!(standing));
            }
            remarks
        })
    })
}

fn standing(account: &Account) -> String {
    account
        .tokens
        .held()
        .err()
        .unwrap_or_else(|| "ready".to_owned())
}

fn in_account(account: &Account, text: String) -> String {
    match account.name.in_log() {
        Some(name) => format!("{name}: {text}"),
        None => text,
    }
}
