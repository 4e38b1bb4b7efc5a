// Made by tools/build.js.
[
    ("wechat-login.js", include_str!("wechat-login.js")),
    ("wechat-login/en.edc3362c3bb9.js", include_str!("wechat-login/en.edc3362c3bb9.js")),
    ("wechat-login/layered-dialog.1a656526db0e.js", include_str!("wechat-login/layered-dialog.1a656526db0e.js")),
    ("wechat-login/other-ways.d83483852bbd.js", include_str!("wechat-login/other-ways.d83483852bbd.js")),
    ("wechat-login/phone.cef23386496e.js", include_str!("wechat-login/phone.cef23386496e.js")),
    ("wechat-login/problems.6aa748abcbf4.js", include_str!("wechat-login/problems.6aa748abcbf4.js")),
    ("wechat-login/styles.1f8cf83ed29f.css", include_str!("wechat-login/styles.1f8cf83ed29f.css")),
    ("wechat-login/web-authorization.9b4c04d75375.js", include_str!("wechat-login/web-authorization.9b4c04d75375.js")),
    ("wechat-login/zh-TW.ebb311f49ce2.js", include_str!("wechat-login/zh-TW.ebb311f49ce2.js")),
]
