// Made by tools/build.js.
[
    ("wechat-login.en.c9940395aab6.js", include_str!("wechat-login.en.c9940395aab6.js")),
    ("wechat-login.js", include_str!("wechat-login.js")),
    ("wechat-login.layered-dialog.1a656526db0e.js", include_str!("wechat-login.layered-dialog.1a656526db0e.js")),
    ("wechat-login.phone.0bc7d981b673.js", include_str!("wechat-login.phone.0bc7d981b673.js")),
    ("wechat-login.styles.d5b984dff03d.css", include_str!("wechat-login.styles.d5b984dff03d.css")),
    ("wechat-login.web-authorization.94a7673f40db.js", include_str!("wechat-login.web-authorization.94a7673f40db.js")),
    ("wechat-login.zh-TW.12a41f79cb20.js", include_str!("wechat-login.zh-TW.12a41f79cb20.js")),
]
