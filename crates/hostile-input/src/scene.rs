//! Scenes, which come back in pushes, and the secrets behind them, which come back in cookies.

use login_protocol::scene::{BrowserSecret, Scene};
use wechat_wire::push::{Push, PushBody, SUBSCRIBE_SCENE_PREFIX};

/// A text is one of our scenes or isn't; if it is, nothing of it is changed or shown. Any scene
/// passes through both kinds of push as it is.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(scene) = Scene::parse(text) {
        assert_eq!(scene.as_str(), text);
        assert_eq!((text.len(), text.is_ascii()), (49, true));
        assert!(text.starts_with("login_"));
        assert_eq!(format!("{scene:?}"), "Scene(…)");
        let state = scene.authorization_state();
        assert!(state.len() == 64 && state.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let json = serde_json::to_string(text).expect("a text can be written");
    let read: Result<Scene, _> = serde_json::from_str(&json);
    assert_eq!(read.is_ok(), Scene::parse(text).is_ok());
    if let Ok(secret) = BrowserSecret::parse(text) {
        assert_eq!(secret.expose(), text);
        assert_eq!(format!("{secret:?}"), "BrowserSecret(…)");
        assert!(Scene::parse(secret.scene().as_str()).is_ok());
    }
    check_pushes(text);
}

fn check_pushes(scene: &str) {
    // U+0000 can't be written in XML, and readers refuse it.
    if scene.contains('\0') {
        return;
    }
    let expected = Some(scene).filter(|scene| !scene.is_empty());
    for body in [
        PushBody::scan(scene, "a ticket"),
        PushBody::subscribe_with_code(scene, "a ticket"),
    ] {
        assert_eq!(sent(body).scene(), expected);
    }
    let key = Some(scene.to_owned());
    let subscribed = sent(PushBody::Subscribe {
        event_key: key,
        ticket: None,
    });
    let behind_prefix = scene
        .strip_prefix(SUBSCRIBE_SCENE_PREFIX)
        .filter(|rest| !rest.is_empty());
    assert_eq!(subscribed.scene(), behind_prefix);
}

/// The push as its receiver reads it.
fn sent(body: PushBody) -> Push {
    let push = Push {
        to_user_name: "gh_0123456789ab".to_owned(),
        from_user_name: "o0123456789".to_owned(),
        create_time: 0,
        body,
    };
    Push::parse(push.to_xml().as_bytes()).expect("what was written can be read")
}
