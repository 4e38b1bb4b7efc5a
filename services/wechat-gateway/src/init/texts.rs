//! What `init` says and writes, in both languages.

use std::{fmt::Write as _, io, path::Path};

use super::{answers::Answers, secrets::Secrets};

/// The language of everything that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

/// The texts of one language.
pub(super) struct Texts {
    language: Language,
    pub(super) ask_app_id: &'static str,
    pub(super) ask_app_secret: &'static str,
    pub(super) ask_domain: &'static str,
}

static ENGLISH: Texts = Texts {
    language: Language::English,
    ask_app_id: "AppID of the Official Account (wx…):",
    ask_app_secret: "AppSecret (Enter: fill it in later):",
    ask_domain: "Domain of the login, such as login.example.com:",
};

static CHINESE: Texts = Texts {
    language: Language::Chinese,
    ask_app_id: "公众号的 AppID（wx 开头）：",
    ask_app_secret: "AppSecret（直接回车则以后再填）：",
    ask_domain: "登录页面的域名，例如 login.example.com：",
};

impl Language {
    /// That of a POSIX locale such as `zh_CN.UTF-8`.
    pub(super) fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@', '-']).next();
        if language == Some("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

impl Texts {
    pub(super) fn exists(&self, path: &Path) -> String {
        let path = path.display();
        match self.language {
            Language::English => format!("{path} exists already; --force overwrites it"),
            Language::Chinese => format!("{path} 已经存在；加上 --force 才会覆盖"),
        }
    }

    pub(super) fn not_written(&self, path: &Path, error: &io::Error) -> String {
        let path = path.display();
        match self.language {
            Language::English => format!("{path} can't be written: {error}"),
            Language::Chinese => format!("无法写入 {path}：{error}"),
        }
    }

    /// The file's text. `owner` is who may write backups, as `uid:gid`.
    pub(super) fn settings(&self, answers: &Answers, secrets: &Secrets, owner: &str) -> String {
        let head = match self.language {
            Language::English => {
                "Made by `wechat-gateway init`. It holds secrets: keep it readable for yourself alone, and keep a copy."
            }
            Language::Chinese => {
                "由 `wechat-gateway init` 生成。里面有密钥：只让自己可读，并另存一份备份。"
            }
        };
        let Answers {
            app_id,
            app_secret,
            domain,
        } = answers;
        let mut text = format!(
            "# {head}\n\
             COMPOSE_PROFILES=tls,backup\n\
             DOMAIN={domain}\n\
             SITE__PUBLIC__URL=https://{domain}\n\
             GATEWAY__PUBLIC__URL=https://{domain}\n\
             GATEWAY__WECHAT__APP_ID={app_id}\n\
             GATEWAY__WECHAT__APP_SECRET={app_secret}\n\
             GATEWAY__WECHAT__TOKEN={}\n\
             GATEWAY__WECHAT__ENCODING_AES_KEY={}\n\
             GATEWAY__INTERNAL__API_KEY={}\n\
             SITE__OIDC__SECRET={}\n\
             BACKUP_USER={owner}\n",
            secrets.token,
            secrets.encoding_aes_key,
            secrets.api_key,
            secrets.oidc,
            app_id = app_id.as_str(),
        );
        for (user, password) in &secrets.redis {
            let _ = writeln!(text, "REDIS_{user}_PASSWORD={password}");
        }
        text
    }

    /// What to do next, step by step.
    pub(super) fn steps(&self, answers: &Answers, secrets: &Secrets, path: &Path) -> String {
        let Answers {
            domain, app_secret, ..
        } = answers;
        let path = path.display();
        let (token, key) = (&secrets.token, &secrets.encoding_aes_key);
        let mut text = match self.language {
            Language::English => format!("Wrote {path}, readable for you alone.\n\n"),
            Language::Chinese => format!("已写入 {path}，只有你自己可读。\n\n"),
        };
        if app_secret.is_empty() {
            text.push_str(match self.language {
                Language::English => {
                    "0. Fill in GATEWAY__WECHAT__APP_SECRET: the AppSecret stands in WeChat's console.\n"
                }
                Language::Chinese => "0. 填写 GATEWAY__WECHAT__APP_SECRET：AppSecret 在微信后台查看。\n",
            });
        }
        let steps = match self.language {
            Language::English => format!(
                "1. In WeChat's console (https://developers.weixin.qq.com/platform, 我的业务 > the account):\n   \
                    add this server's outgoing IP address to the IP whitelist (IP白名单).\n\
                 2. Let {domain} point to this server, with the ports 80 and 443 open. Then start:\n   \
                    mkdir -p backups && docker compose --env-file {path} up --detach\n\
                 3. In the console, under 服务器配置, enter, save and enable:\n   \
                    URL (服务器地址):               https://{domain}/wechat/callback\n   \
                    Token (令牌):                   {token}\n   \
                    EncodingAESKey (消息加解密密钥): {key}\n   \
                    mode (消息加解密方式):          safe mode (安全模式)\n   \
                    data format:                    XML\n\
                 4. Under 接口权限 > 网页授权, enter {domain} as 网页授权域名. The console names a file\n   \
                    MP_verify_….txt: set GATEWAY__PUBLIC__VERIFICATION_FILES to its name, repeat step 2, confirm.\n\
                 5. See whether all is well:\n   \
                    docker compose --env-file {path} run --rm wechat-gateway doctor\n\
                 A test account (接口测试号) knows plain mode only: empty GATEWAY__WECHAT__ENCODING_AES_KEY for it.\n"
            ),
            Language::Chinese => format!(
                "1. 打开微信后台（https://developers.weixin.qq.com/platform，“我的业务”中选择公众号），\n   \
                    把本服务器的出口 IP 加入“IP白名单”。\n\
                 2. 将 {domain} 解析到本服务器，开放 80 和 443 端口，然后启动：\n   \
                    mkdir -p backups && docker compose --env-file {path} up --detach\n\
                 3. 在后台的“服务器配置”中填写以下内容，保存并启用：\n   \
                    服务器地址(URL)：{url}\n   \
                    令牌(Token)：{token}\n   \
                    消息加解密密钥(EncodingAESKey)：{key}\n   \
                    消息加解密方式：安全模式\n   \
                    数据格式：XML\n\
                 4. 在“接口权限 > 网页授权”中把 {domain} 填为“网页授权域名”。后台会要求一个\n   \
                    MP_verify_….txt 文件：把文件名填入 GATEWAY__PUBLIC__VERIFICATION_FILES，重复第 2 步，再回后台确认。\n\
                 5. 检查是否一切正常：\n   \
                    docker compose --env-file {path} run --rm wechat-gateway doctor\n\
                 接口测试号只有明文模式：请把 GATEWAY__WECHAT__ENCODING_AES_KEY 留空。\n",
                url = format_args!("https://{domain}/wechat/callback"),
            ),
        };
        text + &steps
    }
}
