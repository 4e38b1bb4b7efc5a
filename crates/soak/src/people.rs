//! The people with a phone: followers of the account, known to the simulator.

use reqwest::Client;
use serde_json::{Value, json};

use crate::visitor;

/// Creates them and returns their openids.
pub(crate) async fn create(simulator: &str, count: usize) -> Result<Vec<String>, String> {
    let http = visitor::client()?;
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        people.push(create_one(&http, simulator, number).await?);
    }
    Ok(people)
}

async fn create_one(http: &Client, simulator: &str, number: usize) -> Result<String, String> {
    let wanted = json!({ "nickname": format!("用户 {number}"), "follows": true });
    let request = http
        .post(format!("{simulator}/simulator/people"))
        .json(&wanted);
    let created = async { request.send().await?.json::<Value>().await };
    let created = created
        .await
        .map_err(|error| format!("the simulator makes no person: {error}"))?;
    let openid = created["openid"].as_str();
    openid
        .map(str::to_owned)
        .ok_or_else(|| format!("no person: {created}"))
}
