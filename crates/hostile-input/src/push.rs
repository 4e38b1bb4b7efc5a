//! The XML of pushes, envelopes and replies.

use wechat_wire::envelope::{EncryptedPush, compatible_xml};
use wechat_wire::push::{Push, PushBody};
use wechat_wire::reply::{EncryptedReply, Reply};
use wechat_wire::xml::XmlError;

/// The longest complaint, in bytes: it names an element or a place and quotes nothing.
const LONGEST_COMPLAINT: usize = 80;

/// Every reader of XML takes the document, or refuses it in a few words. What was read holds no
/// more than the document did, and is read again as it was after being written.
pub fn check(document: &[u8]) {
    match Push::parse(document) {
        Ok(push) => {
            assert!(characters(&push) <= document.len(), "a push has grown");
            assert_eq!(Push::parse(push.to_xml().as_bytes()).as_ref(), Ok(&push));
            check_scene(&push);
            let body = compatible_xml(&push, "AAAA");
            assert_eq!(Push::parse(body.as_bytes()).as_ref(), Ok(&push));
            let envelope = EncryptedPush::parse(body.as_bytes());
            assert!(envelope.is_ok_and(|envelope| envelope.encrypt == "AAAA"));
        }
        Err(error) => check_complaint(error),
    }
    match EncryptedPush::parse(document) {
        Ok(envelope) => {
            let length = envelope.to_user_name.len() + envelope.encrypt.len();
            assert!(length <= document.len(), "an envelope has grown");
            let again = EncryptedPush::parse(envelope.to_safe_xml().as_bytes());
            assert_eq!(again, Ok(envelope));
        }
        Err(error) => check_complaint(error),
    }
    match EncryptedReply::parse(document) {
        Ok(reply) => {
            let again = EncryptedReply::parse(reply.to_xml().as_bytes());
            assert_eq!(again, Ok(reply));
        }
        Err(error) => check_complaint(error),
    }
    if let Err(error) = Reply::parse(document) {
        check_complaint(error);
    }
}

fn check_complaint(error: XmlError) {
    let length = error.to_string().len();
    assert!(length <= LONGEST_COMPLAINT, "a complaint of {length} bytes");
}

/// The scene is what the event's key ends with, and only scans have one.
fn check_scene(push: &Push) {
    let key = match &push.body {
        PushBody::Scan { event_key, .. } | PushBody::Subscribe { event_key, .. } => {
            event_key.as_deref()
        }
        PushBody::Unsubscribe | PushBody::OtherEvent { .. } | PushBody::Message { .. } => None,
    };
    match (push.scene(), key) {
        (Some(scene), Some(key)) => assert!(!scene.is_empty() && key.ends_with(scene)),
        (Some(_), None) => panic!("a scene without a key"),
        (None, _) => {}
    }
}

/// How many bytes all texts of a push have.
fn characters(push: &Push) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let body = match &push.body {
        PushBody::Subscribe { event_key, ticket } | PushBody::Scan { event_key, ticket } => {
            optional(event_key) + optional(ticket)
        }
        PushBody::Unsubscribe => 0,
        PushBody::OtherEvent { event, event_key } => event.len() + optional(event_key),
        PushBody::Message {
            msg_type,
            msg_id,
            content,
        } => msg_type.len() + optional(msg_id) + optional(content),
    };
    push.to_user_name.len() + push.from_user_name.len() + body
}
