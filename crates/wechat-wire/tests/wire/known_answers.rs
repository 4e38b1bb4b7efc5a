//! Known answers of WeChat's message encryption, each with its source. All were recomputed with
//! OpenSSL when they were collected; those marked "own" were made that way.

/// One message in clear and encrypted.
pub(crate) struct KnownAnswer {
    pub(crate) name: &'static str,
    pub(crate) token: &'static str,
    pub(crate) encoding_aes_key: &'static str,
    pub(crate) app_id: &'static str,
    pub(crate) timestamp: &'static str,
    pub(crate) nonce: &'static str,
    pub(crate) random: &'static [u8; 16],
    /// How many bytes of padding the plaintext ends in.
    pub(crate) padding: usize,
    pub(crate) message: &'static str,
    pub(crate) encrypt: &'static str,
    /// The three-part signature of the address, where the source tells it.
    pub(crate) signature: Option<&'static str>,
    pub(crate) msg_signature: Option<&'static str>,
}

/// Every known answer.
pub(crate) const ALL: [&KnownAnswer; 12] = [
    &KAT_1, &KAT_2, &KAT_3, &KAT_4, &KAT_5, &KAT_6, &KAT_7, &KAT_8, &KAT_9, &KAT_10, &KAT_11,
    &KAT_12,
];

