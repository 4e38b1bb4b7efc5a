//! Starts the simulator on a free port and speaks its control API.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

pub(crate) const APP_ID: &str = "wxabb8e5e80f591861";
pub(crate) const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "GreedIsGood";
pub(crate) const AES_KEY: &str = "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6";

/// A running simulator; it ends with this value.
pub(crate) struct Simulator {
    process: Child,
    pub(crate) address: String,
    pub(crate) http: Client,
}

impl Simulator {
    /// Starts one that pushes to `callback`.
    pub(crate) fn start(callback: &str, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_wechat-simulator"))
            .env_clear()
            .env("SIMULATOR__PUBLIC__BIND", "127.0.0.1:0")
            .env("SIMULATOR__CALLBACK__URL", callback)
            .env("SIMULATOR__WECHAT__APP_ID", APP_ID)
            .env("SIMULATOR__WECHAT__APP_SECRET", APP_SECRET)
            .env("SIMULATOR__WECHAT__TOKEN", TOKEN)
            .env("SIMULATOR__PUSH__INTERVAL_MS", "0")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let ready = line.trim().strip_prefix("wechat-simulator ready ");
        let address = ready
            .unwrap_or_else(|| panic!("not ready: {line:?}"))
            .to_owned();
        let http = service_kit::http_client::build(Duration::from_secs(30)).unwrap();
        Self {
            process,
            address,
            http,
        }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.address));
        request.json(&body).send().await.unwrap()
    }

    /// A POST that must succeed; the body is JSON or nothing.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let response = self.send(Method::POST, path, body).await;
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null)
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        let response = self.send(Method::PUT, path, body).await;
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        response.json().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self
            .http
            .get(format!("{}{path}", self.address))
            .send()
            .await
            .unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        response.json().await.unwrap()
    }

    pub(crate) async fn access_token(&self) -> String {
        let body = json!({
            "grant_type": "client_credential",
            "appid": APP_ID,
            "secret": APP_SECRET,
        });
        let granted = self.post("/cgi-bin/stable_token", body).await;
        granted["access_token"].as_str().unwrap().to_owned()
    }

    /// Creates a code for a string scene and returns WeChat's answer.
    pub(crate) async fn code(&self, scene: &str) -> Value {
        let path = format!(
            "/cgi-bin/qrcode/create?access_token={}",
            self.access_token().await
        );
        let body = json!({
            "expire_seconds": 300,
            "action_name": "QR_STR_SCENE",
            "action_info": { "scene": { "scene_str": scene } },
        });
        self.post(&path, body).await
    }

    pub(crate) async fn person(&self, follows: bool) -> Value {
        self.post(
            "/simulator/people",
            json!({ "nickname": "小林", "follows": follows }),
        )
        .await
    }

    /// Asks the process to stop and returns its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.process.wait().unwrap().code()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _status = self.process.wait();
    }
}
