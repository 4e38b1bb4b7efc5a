//! The phone page's files and the stream it lives on.

use crate::api::NOWHERE;
use crate::process::Simulator;

/// The addresses of the page's own files in a document or module.
fn own_files(text: &str) -> Vec<&str> {
    let quoted = text.split(['"', '\'']);
    quoted.filter(|part| part.starts_with("/phone/")).collect()
}

#[tokio::test]
async fn every_file_of_the_page_is_served_and_nothing_comes_from_elsewhere() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let page = simulator.http.get(&simulator.address).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let page = page.text().await.unwrap();
    let files = own_files(&page);
    assert!(files.len() >= 9, "{files:?}");
    for file in files {
        let url = format!("{}{file}", simulator.address);
        assert_eq!(
            simulator.http.get(url).send().await.unwrap().status(),
            200,
            "{file}"
        );
    }
    let people = simulator.get("/simulator/people").await;
    let avatar = simulator
        .http
        .get(people[0]["avatar_url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(avatar.headers()["content-type"], "image/svg+xml");
}

#[tokio::test]
async fn the_stream_tells_of_a_new_code_and_ends_when_the_simulator_stops() {
    let simulator = Simulator::start(NOWHERE, &[]);
    let url = format!("{}/simulator/events", simulator.address);
    let mut stream = simulator.http.get(url).send().await.unwrap();
    simulator.code("login").await;
    let event = stream.chunk().await.unwrap().unwrap();
    assert_eq!(event, "data: {\"changed\":\"codes\"}\n\n");
    assert_eq!(simulator.stop(), Some(0));
    assert!(
        matches!(stream.chunk().await, Ok(None)),
        "the stream ends in order"
    );
}