/// Source: official push documentation.
pub(crate) const KAT_1: KnownAnswer = KnownAnswer {
    name: "KAT-1",
    token: "AAAAA",
    encoding_aes_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    app_id: "wxba5fad812f8e6fb9",
    timestamp: "1714112445",
    nonce: "415670741",
    random: b"a8eedb185eb2fecf",
    padding: 19,
    message: r#"{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}"#,
    encrypt: "\
        +qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPx\
        LKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMu\
        FUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDr\
        M1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=",
    signature: None,
    msg_signature: Some("046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
};

/// Source: official push documentation.
pub(crate) const KAT_2: KnownAnswer = KnownAnswer {
    name: "KAT-2",
    token: "AAAAA",
    encoding_aes_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    app_id: "wxba5fad812f8e6fb9",
    timestamp: "1713424427",
    nonce: "415670741",
    random: b"707722b803182950",
    padding: 1,
    message: r#"{"demo_resp":"good luck"}"#,
    encrypt: "\
        ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmx\
        SQ==",
    signature: None,
    msg_signature: Some("1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"),
};

/// Source: official third-party platform documentation.
pub(crate) const KAT_3: KnownAnswer = KnownAnswer {
    name: "KAT-3",
    token: "AAAAA",
    encoding_aes_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    app_id: "wx134c8103faa5a59e",
    timestamp: "1715943329",
    nonce: "1590219412",
    random: b"1205899eaf019bbd",
    padding: 22,
    message: "\
        <xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName>\n\
        <FromUserName><![CDATA[o9AgO5Kd5ggOC-bXrbNODIiE3bGY]]></FromUserName>\n\
        <CreateTime>1715943329</CreateTime>\n\
        <MsgType><![CDATA[event]]></MsgType>\n\
        <Event><![CDATA[debug_demo]]></Event>\n\
        <debug_str><![CDATA[hello world]]></debug_str>\n\
        </xml>",
    encrypt: "\
        D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4Vt\
        sdvE//1vr7oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNq\
        ZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYj\
        h2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCx\
        gfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1R\
        TtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg==",
    signature: Some("cc0c594499c1634947d5b502f158ee518947db27"),
    msg_signature: Some("6c12a4205838198b8fa631b3220723bb07f1015c"),
};

/// Source: official third-party platform documentation; its sample really lacks `<!`.
pub(crate) const KAT_4: KnownAnswer = KnownAnswer {
    name: "KAT-4",
    token: "AAAAA",
    encoding_aes_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    app_id: "wx134c8103faa5a59e",
    timestamp: "1713424427",
    nonce: "415670741",
    random: b"999951349e8ee746",
    padding: 6,
    message: "<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>",
    encrypt: "\
        hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6\
        +3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7",
    signature: None,
    msg_signature: Some("03e0812039325c2712ef5f0f980fd14c70d6e307"),
};

/// Source: Tencent's demo, test `WxCryptUtilTest` of binarywang/WxJava.
pub(crate) const KAT_5: KnownAnswer = KnownAnswer {
    name: "KAT-5",
    token: "pamtest",
    encoding_aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    app_id: "wxb11529c136998cb6",
    timestamp: "1409304348",
    nonce: "xxxxxx",
    random: b"aaaabbbbccccdddd",
    padding: 7,
    message: "我是中文abcd123",
    encrypt: "\
        jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVO\
        fg==",
    signature: None,
    msg_signature: Some("82c962d39941aa48552f90ef55aa323dc620cc10"),
};

/// Source: test `EncryptorTest` of w7corp/easywechat.
pub(crate) const KAT_6: KnownAnswer = KnownAnswer {
    name: "KAT-6",
    token: "pamtest",
    encoding_aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    app_id: "wxb11529c136998cb6",
    timestamp: "1458300676",
    nonce: "260774613",
    random: b"d43123b161a4ba84",
    padding: 21,
    message: "\
        <xml><URL><![CDATA[http://wechat.laravel.so/server]]></URL><ToUserName><![CDATA[asda\
        sdasd]]></ToUserName><FromUserName><![CDATA[asdasdasdsadasd]]></FromUserName><Create\
        Time>1234567898</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hel\
        lo]]></Content><MsgId>12345</MsgId></xml>",
    encrypt: "\
        rTNFcsut4LfGuAFKEUVVpwcaCOTJzOd9twZdIW910jb3k+iicx2uvhttIZ3Qg9Qgty3BEF2xbOrz6boTfb30\
        dMomcgrkTqdFPwnhqbk+kIQ7rZiwny9D7NUrTgA5kpX3KsZvrXzUZyP2x9YOlxbgm572lmxKvM7HAQQhIQ/p\
        6HBmoY30bGXFK0BtIu1pW9TjhOYrLQoU18nWYjWqDA1ynkmOytpv7QRI1P1+0NoxL0q2zO1DgeSvnE8CZGo/\
        o5Ap/WHK5W2RAsinpzN4/LjPnmB6U01I5XCoJoC0GK/yMZycd2Oh8Nq6+wBkC1U85oy0ktOY4nLvsQMLrour\
        mMGdZHuTbqpeJ8Ao/5PRYJ+WBvRUwPfGKBL2+2IKZF49vAJqkcGWSHGE76ZN2erXeuNazf/o9o3lIE3q739o\
        4c8t9QGPe31GT2Go/rOz1BsrASwvauNulCh+++yz+CQzBIuikA==",
    signature: None,
    msg_signature: Some("4f3ad57b6989f09f4eb392acce4f9e93942ed890"),
};

/// Source: traffic of 2014, test `MessageHandlersTest` of JeffreySu/WeiXinMPSDK.
pub(crate) const KAT_7: KnownAnswer = KnownAnswer {
    name: "KAT-7",
    token: "weixin",
    encoding_aes_key: "mNnY5GekpChwqhy2c4NBH90g3hND6GeI4gii2YCvKLY",
    app_id: "wx669ef95216eef885",
    timestamp: "1414387151",
    nonce: "917222494",
    random: b"42952fe6464df535",
    padding: 3,
    message: "\
        <xml><ToUserName><![CDATA[gh_a96a4a619366]]></ToUserName>\n\
        <FromUserName><![CDATA[olPjZjsXuQPJoV0HlruZkNzKc91E]]></FromUserName>\n\
        <CreateTime>1414387151</CreateTime>\n\
        <MsgType><![CDATA[text]]></MsgType>\n\
        <Content><![CDATA[你好]]></Content>\n\
        <MsgId>6074746557628292943</MsgId>\n\
        </xml>",
    encrypt: "\
        2gUBUpAeuPFKBS+gkcvrR1cBq1VjTOQluB7+FQF00VnybRpYR3xko4S4wh0qD+64cWmJfF93ZNLm+HLZBexj\
        HLAdJBs5RBG2rP1AJnU0/1vQU/Ac9Q1Nq7vfC4l3ciF8YwhQW0o/GE4MYWWakgdwnp0hQ7aVVwqMLd67A5bs\
        URQHJiFY/cH0fVlsKe6J3aazGhRXFCxceOq2VTJ2Eulc8aBDVSM5/lAIUA/JPq5Z2RzomM0+aoa5XIfGyAtA\
        dlBXD0ADTemxgfYAKI5EMfKtH5za3dKV2UWbGAlJQZ0fwrwPx6Rs8MsoEtyxeQ52gO94gafA+/kIVjamKTVL\
        SgudLLz5rAdGneKkBVhXyfyfousm1DoDRjQdAdqMWpwbeG5hanoJyJiH+humW/1q8PAAiaEfA+BOuvBk/a5x\
        L0Q2l2k=",
    signature: Some("e3203b6433eb554dd2fcba78fa48cb948fcb4801"),
    msg_signature: Some("ae70d4e343d946fc0477a5c760b95be0947fddbb"),
};

/// Source: traffic of 2022, test `MessageControllerTest` of a public Java project.
pub(crate) const KAT_8: KnownAnswer = KnownAnswer {
    name: "KAT-8",
    token: "GreedIsGood",
    encoding_aes_key: "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6",
    app_id: "wxabb8e5e80f591861",
    timestamp: "1669731472",
    nonce: "1487905294",
    random: b"7359400fb2f8ef64",
    padding: 26,
    message: "\
        <xml><ToUserName><![CDATA[gh_b4f0e22ae50e]]></ToUserName>\n\
        <FromUserName><![CDATA[oJqxQwYRyZMXFTc8sipB5TSe6Vw4]]></FromUserName>\n\
        <CreateTime>1669731471</CreateTime>\n\
        <MsgType><![CDATA[text]]></MsgType>\n\
        <Content><![CDATA[文本tdsa[Lol]§]]></Content>\n\
        <MsgId>23904806341841418</MsgId>\n\
        </xml>",
    encrypt: "\
        nXJsNjyg1mO1CZAvs4n6iAMSg8m3JIcmsUeWJEtr2SU/mskaPsywpBbc0wxE+vaPgTlECUnInGypLFOkvKR5\
        vloY+55xynbMZ+DzKo1WFf7No3CkjiDD6bSA7MFuVAGNAYYDfXhhDe5bSFLmHQOOGAbEL0dtyNXXLcNAglSv\
        6qbC94GYljypiBfRH4Wm4JnYjvaFZG4CwtFFsh80cSMIyj+qTv9zVURbcY6T6I2JNzM0txYg8hb6IMvbT1+O\
        TNUZ2j1yqWFYsWYl7IqLCSaWPNVgwn7Nx/S8Y9au/BnXO1yy+Y0akzVvycG/BOQ3PfOkx00nryYE3O2GNz/L\
        CVnbI0Z00ZEo3W3Ea1fWgUH7blbXl2tvjyxxTTySQYYbkiwVNeSLYYAMzjALXBaGJDi3TeiCOwwNryoq9LGW\
        veMHbOI8Bwu4VNlxkIc28bRxMECJLv9AbcuYvriR/t6YaOCFrg==",
    signature: Some("dd5ed7952f4a30058844643e67b86823fcf0cedf"),
    msg_signature: Some("2152b4cd4935c9a21b5c3a0e97b197b74d8fd65d"),
};

/// Source: own: SCAN.
pub(crate) const KAT_9: KnownAnswer = KnownAnswer {
    name: "KAT-9",
    token: "GreedIsGood",
    encoding_aes_key: "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6",
    app_id: "wxabb8e5e80f591861",
    timestamp: "1700000001",
    nonce: "1234567890",
    random: b"0123456789abcdef",
    padding: 1,
    message: "\
        <xml><ToUserName><![CDATA[gh_b4f0e22ae50e]]></ToUserName>\n\
        <FromUserName><![CDATA[oJqxQwYRyZMXFTc8sipB5TSe6Vw4]]></FromUserName>\n\
        <CreateTime>1700000000</CreateTime>\n\
        <MsgType><![CDATA[event]]></MsgType>\n\
        <Event><![CDATA[SCAN]]></Event>\n\
        <EventKey><![CDATA[login_7f3a]]></EventKey>\n\
        <Ticket><![CDATA[gQFJ8DwAAAAAAAAAAS5odHRwOi8vd2VpeGluLnFxLmNvbS9xLzAyZVQ1d29aeGFjU0c\
        xeUNSamh6MVAAAgS2NJNjAwTwAAAA]]></Ticket>\n\
        </xml>",
    encrypt: "\
        WqL8ykBz8RApyj3rlc8PHsZwf2sciGgNLaLketZ+aQFcJhQZSPcvDaAg95sDM5WE1QSs2MbJrcPliUWemiEi\
        Co34/6MUREoMgR05YMO6oHWXF9MQt7djDCrzFQk369iU3rrM+A4Zz/W0eeBzgik1p2ugf/nl76kePZZosO+A\
        zxxLM9RI4Lsm/zFQS+eoYy8TAQ5wFyyzLvVRipkzXBc6fIMikH1uS+m4iNAkHrMgJAq4e0E4hVz4IEjLilKx\
        OW7DK0qsJL8uHK9MGpw7vxkByIE4sHXrN07J3cPrA9oLke2obyJhb/H5/cOrLveL9pYhl5ly/Vc4WzxShsjH\
        eqFw9l83UkTQhFmc/S3jfiZ1sg2RH7AgY659z9/T4DHbgnki1YDkDma0Ax0U8yyV8ScaMnhlU7NDUoNo9y9l\
        8H6Q4gCc2mdHuOA75TDKXdmHkm0ToMnxSsBfvihYhXrmT1gB3Fydxna5KODI4xXxNrP1GwFydG5NfLl4JZf4\
        2UWA9FoFkzMqpSfAZueSiHv9HrEe4FWydR1EoFUjQmQoLzQzQhJVsEP1IwHiPAMI3qdT2/Qy8+XvEwHvrOVZ\
        26HHvbpSkw==",
    signature: Some("3d2fb373f41babd33d0151a888a05c0486bdeafd"),
    msg_signature: Some("65bf5b062f67eda3baf6388f6688b1bf8c144423"),
};

/// Source: own: subscribe.
pub(crate) const KAT_10: KnownAnswer = KnownAnswer {
    name: "KAT-10",
    token: "GreedIsGood",
    encoding_aes_key: "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6",
    app_id: "wxabb8e5e80f591861",
    timestamp: "1700000001",
    nonce: "1234567890",
    random: b"0123456789abcdef",
    padding: 20,
    message: "\
        <xml><ToUserName><![CDATA[gh_b4f0e22ae50e]]></ToUserName>\n\
        <FromUserName><![CDATA[oJqxQwYRyZMXFTc8sipB5TSe6Vw4]]></FromUserName>\n\
        <CreateTime>1700000000</CreateTime>\n\
        <MsgType><![CDATA[event]]></MsgType>\n\
        <Event><![CDATA[subscribe]]></Event>\n\
        <EventKey><![CDATA[qrscene_login_7f3a]]></EventKey>\n\
        <Ticket><![CDATA[gQFJ8DwAAAAAAAAAAS5odHRwOi8vd2VpeGluLnFxLmNvbS9xLzAyZVQ1d29aeGFjU0c\
        xeUNSamh6MVAAAgS2NJNjAwTwAAAA]]></Ticket>\n\
        </xml>",
    encrypt: "\
        WqL8ykBz8RApyj3rlc8PHgW472lT7XykvF7Mz+NLu9tigMsKJb6WwREleTeM/7pzrRnKN6zswC3BxpV4NfjV\
        ooS5w2h6rP1gHwYSChy6BHCno+g8im8VHH39Pn3rM83uTkSCB2f/SMpYfjbrPRlEtaCe1mHidkBJzMUPAEk8\
        rZIazQ9d/qKQPkAufeWKqewaePd+wwgNWCtL7haT81W6HmIprz8zU1hD6fxSSC14vghOomia5nSQIwX5q49B\
        q46OFSNKrR+0OhnP+bFXc041atMsCmuW5M5Us1YgLYa2BkOZKrHRHZ7+XhsFgDpLESUoGl3JeJX/x+1lQDRN\
        0WbXr2kSjEXTRDTM4WLzxFpQKeposkXphLFHYRZIFM0LPB2JWvaN9LMICqyYABb2HGDa+OIGoJqg3iCpbxA9\
        6jr4blzYAMYIuvE/97nif3ha9C7OuqkUJPj9jrGhX/OvCtn05vXQp8kuDn4MigXyqpHuuPm7TwECuL0jOqaK\
        BJbsSlrKutAawVbV/E9B9iaTmWypUD3qGoeVtEOMXVH2lBZC26t4786m6EBK98JVVRKgoLCpvspwdCbWyX6o\
        z3mdbcqj4jHpzEwF5qmmBbntFfdfWAgxg8aCncGCKEMMbjc2jlpe",
    signature: Some("3d2fb373f41babd33d0151a888a05c0486bdeafd"),
    msg_signature: Some("de165ba6b30342d64fa16c39cab10935f6144ebd"),
};

/// Source: own: reply.
pub(crate) const KAT_11: KnownAnswer = KnownAnswer {
    name: "KAT-11",
    token: "GreedIsGood",
    encoding_aes_key: "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6",
    app_id: "wxabb8e5e80f591861",
    timestamp: "1700000002",
    nonce: "1234567890",
    random: b"fedcba9876543210",
    padding: 5,
    message: "\
        <xml><ToUserName><![CDATA[oJqxQwYRyZMXFTc8sipB5TSe6Vw4]]></ToUserName><FromUserName>\
        <![CDATA[gh_b4f0e22ae50e]]></FromUserName><CreateTime>1700000002</CreateTime><MsgTyp\
        e><![CDATA[text]]></MsgType><Content><![CDATA[登录成功]]></Content></xml>",
    encrypt: "\
        BFQvMmBQyQTEhZAGBkNKPVSUkEaRHk7n5Tfp3aymPMU9rfL3iQX5hpGf+ZPEBtpjGK4pkqLEG+Oo53HkPtE1\
        YZ+WoKWU9LK//37IbC7HezV4iytMXT9tLR2nFb0OfSF0saRm3mAcvkOwP/hZwtlaqJU2fHgUCQ8VpEyplTBP\
        R4YJVyO0VZMLNLTc4nvITxPmgW0HXc4P2tZiQ5TwjAMib5oAN7oUo0NJ8mWN8xf5hBZ0XzY/fX/SOyZCgz/C\
        e1M2BQTush9WQdqIvd28s9HDQFFHt/DwjDsL2yY9X4JZHxA6W/BgdNwZhrOQDSsDbUEcim8PVMJnu+mK0RJ5\
        fvElwkha1vcSkNy5rWcSo0zosho903dsIxgb5i7txN1IGzg2",
    signature: None,
    msg_signature: Some("c3fd19709d98f70cbcf461e9e2d36b497403d378"),
};

/// Source: own: a full block of padding.
pub(crate) const KAT_12: KnownAnswer = KnownAnswer {
    name: "KAT-12",
    token: "GreedIsGood",
    encoding_aes_key: "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6",
    app_id: "wxabb8e5e80f591861",
    timestamp: "1700000001",
    nonce: "1234567890",
    random: b"0123456789abcdef",
    padding: 32,
    message: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    encrypt: "\
        WqL8ykBz8RApyj3rlc8PHnGNegXpC2Zjq5DbImXAN4X6bW5PNbNWdFtkbRbhem58WwjYjGBei11wCjDd6Z5F\
        bXli08dh5Ewu79oUKObROkcuwQFudL89fXsgikthGSsxf61bQ2YZbysV66wKAzjaV4z8lDFqoSm4oBB81ghh\
        aCM=",
    signature: None,
    msg_signature: None,
};
