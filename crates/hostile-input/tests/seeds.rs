//! The fuzzer's seeds, and every input that ever broke a property, as an ordinary test.

use std::{fs, path::Path};

use hostile_input::{api_answers, decryption, gateway_push, push, scene, settings};

/// Checks each file in the target's folder of seeds.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the target has seeds") {
        let path = entry.expect("the folder can be read").path();
        // Says which seed it was, if it breaks a property.
        eprintln!("{}", path.display());
        check(&fs::read(&path).expect("a seed can be read"));
        count += 1;
    }
    assert!(count >= 5, "{target} has {count} seeds only");
}

#[test]
fn pushes() {
    replay("push", push::check);
    replay("push", gateway_push::check);
}

#[test]
fn ciphertexts() {
    replay("ciphertext", decryption::check_ciphertext);
}

#[test]
fn plaintexts() {
    replay("plaintext", decryption::check_plaintext);
}

#[test]
fn scenes() {
    replay("scene", scene::check);
}

#[test]
fn settings_of_both_services() {
    replay("settings", settings::check);
}

#[test]
fn api_answers_of_wechat() {
    replay("api_answer", api_answers::check);
}
