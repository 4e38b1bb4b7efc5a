// Made by tools/build.js.
[
    ("wechat-login.js", include_str!("wechat-login.js")),
    ("wechat-login/en.edc3362c.js", include_str!("wechat-login/en.edc3362c.js")),
    ("wechat-login/layered-dialog.1a656526.js", include_str!("wechat-login/layered-dialog.1a656526.js")),
    ("wechat-login/other-ways.d8348385.js", include_str!("wechat-login/other-ways.d8348385.js")),
    ("wechat-login/phone.cef23386.js", include_str!("wechat-login/phone.cef23386.js")),
    ("wechat-login/problems.6aa748ab.js", include_str!("wechat-login/problems.6aa748ab.js")),
    ("wechat-login/styles.1f8cf83e.css", include_str!("wechat-login/styles.1f8cf83e.css")),
    ("wechat-login/web-authorization.00a60cc3.js", include_str!("wechat-login/web-authorization.00a60cc3.js")),
    ("wechat-login/zh-TW.ebb311f4.js", include_str!("wechat-login/zh-TW.ebb311f4.js")),
]
