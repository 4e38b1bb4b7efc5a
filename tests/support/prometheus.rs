//! A real Prometheus, with the rules and queries that `deploy/monitoring` holds.

use std::{fs, path::Path};

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    deadline::{PATIENCE, eventually},
    nginx::free_port,
    process::{self, Process},
};

/// A running Prometheus that scrapes once a second.
pub struct Prometheus {
    url: String,
    client: Client,
    _process: Process,
}

impl Prometheus {
    /// Starts one that scrapes these targets, each a job and an address, and evaluates these rules.
    pub async fn start(targets: &[(&str, &str)], rules: &str, log: &Path) -> Self {
        let folder = log.join("prometheus");
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::write(folder.join("alerts.yml"), rules).expect("it can be written");
        let jobs: Vec<Value> = targets
            .iter()
            .map(|(job, address)| {
                json!({ "job_name": job, "static_configs": [{ "targets": [address] }] })
            })
            .collect();
        // JSON is YAML.
        let configuration = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": ["alerts.yml"],
            "scrape_configs": jobs,
        });
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration.to_string()).expect("it can be written");
        let port = free_port();
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let process = process::start("prometheus", "prometheus", arguments, &[], log);
        let prometheus = Self {
            url: format!("http://127.0.0.1:{port}"),
            client: service_kit::http_client::build(PATIENCE).expect("a client can be made"),
            _process: process,
        };
        eventually("Prometheus is ready", async || {
            let answer = prometheus
                .client
                .get(prometheus.at("/-/ready"))
                .send()
                .await;
            answer
                .is_ok_and(|answer| answer.status().is_success())
                .then_some(())
        })
        .await;
        prometheus
    }

    /// The series that a query gives now.
    pub async fn query(&self, query: &str) -> Vec<Value> {
        let request = self.client.get(self.at("/api/v1/query"));
        let answer = request.query(&[("query", query)]).send().await;
        let text = answer.expect("Prometheus answers").text().await;
        let answer: Value = serde_json::from_str(&text.expect("it has a body")).expect("JSON");
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let series = answer["data"]["result"].as_array().cloned();
        // A number alone isn't wrapped in a series.
        series.expect("the result is a list")
    }

    /// Waits until this alert fires.
    pub async fn fires(&self, alert: &str) {
        let query = format!("ALERTS{{alertname={alert:?}, alertstate=\"firing\"}}");
        eventually(&format!("{alert} fires"), async || {
            (!self.query(&query).await.is_empty()).then_some(())
        })
        .await;
    }

    /// The alerts that fire now.
    pub async fn firing(&self) -> Vec<String> {
        let series = self.query("ALERTS{alertstate=\"firing\"}").await;
        let names = series
            .iter()
            .map(|alert| alert["metric"]["alertname"].to_string());
        names.collect()
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}
