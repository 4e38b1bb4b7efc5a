//! Links that are opened on the phone through the control API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::NOWHERE;
use crate::page_server::PageServer;
use crate::process::Simulator;
use crate::web_authorization::{authorize_url, open};

fn start_link(simulator: &Simulator, pages: &PageServer) -> String {
    let return_to = format!("{}/return", pages.address);
    let to = authorize_url(simulator, &return_to, "snsapi_userinfo");
    let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
    format!("{}/start?a=1&amp;to={to}", pages.address)
}

async fn refused(simulator: &Simulator, person: &Value, link: Value) -> (u16, String) {
    let path = format!("/simulator/people/{}/open", person["id"].as_str().unwrap());
    let response = simulator.send(Method::POST, &path, link).await;
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_phone_follows_a_link_to_its_last_page_and_presses_the_button() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let pages = PageServer::start();
    let person = simulator.person(true).await;
    let link = start_link(&simulator, &pages);
    let page = open(&simulator, &person, json!({ "url": link })).await;
    assert_eq!(page["status"], 200, "{page}");
    assert_eq!(page["url"], format!("{}/page", pages.address));
    assert_eq!(page["submitted"], false);
    let redirects = page["redirects"].as_array().unwrap();
    assert_eq!(redirects.len(), 3, "{redirects:?}");
    assert!(redirects[1].as_str().unwrap().contains("/connect/oauth2/"));
    let seen = pages.seen();
    assert!(
        seen.iter()
            .all(|seen| seen.user_agent.contains("MicroMessenger/8.0.60"))
    );

    let confirm = json!({ "url": link, "form": { "decision": "confirm" } });
    let done = open(&simulator, &person, confirm).await;
    assert_eq!(
        (&done["body"], &done["submitted"]),
        (&json!("done"), &json!(true))
    );
    let seen = pages.seen();
    let post = seen.iter().find(|seen| seen.method == "POST").unwrap();
    assert_eq!(post.body, "ticket=T&decision=confirm");
    assert_eq!(post.origin.as_deref(), Some("null"));

    let other = json!({ "url": link, "form": { "decision": "other" } });
    assert_eq!(
        refused(&simulator, &person, other).await,
        (409, "no_such_button".to_owned())
    );
    let formless = format!("{}/done", pages.address);
    let formless = json!({ "url": formless, "form": { "decision": "confirm" } });
    let page = open(&simulator, &person, formless).await;
    assert_eq!(
        (&page["body"], &page["submitted"]),
        (&json!("done"), &json!(false))
    );
}

#[tokio::test]
async fn a_code_can_be_kept_on_its_way() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let pages = PageServer::start();
    let person = simulator.person(true).await;
    let link = json!({ "url": start_link(&simulator, &pages), "load_return": false });
    let page = open(&simulator, &person, link).await;
    let address = page["url"].as_str().expect("there is an address");
    let back = format!("{}/return?", pages.address);
    assert!(
        address.starts_with(&back) && address.contains("code="),
        "{page}"
    );
    assert_eq!((&page["status"], &page["body"]), (&json!(0), &json!("")));
    assert!(pages.codes().is_empty(), "nobody was told the code");
}

#[tokio::test]
async fn each_person_has_cookies_of_their_own() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let pages = PageServer::start();
    let person = simulator.person(true).await;
    let other = simulator.person(true).await;
    open(
        &simulator,
        &person,
        json!({ "url": start_link(&simulator, &pages) }),
    )
    .await;
    let page = json!({ "url": format!("{}/page", pages.address) });
    assert_eq!(open(&simulator, &person, page.clone()).await["status"], 200);
    assert_eq!(open(&simulator, &other, page).await["status"], 403);
}

#[tokio::test]
async fn the_return_address_is_called_twice_with_the_same_code() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let pages = PageServer::start();
    let settings = json!({ "double_callback": true });
    simulator.put("/simulator/settings", settings).await;
    let person = simulator.person(true).await;
    let link = start_link(&simulator, &pages);
    let page = open(&simulator, &person, json!({ "url": link })).await;
    assert_eq!(page["status"], 200);
    let codes = pages.codes();
    assert_eq!(codes.len(), 2);
    assert_eq!(codes[0], codes[1]);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_refused() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let pages = PageServer::start();
    let person = simulator.person(true).await;
    let rows = [
        (format!("{}/loop", pages.address), 502, "too_many_redirects"),
        (NOWHERE.to_owned(), 502, "unreachable"),
        ("javascript:alert(1)".to_owned(), 400, "invalid_request"),
    ];
    for (url, status, code) in rows {
        let refused = refused(&simulator, &person, json!({ "url": url })).await;
        assert_eq!(refused, (status, code.to_owned()), "{url}");
    }
}
