//! Pushes: what WeChat posts to the callback URL, after any decryption.
//!
//! Event names and message types are compared without regard to case, because WeChat itself mixes
//! `subscribe` with `SCAN` (see the GitHub thread Eric-Guo/wechat#55).

use crate::xml::{self, XmlError};

/// What WeChat puts before a scene in the `EventKey` of a `subscribe` event, and only there.
pub const SUBSCRIBE_SCENE_PREFIX: &str = "qrscene_";

/// Why a push was refused.
pub type PushError = XmlError;

/// One push: an event or a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The account's original id, `gh_` and 12 hexadecimal digits; not the `AppID`.
    pub to_user_name: String,
    /// The `OpenID` of the person it came from.
    pub from_user_name: String,
    /// Unix time in seconds. Equal on every delivery of one push.
    pub create_time: i64,
    /// What happened.
    pub body: PushBody,
}

/// What a push is about. A login needs the first three; the rest keep their common fields.
///
/// An `event_key` of `None` says that the element is absent, `Some("")` that it is present and
/// empty: WeChat sends the latter for a subscription without a code, while its documentation shows
/// the former.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushBody {
    /// Somebody began to follow the account.
    Subscribe {
        /// `qrscene_` and the scene after a parametric code; empty or absent without one; or
        /// another prefix, such as `last_trade_no_` (GitHub thread wechatpy/wechatpy#178).
        event_key: Option<String>,
        /// The ticket of the parametric code, when there was one.
        ticket: Option<String>,
    },
    /// A follower scanned a parametric code.
    Scan {
        /// The scene, without a prefix.
        event_key: Option<String>,
        /// The ticket of the code.
        ticket: Option<String>,
    },
    /// Somebody stopped following; there is nobody left to answer, and the developer must delete
    /// what is known of the person.
    Unsubscribe,
    /// Any other event.
    OtherEvent {
        /// `Event` as received, such as `CLICK`.
        event: String,
        /// `EventKey`, where the event has one.
        event_key: Option<String>,
    },
    /// A message that somebody sent to the account.
    Message {
        /// `MsgType` as received: `text`, `image`, `voice`, …
        msg_type: String,
        /// `MsgId`: unsigned 64 bits in decimal, and not unique between people (GitHub thread
        /// binarywang/WxJava#333).
        msg_id: Option<String>,
        /// `Content`, which only text messages have.
        content: Option<String>,
    },
}

impl PushBody {
    /// A subscription that no parametric code led to, as recorded traffic has it: an empty
    /// `EventKey` and no ticket.
    pub fn subscribe_without_code() -> Self {
        Self::Subscribe {
            event_key: Some(String::new()),
            ticket: None,
        }
    }

    /// A subscription after scanning the parametric code of `scene`.
    pub fn subscribe_with_code(scene: &str, ticket: &str) -> Self {
        Self::Subscribe {
            event_key: Some(format!("{SUBSCRIBE_SCENE_PREFIX}{scene}")),
            ticket: Some(ticket.to_owned()),
        }
    }

    /// A follower's scan of the parametric code of `scene`.
    pub fn scan(scene: &str, ticket: &str) -> Self {
        Self::Scan {
            event_key: Some(scene.to_owned()),
            ticket: Some(ticket.to_owned()),
        }
    }
}

