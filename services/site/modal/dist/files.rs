// Made by tools/build.js.
[
    ("wechat-login.js", include_str!("wechat-login.js")),
    ("wechat-login/en.edc3362c3bb9.js", include_str!("wechat-login/en.edc3362c3bb9.js")),
    ("wechat-login/layered-dialog.1a656526db0e.js", include_str!("wechat-login/layered-dialog.1a656526db0e.js")),
    ("wechat-login/other-ways.1adf705925b7.js", include_str!("wechat-login/other-ways.1adf705925b7.js")),
    ("wechat-login/phone.7d882a3e91c5.js", include_str!("wechat-login/phone.7d882a3e91c5.js")),
    ("wechat-login/problems.f9c2bc3bdc82.js", include_str!("wechat-login/problems.f9c2bc3bdc82.js")),
    ("wechat-login/styles.eb1cce5b6c43.css", include_str!("wechat-login/styles.eb1cce5b6c43.css")),
    ("wechat-login/web-authorization.93e817e03951.js", include_str!("wechat-login/web-authorization.93e817e03951.js")),
    ("wechat-login/zh-TW.ebb311f49ce2.js", include_str!("wechat-login/zh-TW.ebb311f49ce2.js")),
]
