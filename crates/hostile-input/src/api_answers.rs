//! What WeChat's API answers: it comes from outside too, and from a proxy in between when it fails.

use secrecy::ExposeSecret as _;
use serde_json::Value;
use wechat_wire::api::{
    AccessTokenGranted, Acknowledged, DecodeError, QrCodeCreated, UserInfo, decode,
};
use wechat_wire::web_authorization::{WebAccessGranted, WebUserInfo};

/// Every answer is read or refused without being quoted; what was read is read again as it was
/// after being written; and an answer that names an error is never taken for a success.
pub fn check(body: &[u8]) {
    check_complaint(body, decode::<Acknowledged>(body).err());
    match decode::<UserInfo>(body) {
        Ok(person) => {
            assert_eq!(decode::<UserInfo>(&written(&person)), Ok(person));
            check_success(body);
        }
        Err(error) => check_complaint(body, Some(error)),
    }
    if let Ok(person) = decode::<WebUserInfo>(body) {
        assert_eq!(decode::<WebUserInfo>(&written(&person)), Ok(person));
    }
    if let Ok(code) = decode::<QrCodeCreated>(body) {
        assert_eq!(decode::<QrCodeCreated>(&written(&code)), Ok(code));
    }
    match decode::<AccessTokenGranted>(body) {
        Ok(granted) => {
            let again = decode::<AccessTokenGranted>(&written(&granted));
            let token = granted.access_token.expose_secret();
            assert!(again.is_ok_and(|again| again.access_token.expose_secret() == token));
            let other = AccessTokenGranted {
                access_token: "another".into(),
                ..granted.clone()
            };
            assert_eq!(format!("{granted:?}"), format!("{other:?}"));
        }
        Err(error) => check_complaint(body, Some(error)),
    }
    if let Ok(granted) = decode::<WebAccessGranted>(body) {
        let other = WebAccessGranted {
            access_token: granted.access_token.as_ref().map(|_| "another".into()),
            refresh_token: granted.refresh_token.as_ref().map(|_| "another".into()),
            ..granted.clone()
        };
        assert_eq!(format!("{granted:?}"), format!("{other:?}"));
    }
}

fn written(answer: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("an answer can be written")
}

fn check_complaint(body: &[u8], error: Option<DecodeError>) {
    match error {
        Some(DecodeError::Malformed { length, .. }) => assert_eq!(length, body.len()),
        Some(DecodeError::Api(error)) => {
            assert_ne!(error.errcode, 0);
            assert!(error.rid().is_none_or(|rid| rid.len() == 26));
        }
        None => {}
    }
}

/// A plain JSON reader finds no error in it either.
fn check_success(body: &[u8]) {
    if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        let code = members.get("errcode").and_then(Value::as_i64);
        assert!(code.is_none_or(|code| code == 0), "an error was missed");
    }
}
