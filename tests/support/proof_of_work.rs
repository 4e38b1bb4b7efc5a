//! A visitor's browser that does the work which the site asks for.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Meets a challenge, and returns it as the parameter `proof` has it, encoded for a query.
pub fn solve(challenge: &Value) -> String {
    encode(&proof_of(challenge))
}

/// The number that meets a challenge, with all that has to be sent beside it.
pub fn proof_of(challenge: &Value) -> Value {
    let text = |name: &str| challenge[name].as_str().expect("a text").to_owned();
    assert_eq!(challenge["algorithm"], "SHA-256");
    let (salt, wanted) = (text("salt"), text("challenge"));
    let most = challenge["maxnumber"].as_u64().expect("a number");
    let digest = |number: u64| {
        let digest = Sha256::digest(format!("{salt}{number}"));
        digest.iter().fold(String::new(), |text, byte| {
            text + format!("{byte:02x}").as_str()
        })
    };
    let number = (0..=most).find(|number| digest(*number) == wanted);
    json!({
        "algorithm": "SHA-256",
        "challenge": wanted,
        "number": number.expect("there is one"),
        "salt": salt,
        "signature": challenge["signature"],
    })
}

/// A proof as a query has it.
pub fn encode(proof: &Value) -> String {
    url::form_urlencoded::byte_serialize(STANDARD.encode(proof.to_string()).as_bytes()).collect()
}
