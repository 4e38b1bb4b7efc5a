//! The shops in `examples/`, each in its language, driven in a real Chromium: somebody new, somebody
//! who is bound to an account that exists, an unfollow, signing out, a forged form.

mod frontend;
mod shop;
mod size;
mod static_page;
mod visit;

use std::process::Command;

use harness::folder::TemporaryFolder;

use crate::{
    frontend::Frontend,
    shop::{Shop, examples},
    visit::{forged_forms_are_refused, shop_of_users},
};

async fn is_a_shop(program: &str, arguments: &[&str]) {
    let shop = Shop::start(program, arguments).await;
    shop_of_users(&shop).await;
    forged_forms_are_refused(&shop).await;
}

#[tokio::test]
async fn a_shop_in_php() {
    let script = "{examples}/php/shop.php";
    is_a_shop("php", &["-S", "{address}", script]).await;
}

#[tokio::test]
async fn a_shop_in_python() {
    is_a_shop("/usr/bin/python3", &["{examples}/python/shop.py"]).await;
}

#[tokio::test]
async fn a_shop_in_java() {
    let classes = TemporaryFolder::create("classes").expect("a folder can be made");
    let folder = classes.path().to_str().expect("its path is text");
    let compiled = Command::new("javac")
        .args(["-encoding", "UTF-8", "-d", folder, "Shop.java", "Web.java"])
        .current_dir(examples().join("java"))
        .status()
        .expect("javac runs");
    assert!(compiled.success());
    is_a_shop("java", &["-Dfile.encoding=UTF-8", "-cp", folder, "Shop"]).await;
}

#[tokio::test]
async fn a_shop_in_node() {
    is_a_shop("node", &["{examples}/node/shop.js"]).await;
}

async fn is_a_page_of_the_shop(frontend: &Frontend) {
    let built = frontend.build();
    let script = ["{examples}/node/shop.js"];
    let shop = Shop::with_frontend("node", &script, Some(&built)).await;
    shop_of_users(&shop).await;
}

#[tokio::test]
async fn a_page_in_react() {
    let frontend = Frontend::new("react");
    frontend.check_types("tsc");
    is_a_page_of_the_shop(&frontend).await;
}

#[tokio::test]
async fn a_page_in_vue() {
    let frontend = Frontend::new("vue");
    frontend.check_types("vue-tsc");
    is_a_page_of_the_shop(&frontend).await;
}
