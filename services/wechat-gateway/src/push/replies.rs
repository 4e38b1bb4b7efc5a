//! What the phone reads after a scan. An account's own words come first in Chinese.

use login_protocol::steps::ScanEffect;

/// Whether the scan also made somebody a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// They followed just now.
    NewFollower,
    /// They were following already.
    Follower,
}

/// The reply to a scan of one of our codes. The same event delivered again gets the same words.
pub const fn to_scan(arrival: Arrival, effect: ScanEffect) -> &'static str {
    match (effect, arrival) {
        (ScanEffect::Accepted(_) | ScanEffect::Repeated(_), Arrival::NewFollower) => {
            "感谢关注！您已登录，请回到刚才的网页继续。"
        }
        (ScanEffect::Accepted(_) | ScanEffect::Repeated(_), Arrival::Follower) => {
            "欢迎回来！您已登录，请回到刚才的网页继续。"
        }
        (ScanEffect::Taken, _) => {
            "这个二维码已被别人使用，您没有登录。请在网页上刷新二维码，再扫一次。"
        }
        (ScanEffect::Gone, _) => "这个二维码已失效，您没有登录。请在网页上刷新二维码，再扫一次。",
    }
}
