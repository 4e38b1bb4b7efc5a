//! The oddities of pushes that receivers must bear: the case of event names, and what stands in
//! `EventKey`.

use std::borrow::Cow;

use wechat_wire::push::{Push, PushBody};

use crate::setup::{EventCase, EventKeyForm, Setup};

/// The push as it is sent with this setup.
pub(super) fn odd(push: &Push, setup: &Setup) -> Push {
    let change = |event_key: Option<&str>| -> Option<String> {
        let empty = event_key.is_none_or(str::is_empty);
        match setup.event_key {
            EventKeyForm::Absent => None,
            EventKeyForm::AbsentWhenEmpty if empty => None,
            EventKeyForm::LastTradeNo if empty => Some(last_trade_no(push)),
            _ => event_key.map(str::to_owned),
        }
    };
    let body = match &push.body {
        PushBody::Subscribe { event_key, ticket } => PushBody::Subscribe {
            event_key: change(event_key.as_deref()),
            ticket: ticket.clone(),
        },
        PushBody::Scan { event_key, ticket } => PushBody::Scan {
            event_key: change(event_key.as_deref()),
            ticket: ticket.clone(),
        },
        PushBody::Unsubscribe => PushBody::OtherEvent {
            event: "unsubscribe".to_owned(),
            event_key: change(Some("")),
        },
        other => other.clone(),
    };
    Push {
        body,
        ..push.clone()
    }
}

/// The push's XML with its event's name in this setup's case. The name stands in two forms of the
/// XML, clear and compatible, and in both it is the same element.
pub(super) fn recased(xml: String, setup: &Setup) -> String {
    let recase: fn(&str) -> Cow<'_, str> = match setup.event_case {
        EventCase::Recorded => return xml,
        EventCase::Lower => |name| name.to_ascii_lowercase().into(),
        EventCase::Upper => |name| name.to_ascii_uppercase().into(),
    };
    let parts = xml
        .split_once("<Event><![CDATA[")
        .and_then(|(before, rest)| Some((before, rest.split_once("]]>")?)));
    match parts {
        Some((before, (name, after))) => {
            let name = recase(name);
            format!("{before}<Event><![CDATA[{name}]]>{after}")
        }
        None => xml,
    }
}

/// The number of the payment, the same at every delivery of one push.
fn last_trade_no(push: &Push) -> String {
    format!("last_trade_no_42000{}", push.create_time)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::setup::PushMode;

    fn xml(body: PushBody, change: fn(&mut Setup)) -> String {
        let callback = Url::parse("http://127.0.0.1/").unwrap();
        let mut setup = Setup::usual(PushMode::Plain, callback);
        change(&mut setup);
        let push = Push {
            to_user_name: "gh_1".to_owned(),
            from_user_name: "oSim".to_owned(),
            create_time: 7,
            body,
        };
        recased(odd(&push, &setup).to_xml(), &setup)
    }

    #[test]
    fn event_keys_are_left_out_or_of_another_kind() {
        let usual = xml(PushBody::Unsubscribe, |_| ());
        assert!(usual.contains("<EventKey><![CDATA[]]></EventKey>"));
        let absent = xml(PushBody::subscribe_without_code(), |setup| {
            setup.event_key = EventKeyForm::AbsentWhenEmpty;
        });
        assert!(!absent.contains("EventKey"), "{absent}");
        let without = xml(PushBody::scan("login", "t"), |setup| {
            setup.event_key = EventKeyForm::Absent;
        });
        assert!(!without.contains("EventKey") && without.contains("<Ticket>"));
        let paid = xml(PushBody::Unsubscribe, |setup| {
            setup.event_key = EventKeyForm::LastTradeNo;
        });
        assert!(paid.contains("[last_trade_no_420007]"), "{paid}");
        let scanned = xml(PushBody::subscribe_with_code("login", "t"), |setup| {
            setup.event_key = EventKeyForm::LastTradeNo;
        });
        assert!(scanned.contains("[qrscene_login]"), "{scanned}");
    }

    #[test]
    fn event_names_come_in_any_case() {
        let lower = xml(PushBody::scan("Login", "T"), |setup| {
            setup.event_case = EventCase::Lower;
        });
        assert!(lower.contains("<Event><![CDATA[scan]]></Event>"), "{lower}");
        assert!(lower.contains("[Login]") && lower.contains("[T]"));
    }
}
