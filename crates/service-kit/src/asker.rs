//! Describes the browser that wants to log in, so that its owner recognises it.

use std::net::IpAddr;

use login_protocol::steps::Asker;

/// Describes the browser that sent this `User-Agent` from this IP address. A guess: the browser can
/// send anything.
pub fn describe(user_agent: &str, address: IpAddr) -> Asker {
    // The more specific names come first: most browsers also call themselves Safari, and many
    // Chrome.
    const BROWSERS: [(&str, &str); 9] = [
        ("MicroMessenger", "微信"),
        ("Edg", "Edge"),
        ("QQBrowser", "QQ 浏览器"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 8] = [
        ("HarmonyOS", "HarmonyOS"),
        ("OpenHarmony", "HarmonyOS"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map_or("未知", |(_, name)| *name)
    };
    Asker {
        description: format!("{} · {}", named(&BROWSERS), named(&SYSTEMS)),
        address: network(address),
    }
}

/// The IP address without the part that identifies a single device.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            format!("{first}.{second}.{third}.x")
        }
        IpAddr::V6(address) => {
            let [first, second, third, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}::x")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_systems_are_recognised() {
        let address = "203.0.113.9".parse().unwrap();
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0",
                "Edge · Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari · macOS",
            ),
            ("curl/8.5.0", "未知 · 未知"),
        ];
        for (user_agent, described) in cases {
            assert_eq!(describe(user_agent, address).description, described);
        }
    }

    #[test]
    fn an_address_is_shortened_to_its_network() {
        let shortened = |text: &str| network(text.parse().unwrap());
        assert_eq!(shortened("203.0.113.9"), "203.0.113.x");
        assert_eq!(shortened("2001:db8:1:2::3"), "2001:db8:1::x");
    }
}
