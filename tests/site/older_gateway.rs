//! A site of this version beside a gateway of one before.

use login_protocol::{
    account::AccountName,
    attempt::Approval,
    scene::{BrowserSecret, Scene},
    steps::RecordScan,
};
use reqwest::Method;
use service_kit::redis::Store;
use system_tests::{attempts, stack::Plan, visitor::Visitor};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::web_authorization::assert_goes_on;

/// Between the site and a gateway, and refuses as one that doesn't know how many logins a client
/// has begun. Returns its address.
async fn older(gateway: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    let gateway = gateway.replace("http://", "");
    tokio::spawn(async move {
        while let Ok((mut site, _)) = listener.accept().await {
            let gateway = gateway.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let mut length = 0;
                // The site sends head and body at once or one after the other.
                while !request[..length].ends_with(b"}") {
                    match site.read(&mut request[length..]).await {
                        Ok(0) | Err(_) => return,
                        Ok(read) => length += read,
                    }
                }
                let text = String::from_utf8_lossy(&request[..length]);
                if text.contains("client_logins") {
                    let refusal = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                    // Whoever hung up has no use for it.
                    let _ = site.write_all(refusal.as_bytes()).await;
                    return;
                }
                let alone = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
                let mut to_gateway = TcpStream::connect(&gateway).await.expect("it listens");
                let sent = to_gateway.write_all(alone.as_bytes()).await;
                sent.expect("it reads");
                let _ = copy_bidirectional(&mut site, &mut to_gateway).await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn who_has_begun_many_logins_gets_a_code_from_a_gateway_that_knows_no_difference() {
    let first = Plan::default().sites(0).start().await;
    let between = older(&first.gateways[0].internal).await;
    let stack = Plan::default()
        .gateways(0)
        .site("SITE__GATEWAY__URL", &between)
        .start()
        .await;
    for number in 0..8 {
        let mut visitor = Visitor::new(&stack.sites[0].public);
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, 201, "{number}: {}", answer.text);
    }
}

/// Answers as a gateway whose neighbour, of another version, is just confirming the attempt with
/// the same code. Returns its address.
async fn beside_another(confirm: RecordScan, store: Store) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    tokio::spawn(async move {
        let (mut site, _) = listener.accept().await.expect("the site comes");
        let mut request = vec![0; 16 * 1024];
        let mut length = 0;
        while !request[..length].ends_with(b"}") {
            length += site.read(&mut request[length..]).await.expect("it writes");
        }
        store.run(&confirm).await.expect("Redis is running");
        let problem = r#"{"code": "authorization_code_spent"}"#;
        let answer = format!(
            "HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{problem}",
            problem.len()
        );
        let answered = site.write_all(answer.as_bytes()).await;
        answered.expect("the site reads");
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_code_that_another_gateway_exchanged_logs_in_whoever_brought_it_twice() {
    let first = Plan::default().gateways(0).sites(0).start().await;
    let store = first.redis.store();
    let secret = BrowserSecret::from_random([7; 32]);
    let scene: Scene = secret.scene();
    attempts::open_again(&store, &scene, attempts::LIFETIME).await;
    let confirm = RecordScan {
        scene: scene.clone(),
        account: AccountName::default(),
        member: attempts::member(&attempts::new_openid()),
        approval: Approval::Scan,
    };
    let gateway = beside_another(confirm, first.redis.store()).await;
    let stack = Plan::default()
        .gateways(0)
        .site("SITE__GATEWAY__URL", &gateway)
        .redis(&first.redis.url())
        .start()
        .await;
    let mut visitor = Visitor::new(&stack.sites[0].public);
    let cookies = visitor.cookies();
    cookies.insert("wechat-login".to_owned(), secret.expose());
    let state = scene.authorization_state();
    let callback = format!("/login/wechat?return_to=%2F&code=a&state={state}");
    let answer = visitor.call(Method::GET, &callback).await;
    assert_goes_on(&answer, "/#");
    assert!(visitor.session().await.is_some());
}
