//! The simulator's control API, as a test uses it.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;

use crate::{
    deadline::PATIENCE,
    process::{Process, Recipe},
};

/// A running simulator.
#[derive(Debug)]
pub struct Simulator {
    http: Client,
    url: String,
    /// None for one of several accounts, which share one.
    process: Option<Process>,
}

/// Somebody with a phone.
#[derive(Debug, Clone)]
pub struct Person {
    /// The simulator's own name for them.
    pub id: String,
    /// Their OpenID towards the account.
    pub openid: String,
    /// Their nickname.
    pub nickname: String,
}

impl Simulator {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It can't be started, or isn't ready in time, in words.
    pub async fn start(recipe: Recipe) -> Result<Self, String> {
        let process = Process::start(recipe).await?;
        let (line, _) = process.ready().unwrap_or_default();
        let url = line.rsplit(' ').next().unwrap_or_default().to_owned();
        let http = service_kit::http_client::build(PATIENCE).map_err(|error| error.to_string())?;
        Ok(Self {
            http,
            url,
            process: Some(process),
        })
    }

    /// The same for another account than the first one.
    #[must_use]
    pub fn account(&self, name: &str) -> Self {
        Self {
            http: self.http.clone(),
            url: format!("{}/account/{name}", self.url),
            process: None,
        }
    }

    /// Ends WeChat at once.
    pub fn kill(&mut self) {
        let process = self.process.as_mut();
        process.expect("the first account has the process").kill();
    }

    /// Its address, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a control request and returns the answer's body; anything but success panics.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .json(&body);
        let response = request.send().await.expect("the simulator answers");
        let status = response.status();
        let text = response.text().await.expect("the answer has a body");
        assert!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Creates somebody.
    pub async fn person(&self, nickname: &str, follows: bool) -> Person {
        let body = json!({ "nickname": nickname, "follows": follows, "country": "中国", "province": "浙江", "city": "杭州" });
        self.create(body).await
    }

    /// Creates a follower whose UnionID the account can tell.
    pub async fn person_of_union(&self, unionid: &str) -> Person {
        let body = json!({ "nickname": "小林", "follows": true, "unionid": unionid });
        self.create(body).await
    }

    /// Creates a follower whom the services know from an earlier simulator.
    pub async fn known_person(&self, nickname: &str, openid: &str) -> Person {
        let body = json!({ "nickname": nickname, "follows": true, "openid": openid });
        self.create(body).await
    }

    async fn create(&self, body: Value) -> Person {
        let person = self.control(Method::POST, "/simulator/people", body).await;
        let text = |member: &str| person[member].as_str().expect("a person has it").to_owned();
        Person {
            id: text("id"),
            openid: text("openid"),
            nickname: text("nickname"),
        }
    }

    /// They scan a code and wait until the account has answered, if anything was pushed.
    pub async fn scan(&self, person: &Person, content: &str) -> Value {
        self.act(person, "scan?wait=answered", json!({ "code": content }))
            .await
    }

    /// They follow the account and wait for its answer.
    pub async fn follow(&self, person: &Person) -> Value {
        self.act(person, "follow?wait=answered", json!({})).await
    }

    /// They unfollow the account and wait until it knows.
    pub async fn unfollow(&self, person: &Person) -> Value {
        self.act(person, "unfollow?wait=answered", json!({})).await
    }

    /// They send the account a message and wait for its answer.
    pub async fn message(&self, person: &Person, text: &str) -> Value {
        self.act(person, "message?wait=answered", json!({ "text": text }))
            .await
    }

    /// They open an address on their phone, allow what WeChat asks, and read the page where it
    /// ends.
    pub async fn open(&self, person: &Person, url: &str) -> Value {
        self.act(person, "open", json!({ "url": url })).await
    }

    /// They follow an address of web authorisation and allow it. Returns the address to which
    /// WeChat sends them back, with `code` and `state` in its query; their phone doesn't load it.
    pub async fn authorize(&self, person: &Person, authorize_url: &str) -> Url {
        let link = json!({ "url": authorize_url, "load_return": false });
        let page = self.act(person, "open", link).await;
        let back = page["url"].as_str().and_then(|url| Url::parse(url).ok());
        back.filter(|url| url.query_pairs().any(|(name, _)| name == "code"))
            .unwrap_or_else(|| panic!("no code: {page}"))
    }

    async fn act(&self, person: &Person, what: &str, body: Value) -> Value {
        let path = format!("/simulator/people/{}/{what}", person.id);
        self.control(Method::POST, &path, body).await
    }

    /// What stands in their chat with the account, oldest first.
    pub async fn chat(&self, person: &Person) -> Vec<String> {
        let chat = self
            .control(
                Method::GET,
                &format!("/simulator/people/{}/chat", person.id),
                Value::Null,
            )
            .await;
        let entries = chat.as_array().expect("a chat is a list");
        entries
            .iter()
            .map(|entry| entry["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// How often each of WeChat's calls was made.
    pub async fn calls(&self, path: &str) -> u64 {
        let calls = self
            .control(Method::GET, "/simulator/calls", Value::Null)
            .await;
        calls[path].as_u64().unwrap_or(0)
    }

    /// Replaces all faults.
    pub async fn faults(&self, faults: Value) {
        self.control(Method::PUT, "/simulator/faults", faults).await;
    }

    /// Changes how WeChat behaves.
    pub async fn settings(&self, settings: Value) {
        self.control(Method::PUT, "/simulator/settings", settings)
            .await;
    }
}
