//! What WeChat returns about a person, as it is stored.

use login_protocol::member::Profile;
use wechat_wire::{api::UserInfo, web_authorization::WebUserInfo};

/// From `user/info`, which returns little more than the UnionID since 2021-12-27.
pub fn from_user_info(info: &UserInfo) -> Profile {
    Profile {
        unionid: owned(info.union_id()),
        nickname: owned(info.nickname()),
        avatar_url: owned(info.head_image_url()),
        location: location(info.country(), info.province(), info.city()),
    }
}

/// From web authorisation.
pub fn from_web_user_info(info: &WebUserInfo) -> Profile {
    Profile {
        unionid: owned(info.union_id()),
        nickname: owned(info.nickname()),
        avatar_url: owned(info.head_image_url()),
        location: location(info.country(), info.province(), info.city()),
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn location(country: Option<&str>, province: Option<&str>, city: Option<&str>) -> Option<String> {
    // Nearly every visitor is in China; saying so would be noise.
    let country = country.filter(|country| !matches!(*country, "中国" | "China"));
    let mut places: Vec<&str> = [country, province, city].into_iter().flatten().collect();
    // Municipalities are their own province.
    places.dedup();
    (!places.is_empty()).then(|| places.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_says_what_is_known_once() {
        let place = |country, province, city| location(country, province, city);
        assert_eq!(
            place(Some("中国"), Some("广东"), Some("深圳")).as_deref(),
            Some("广东 深圳")
        );
        assert_eq!(
            place(Some("中国"), Some("上海"), Some("上海")).as_deref(),
            Some("上海")
        );
        assert_eq!(
            place(Some("日本"), None, Some("东京")).as_deref(),
            Some("日本 东京")
        );
        assert_eq!(place(Some("中国"), None, None), None);
    }
}