impl Push {
    /// Reads the clear XML of a push. Unknown elements, element order and layout don't matter.
    ///
    /// # Errors
    ///
    /// Anything that isn't one well-formed, shallow `<xml>` document with `ToUserName`,
    /// `FromUserName`, `CreateTime`, `MsgType` and, for an event, `Event`; see [`XmlError`].
    pub fn parse(document: &[u8]) -> Result<Self, PushError> {
        let [
            to_user_name,
            from_user_name,
            create_time,
            msg_type,
            event,
            event_key,
            ticket,
            content,
            msg_id,
            msg_id_of_events,
        ] = xml::read_children(
            document,
            [
                "ToUserName",
                "FromUserName",
                "CreateTime",
                "MsgType",
                "Event",
                "EventKey",
                "Ticket",
                "Content",
                "MsgId",
                "MsgID",
            ],
        )?;
        let msg_type = xml::required("MsgType", msg_type)?;
        let event_key = event_key.map(String::from);
        let ticket = ticket.map(String::from);
        let body = if msg_type.eq_ignore_ascii_case("event") {
            let event = xml::required("Event", event)?;
            if event.eq_ignore_ascii_case("subscribe") {
                PushBody::Subscribe { event_key, ticket }
            } else if event.eq_ignore_ascii_case("scan") {
                PushBody::Scan { event_key, ticket }
            } else if event.eq_ignore_ascii_case("unsubscribe") {
                PushBody::Unsubscribe
            } else {
                PushBody::OtherEvent {
                    event: event.into(),
                    event_key,
                }
            }
        } else {
            PushBody::Message {
                msg_type: msg_type.into(),
                msg_id: msg_id.or(msg_id_of_events).map(String::from),
                content: content.map(String::from),
            }
        };
        Ok(Self {
            to_user_name: xml::required("ToUserName", to_user_name)?.into(),
            from_user_name: xml::required("FromUserName", from_user_name)?.into(),
            create_time: xml::required_integer("CreateTime", create_time)?,
            body,
        })
    }

    /// The scene of the parametric code that was scanned, if this is a scan or a subscription
    /// through one. Whether the scene is one of ours is for the caller to find out.
    pub fn scene(&self) -> Option<&str> {
        let scene = match &self.body {
            PushBody::Subscribe { event_key, .. } => event_key
                .as_deref()
                .and_then(|key| key.strip_prefix(SUBSCRIBE_SCENE_PREFIX)),
            PushBody::Scan { event_key, .. } => event_key.as_deref(),
            PushBody::Unsubscribe | PushBody::OtherEvent { .. } | PushBody::Message { .. } => None,
        };
        scene.filter(|scene| !scene.is_empty())
    }

    /// Writes the push as WeChat does in plain mode and inside the encryption, byte for byte: the
    /// first element follows `<xml>` directly, elements are separated by a line feed, and nothing
    /// follows `</xml>`.
    pub fn to_xml(&self) -> String {
        let mut document = String::with_capacity(512);
        document.push_str("<xml>");
        self.write_elements(&mut document, "", "\n");
        document.push_str("</xml>");
        document
    }

    /// Writes every element, each between `before` and `after`, in the order of recorded traffic.
    pub(crate) fn write_elements(&self, document: &mut String, before: &str, after: &str) {
        let mut element = |name: &str, value: Value<'_>| {
            document.push_str(before);
            match value {
                Value::Text(text) => xml::write_text(document, name, text),
                Value::Integer(integer) => xml::write_bare(document, name, integer),
            }
            document.push_str(after);
        };
        element("ToUserName", Value::Text(&self.to_user_name));
        element("FromUserName", Value::Text(&self.from_user_name));
        let create_time = self.create_time.to_string();
        element("CreateTime", Value::Integer(&create_time));

        let (event, event_key, ticket) = match &self.body {
            PushBody::Subscribe { event_key, ticket } => {
                ("subscribe", event_key.as_deref(), ticket.as_deref())
            }
            PushBody::Scan { event_key, ticket } => {
                ("SCAN", event_key.as_deref(), ticket.as_deref())
            }
            PushBody::Unsubscribe => ("unsubscribe", Some(""), None),
            PushBody::OtherEvent { event, event_key } => {
                (event.as_str(), event_key.as_deref(), None)
            }
            PushBody::Message {
                msg_type,
                msg_id,
                content,
            } => {
                element("MsgType", Value::Text(msg_type));
                if let Some(content) = content {
                    element("Content", Value::Text(content));
                }
                if let Some(msg_id) = msg_id {
                    element("MsgId", Value::integer_or_text(msg_id));
                }
                return;
            }
        };
        element("MsgType", Value::Text("event"));
        element("Event", Value::Text(event));
        if let Some(event_key) = event_key {
            element("EventKey", Value::Text(event_key));
        }
        if let Some(ticket) = ticket {
            element("Ticket", Value::Text(ticket));
        }
    }
}

/// An element's value in the form that WeChat writes it: texts in CDATA, integers bare.
enum Value<'push> {
    Text(&'push str),
    Integer(&'push str),
}

impl<'push> Value<'push> {
    fn integer_or_text(value: &'push str) -> Self {
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Integer(value)
        } else {
            Self::Text(value)
        }
    }
}
