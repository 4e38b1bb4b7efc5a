//! What the services answer is what their descriptions say: schemathesis asks them all that the
//! descriptions allow, and what they don't.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use system_tests::{
    stack::{API_KEY, Plan, Service, Stack},
    webhook_receiver::SECRET,
};

const OIDC_SECRET: &str = "oidc-secret-of-more-than-32-characters";
const CLIENT_SECRET: &str = "client-secret-of-24-characters";

/// Where `cargo xtask api` installs schemathesis.
fn schemathesis() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("api-descriptions");
    let program = folder.join("python/bin/schemathesis");
    assert!(
        program.is_file(),
        "cargo xtask api installs what this needs"
    );
    program
}

/// Has schemathesis compare a listener with a description, by the rules of a file in this folder.
async fn compare(stack: &Stack, rules: &str, url: &str, description: &str) {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("api_descriptions")
        .join(rules);
    let mut command = Command::new(schemathesis());
    command
        .arg("--config-file")
        .arg(&rules)
        .args(["--no-color", "run", description, "--url", url])
        .env("API_KEY", API_KEY)
        // It keeps what it found where it runs.
        .current_dir(&stack.log);
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = run.await.expect("it ends").expect("it runs");
    let report = String::from_utf8_lossy(&output.stdout);
    fs::write(stack.log.join("schemathesis.txt"), report.as_bytes()).expect("it can be kept");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_gateways_internal_listener() {
    let picture = system_tests::log_folder::create().join("account.gif");
    fs::write(&picture, b"GIF89a\xae\x01\xae\x01").expect("a file can be written");
    let plan = Plan::default()
        .sites(0)
        .gateway("GATEWAY__WECHAT__QR_URL", picture.to_str().expect("UTF-8"))
        .gateway("GATEWAY__PUBLIC__URL", "http://localhost:8081")
        .gateway("GATEWAY__WEBHOOK__CRM__URL", "http://127.0.0.1:1/")
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET);
    let stack = plan.start().await;
    let url = stack.gateways[0].internal.clone();
    compare(&stack, "gateway.toml", &url, &format!("{url}/openapi.json")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_gateways_public_listener() {
    let stack = Plan::default().sites(0).account("shop").start().await;
    let Service {
        internal, public, ..
    } = &stack.gateways[0];
    let description = format!("{internal}/openapi-public.json");
    compare(&stack, "gateway-public.toml", public, &description).await;
}

/// A system with all doors of the site open.
async fn site() -> Stack {
    Plan::default()
        .gateway("GATEWAY__PUBLIC__URL", "http://localhost:8081")
        .site("SITE__INTERNAL__API_KEY", API_KEY)
        .site("SITE__LOGIN__METHOD", "auto,scan,code,page")
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .site("SITE__OIDC__SECRET", OIDC_SECRET)
        .site("SITE__CLIENT__WIKI__SECRET", CLIENT_SECRET)
        .site(
            "SITE__CLIENT__WIKI__REDIRECT_URIS",
            "https://wiki.example.com/callback",
        )
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_sites_public_listener() {
    let stack = site().await;
    let Service {
        internal, public, ..
    } = &stack.sites[0];
    let description = format!("{internal}/openapi-public.json");
    compare(&stack, "site-public.toml", public, &description).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_sites_internal_listener() {
    let stack = site().await;
    let internal = &stack.sites[0].internal;
    let description = format!("{internal}/openapi.json");
    compare(&stack, "site.toml", internal, &description).await;
}
