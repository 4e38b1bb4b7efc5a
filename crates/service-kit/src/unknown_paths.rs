//! One line a minute for each requested path without a route, so that an owner who mistyped one in
//! WeChat's console, or in a proxy, finds it in the log.
//!
//! A path may contain anything, even a secret: so a line shows only its first segments, where these
//! look like words. Requests for many paths fill neither the log nor the memory.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it takes until a path's next line.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How many paths are distinguished within that time. The others share a line.
const MOST: usize = 32;

/// How much of a path is shown.
const SEGMENTS: usize = 2;

/// Limits of a word. Keys, codes, `OpenID`s and telephone numbers exceed one of them.
const LONGEST_WORD: usize = 20;
const MOST_DIGITS: usize = 2;
const MOST_CAPITALS: usize = 2;

/// Stands for all paths beyond that.
const OTHERS: &str = "others";

#[derive(Default)]
struct Seen(HashMap<String, Line>);

struct Line {
    logged: Instant,
    /// Requests since then.
    untold: u64,
}

impl Seen {
    /// How many requests a line about this path covers, if one is due.
    fn due(&mut self, path: String, now: Instant) -> Option<(String, u64)> {
        let is_over = |line: &Line| now.duration_since(line.logged) >= AGAIN_AFTER;
        if !self.0.contains_key(&path) && self.0.len() >= MOST {
            self.0.retain(|_, line| !is_over(line));
        }
        let has_room = self.0.len() < MOST || self.0.contains_key(&path);
        let path = if has_room { path } else { OTHERS.to_owned() };
        if let Some(line) = self.0.get_mut(&path)
            && !is_over(line)
        {
            line.untold += 1;
            return None;
        }
        let line = Line {
            logged: now,
            untold: 0,
        };
        let before = self.0.insert(path.clone(), line);
        Some((path, before.map_or(0, |line| line.untold) + 1))
    }
}

/// Records a request for this path, which has no route.
pub(crate) fn note(method: &'static str, path: &str) {
    static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);
    let due = {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        seen.due(beginning(path), Instant::now())
    };
    if let Some((path, requests)) = due {
        tracing::info!(
            method,
            path,
            requests,
            "no route matches; if WeChat or a page of yours requests this path, it is mistyped there"
        );
    }
}

/// The start of a path, as far as it can be shown.
fn beginning(path: &str) -> String {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut beginning = String::new();
    for segment in segments.by_ref().take(SEGMENTS) {
        beginning.push('/');
        beginning.push_str(if is_word(segment) { segment } else { "*" });
    }
    if segments.next().is_some() {
        beginning.push_str("/…");
    }
    if beginning.is_empty() {
        beginning.push('/');
    }
    beginning
}

fn is_word(segment: &str) -> bool {
    let count = |is: fn(&u8) -> bool| segment.as_bytes().iter().filter(|byte| is(byte)).count();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    segment.len() <= LONGEST_WORD
        && segment.bytes().all(plain)
        && count(u8::is_ascii_digit) <= MOST_DIGITS
        && count(u8::is_ascii_uppercase) <= MOST_CAPITALS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_and_nothing_that_could_be_a_secret() {
        for (path, shown) in [
            ("/weixin/callback", "/weixin/callback"),
            ("/wechat/Callback.php", "/wechat/Callback.php"),
            ("/v2/qr_codes", "/v2/qr_codes"),
            ("/wechat/oauth/confirm/0123", "/wechat/oauth/…"),
            ("/v1/oJqxw5Jl5Pzy6m2Q1n0xCz7T8a9k", "/v1/*"),
            ("/login_3q2-7w/b", "/*/b"),
            ("/0123456789abcdef0123456789abcdef", "/*"),
            ("/wechat/callback%3Fcode=0a1", "/wechat/*"),
            ("/wechat/callback;code=a", "/wechat/*"),
            ("/wechat/a=b", "/wechat/*"),
            ("/13800138000", "/*"),
            ("/AbCdEf", "/*"),
            ("/花", "/*"),
            ("/a\nb", "/*"),
            ("/", "/"),
            ("*", "/*"),
        ] {
            assert_eq!(beginning(path), shown, "{path:?}");
        }
        assert_eq!(beginning(&format!("/{}", "a".repeat(100_000))), "/*");
    }

    #[test]
    fn a_path_has_a_line_a_minute_that_counts_the_others() {
        let mut seen = Seen::default();
        let began = Instant::now();
        let mut due = |path: &str, seconds| {
            let due = seen.due(path.to_owned(), began + Duration::from_secs(seconds));
            due.map(|(_, requests)| requests)
        };
        assert_eq!(due("/a", 0), Some(1));
        assert_eq!(due("/a", 1), None);
        assert_eq!(due("/b", 1), Some(1));
        assert_eq!(due("/a", 59), None);
        assert_eq!(due("/a", 60), Some(3));
        assert_eq!(due("/a", 119), None);
    }

    #[test]
    fn who_asks_for_many_paths_gets_few_lines_and_no_memory() {
        let mut seen = Seen::default();
        let began = Instant::now();
        let lines = (0..100_000).filter_map(|number| seen.due(format!("/{number}"), began));
        assert_eq!(lines.count(), MOST + 1);
        assert_eq!(seen.0.len(), MOST + 1);
        // A minute later there is room again, for what is asked then.
        let later = began + AGAIN_AFTER;
        assert_eq!(seen.due("/a".to_owned(), later), Some(("/a".to_owned(), 1)));
        assert!(seen.0.len() <= MOST + 1);
    }
}
