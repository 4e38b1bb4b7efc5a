//! The pages of `docs/integrations`, followed literally with the real software: a real browser, and
//! the simulator's phone. And Traefik, which isn't Debian's; and the receiver of webhooks.

mod bed;
mod page;
mod traefik;
mod webhook;

use bed::Bed;
use page::variables;
use reqwest::Method;
use system_tests::{deadline::PATIENCE, stack::API_KEY};

/// The owner ends all of the person's sessions.
async fn end_sessions(bed: &Bed) {
    let http = service_kit::http_client::build(PATIENCE).expect("a client");
    let gateway = &bed.stack.gateways[0].internal;
    let url = format!("{gateway}/v1/members/{}/sessions", bed.person.openid);
    let call = http.request(Method::DELETE, url).bearer_auth(API_KEY);
    let answer = call.send().await.expect("the gateway answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}

/// Opens the page again until it shows this.
async fn comes_to_show(bed: &Bed, path: &str, expression: &str) {
    system_tests::deadline::eventually(expression, async || {
        bed.browser.visit(&format!("{}{path}", bed.url)).await;
        (bed.browser.value(expression).await == true).then_some(())
    })
    .await;
}

#[tokio::test]
async fn apache_with_mod_auth_openidc() {
    let mut bed = Bed::of("mod_auth_openidc", "https://wiki.example.com").await;
    bed.write_files();
    bed.write("bye.html", "<meta charset=utf-8><p>再见</p>");
    let page = "<meta charset=utf-8><p>你好 <!--#echo var=\"OIDC_CLAIM_name\" -->, \
                <!--#echo var=\"REMOTE_USER\" --></p>";
    bed.write("index.shtml", &format!("{page}{}", bed.file("logout.html")));
    let folder = bed.folder.display();
    let modules: Vec<String> = [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "auth_openidc",
        "dir",
        "mime",
        "include",
        "socache_shmcb",
    ]
    .iter()
    .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
    .collect();
    let modules = modules.concat();
    let server = format!(
        "ServerRoot {folder}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {folder}/pid\n\
         DefaultRuntimeDir {folder}\nErrorLog /dev/stderr\nDocumentRoot {folder}\n{modules}\
         DirectoryIndex index.shtml\nAddType text/html .html .shtml\nAddOutputFilter INCLUDES .shtml\n\
         Mutex file:{folder}\nTypesConfig /dev/null\n<Directory {folder}>\nOptions +Includes\n</Directory>\n\
         Include {folder}/wiki.conf\n",
        port = bed.port()
    );
    bed.write("httpd.conf", &server);
    let configuration = bed.folder.join("httpd.conf").display().to_string();
    let command = ["/usr/sbin/apache2", "-X", "-f", &configuration];
    bed.start(&command, &[]).await;
    bed.browser.visit(&bed.url).await;
    bed.scan().await;
    bed.shows("你好 小林").await;
    bed.browser.click("document.querySelector('#out')").await;
    bed.shows("再见").await;
    // Ended elsewhere, ended here.
    bed.browser.visit(&bed.url).await;
    bed.scan().await;
    bed.shows("你好 小林").await;
    end_sessions(&bed).await;
    comes_to_show(&bed, "/", "document.querySelector('#login') !== null").await;
}

#[tokio::test]
async fn jupyterhub_with_oauthenticator() {
    let mut bed = Bed::of("jupyterhub", "https://hub.example.com").await;
    let [proxy, hub] = [(); 2].map(|()| system_tests::nginx::free_port());
    let around = format!(
        "c.JupyterHub.bind_url = 'http://127.0.0.1:{port}'\n\
         c.JupyterHub.hub_bind_url = 'http://127.0.0.1:{hub}'\n\
         c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{proxy}'\n\
         c.ConfigurableHTTPProxy.command = ['{}']\n\
         c.JupyterHub.default_url = '/hub/home'\n\
         c.JupyterHub.spawner_class = 'simple'\n",
        Bed::program("node/node_modules/.bin/configurable-http-proxy"),
        port = bed.port(),
    );
    let page = bed.file("jupyterhub_config.py");
    bed.write("jupyterhub_config.py", &format!("{page}{around}"));
    let program = Bed::program("python/bin/jupyterhub");
    bed.start(&[&program], &[]).await;
    // The proxy listens before the hub does.
    let link = "document.querySelector('a.btn-jupyter') !== null";
    comes_to_show(&bed, "/hub/", link).await;
    bed.browser
        .click("document.querySelector('a.btn-jupyter')")
        .await;
    bed.scan().await;
    bed.shows("wx_").await;
}

#[tokio::test]
async fn django_with_mozilla_django_oidc() {
    let mut bed = Bed::of("django", "https://shop.example.com").await;
    let python = Bed::program("python/bin/python");
    let made = std::process::Command::new(&python)
        .args(["-m", "django", "startproject", "mysite", "."])
        .current_dir(&bed.folder)
        .status();
    assert!(made.expect("Python runs").success());
    let fresh = std::fs::read_to_string(bed.folder.join("mysite/settings.py"));
    let fresh = fresh.expect("a project was made");
    let mut settings = fresh.replace("'DIRS': []", "'DIRS': [BASE_DIR / 'templates']");
    assert_ne!(fresh, settings);
    settings += &bed.file("settings.py");
    bed.write("mysite/settings.py", &settings);
    for name in ["wechat.py", "urls.py"] {
        bed.write(&format!("mysite/{name}"), &bed.file(name));
    }
    bed.write("templates/home.html", &bed.file("home.html"));
    let module = "mysite.settings".to_owned();
    let settings = [("DJANGO_SETTINGS_MODULE".to_owned(), module)];
    let run = format!(
        "{python} -m django migrate -v 0 --pythonpath . \
         && exec {python} -m django runserver --noreload --pythonpath . 127.0.0.1:{}",
        bed.port()
    );
    bed.start(&["sh", "-c", &run], &settings).await;
    bed.browser.visit(&bed.url).await;
    bed.browser.click("document.querySelector('#in')").await;
    bed.scan().await;
    bed.shows("小林").await;
    bed.browser.click("document.querySelector('#out')").await;
    bed.shows("微信登录").await;
    // The site's session has ended as well.
    bed.browser.click("document.querySelector('#in')").await;
    bed.scan().await;
    bed.shows("小林").await;
}

#[tokio::test]
async fn express_with_express_openid_connect() {
    let mut bed = Bed::of("express", "https://app.example.com").await;
    bed.write_files();
    bed.start(&["node", "server.js"], &[]).await;
    bed.browser.visit(&format!("{}/me", bed.url)).await;
    bed.scan().await;
    bed.shows("小林").await;
    bed.browser.visit(&format!("{}/logout", bed.url)).await;
    bed.shows("没有登录").await;
    bed.browser.visit(&format!("{}/me", bed.url)).await;
    bed.scan().await;
    bed.shows("小林").await;
    end_sessions(&bed).await;
    comes_to_show(&bed, "/", "document.body.innerText === '没有登录'").await;
}

#[tokio::test]
async fn node_with_openid_client() {
    let mut bed = Bed::of("openid-client", "https://app.example.com").await;
    bed.write_files();
    bed.start(&["node", "server.mjs"], &[]).await;
    bed.browser.visit(&format!("{}/login", bed.url)).await;
    bed.scan().await;
    bed.shows("小林").await;
}

#[tokio::test]
async fn next_with_next_auth() {
    let mut bed = Bed::of("next-auth", "https://app.example.com").await;
    bed.write_files();
    let mut environment = variables(&bed.file("app.env"));
    environment.push(("NEXT_TELEMETRY_DISABLED".to_owned(), "1".to_owned()));
    let port = bed.port().to_string();
    let next = Bed::program("node/node_modules/.bin/next");
    bed.start(
        &[&next, "dev", "-H", "127.0.0.1", "-p", &port],
        &environment,
    )
    .await;
    bed.browser.visit(&bed.url).await;
    bed.browser.click("document.querySelector('#in')").await;
    bed.scan().await;
    bed.shows("小林").await;
    bed.browser.click("document.querySelector('#out')").await;
    bed.shows("微信登录").await;
}

#[tokio::test]
async fn a_single_page_with_oidc_client_ts() {
    let mut bed = Bed::of("oidc-client-ts", "https://app.example.com").await;
    bed.write_files();
    let script =
        Bed::program("node/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    let script = std::fs::read_to_string(script).expect("it was installed");
    bed.write("oidc-client-ts.min.js", &script);
    let port = bed.port().to_string();
    let server = [
        "/usr/bin/python3",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        &port,
    ];
    bed.start(&server, &[]).await;
    bed.browser.visit(&bed.url).await;
    bed.browser
        .click("document.querySelector('#in:not([hidden])')")
        .await;
    bed.scan().await;
    bed.shows("小林").await;
    bed.browser.click("document.querySelector('#out')").await;
    bed.shows("微信登录").await;
}
