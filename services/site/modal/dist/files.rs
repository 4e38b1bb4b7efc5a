// Made by tools/build.js.
[
    ("wechat-login.js", include_str!("wechat-login.js")),
    ("wechat-login/en.edc3362c3bb9.js", include_str!("wechat-login/en.edc3362c3bb9.js")),
    ("wechat-login/layered-dialog.1a656526db0e.js", include_str!("wechat-login/layered-dialog.1a656526db0e.js")),
    ("wechat-login/other-ways.91579b7bd124.js", include_str!("wechat-login/other-ways.91579b7bd124.js")),
    ("wechat-login/phone.bfb7b5fc9abf.js", include_str!("wechat-login/phone.bfb7b5fc9abf.js")),
    ("wechat-login/problems.f9c2bc3bdc82.js", include_str!("wechat-login/problems.f9c2bc3bdc82.js")),
    ("wechat-login/styles.fdd933b12543.css", include_str!("wechat-login/styles.fdd933b12543.css")),
    ("wechat-login/web-authorization.be7da5ce9f02.js", include_str!("wechat-login/web-authorization.be7da5ce9f02.js")),
    ("wechat-login/zh-TW.ebb311f49ce2.js", include_str!("wechat-login/zh-TW.ebb311f49ce2.js")),
]
