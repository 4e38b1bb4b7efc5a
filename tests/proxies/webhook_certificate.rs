//! A receiver of webhooks whose certificate nobody vouches for gets nothing.

use std::{path::Path, process::Command};

use serde_json::Value;
use system_tests::{
    deadline::eventually,
    log_folder,
    nginx::{Nginx, free_port},
    stack::{Plan, Stack},
    webhook_receiver::{Receiver, SECRET},
};

/// Makes a certificate for 127.0.0.1 that only those trust who are told to.
fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        // Rustls takes no authority for a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");
}

async fn report(stack: &Stack) -> Value {
    let reports = stack.internal("/v1/webhooks").await;
    reports["webhooks"][0].clone()
}

#[tokio::test]
async fn a_receiver_with_a_wrong_certificate_gets_nothing() {
    let log = log_folder::create();
    let receiver = Receiver::start().await;
    let port = free_port();
    certificate(&log);
    let folder = log.to_str().expect("its path is text");
    let inside = receiver.url().replace("/hook?key=1", "");
    let configuration = format!(
        "events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port} ssl; \
         ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; \
         location / {{ proxy_pass {inside}; }} }} }}"
    );
    let _nginx = Nginx::start("webhook-tls", &configuration, port, &log).await;
    let plan = || {
        Plan::default()
            .gateway(
                "GATEWAY__WEBHOOK__CRM__URL",
                &format!("https://127.0.0.1:{port}/hook"),
            )
            .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET)
    };
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let failed = eventually("it was tried", async || {
        let report = report(&stack).await;
        (report["failures"] != 0).then_some(report)
    })
    .await;
    assert_eq!(failed["lag_events"], 1);
    assert_eq!(receiver.deliveries().len(), 0);
    // With somebody who vouches for it, it gets what comes.
    let certificate = format!("{folder}/certificate.pem");
    let stack = plan().gateway("SSL_CERT_FILE", &certificate).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let delivered = receiver.first(1).await;
    assert_eq!(delivered[0].what().0, "member.followed");
}
