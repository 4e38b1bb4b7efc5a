// Made by tools/build.js.
[
    ("wechat-login.js", include_str!("wechat-login.js")),
    ("wechat-login/en.edc3362c3bb9.js", include_str!("wechat-login/en.edc3362c3bb9.js")),
    ("wechat-login/layered-dialog.1a656526db0e.js", include_str!("wechat-login/layered-dialog.1a656526db0e.js")),
    ("wechat-login/other-ways.d83483852bbd.js", include_str!("wechat-login/other-ways.d83483852bbd.js")),
    ("wechat-login/phone.f38b9e3eb681.js", include_str!("wechat-login/phone.f38b9e3eb681.js")),
    ("wechat-login/problems.f9c2bc3bdc82.js", include_str!("wechat-login/problems.f9c2bc3bdc82.js")),
    ("wechat-login/styles.1f8cf83ed29f.css", include_str!("wechat-login/styles.1f8cf83ed29f.css")),
    ("wechat-login/web-authorization.d76fe75eb18b.js", include_str!("wechat-login/web-authorization.d76fe75eb18b.js")),
    ("wechat-login/zh-TW.ebb311f49ce2.js", include_str!("wechat-login/zh-TW.ebb311f49ce2.js")),
]
