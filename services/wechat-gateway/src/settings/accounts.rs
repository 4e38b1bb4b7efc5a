//! All Official Accounts: the one of the section `wechat`, and those with names.

use std::collections::BTreeMap;

use login_protocol::account::{AccountName, DEFAULT};
use service_kit::settings::{NamedTable, Reader, Section};

use super::{
    account::{APP_ID, AccountSettings},
    profile::ProfileSettings,
    qr_codes::QrCodeSettings,
    reply::ReplySettings,
};

/// The accounts beside the one of the section `wechat`, which is called `default`.
pub static ACCOUNTS: NamedTable = NamedTable {
    kind: "account",
    own_section: "wechat",
    meaning: "Every further account has a name: a lower-case letter and up to 31 lower-case letters and \
              digits, but not `default` or `oauth`. `[account.shop]` in TOML is \
              `GATEWAY__ACCOUNT__SHOP__APP_ID` in the environment, and its callback is \
              `/wechat/shop/callback`. Credentials and relay are its own; replies, profile rules and \
              limits are those of the sections without a name unless it sets them.",
    meaning_zh: "其他公众号各起一个名字：小写字母开头，后面最多 31 个小写字母或数字，不能叫 `default` 或 `oauth`。\
                 TOML 里写 `[account.shop]`，环境变量写 `GATEWAY__ACCOUNT__SHOP__APP_ID`，\
                 回调地址是 `/wechat/shop/callback`。凭据和转发只用它自己的；\
                 回复、资料和限制如果没有单独设置，就用上面不带名字的那些。",
};

/// Names that mean something else: the account of the section `wechat`, and the pages below
/// `/wechat/oauth`.
const RESERVED_NAMES: [&str; 2] = [DEFAULT, "oauth"];

/// The Official Accounts. There is at least one.
#[derive(Debug, Clone)]
pub struct AccountsSettings {
    /// The account of the section `wechat`, called `default`.
    pub default: Option<AccountSettings>,
    /// The accounts with names.
    pub named: BTreeMap<AccountName, AccountSettings>,
}

impl AccountsSettings {
    /// Every account with its name, `default` first.
    pub fn iter(&self) -> impl Iterator<Item = (AccountName, &AccountSettings)> {
        let default = self.default.iter();
        let named = self.named.iter();
        default
            .map(|account| (AccountName::default(), account))
            .chain(named.map(|(name, account)| (name.clone(), account)))
    }

    /// The account of this name.
    pub fn named(&self, name: &AccountName) -> Option<&AccountSettings> {
        if *name == AccountName::default() {
            self.default.as_ref()
        } else {
            self.named.get(name)
        }
    }

    /// What Redis holds of an account bears its AppID, so two tables can't be one account.
    fn complain_of_shared_app_ids(&self, reader: &mut Reader<'_>) {
        let default = self.default.iter();
        let mut names: BTreeMap<&str, &str> = default
            .map(|account| (account.credentials.app_id.as_str(), DEFAULT))
            .collect();
        for (name, account) in &self.named {
            let app_id = account.credentials.app_id.as_str();
            if let Some(other) = names.insert(app_id, name.as_str()) {
                let wrong = format!("is also the AppID of the account {other}");
                reader.complain_in_table(&ACCOUNTS, name.as_str(), &APP_ID, &wrong);
            }
        }
    }
}

impl Section for AccountsSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Without a name there is an account if anything is set that only accounts have. If nothing
        // is set at all, it is the one that is missing.
        let has_default = AccountSettings::is_any_set(reader) || !reader.has_tables(&ACCOUNTS);
        let default: Option<AccountSettings> = if has_default {
            reader.section()
        } else {
            // The sections that apply to the others are read nevertheless.
            let _: Option<ReplySettings> = reader.section();
            let _: Option<ProfileSettings> = reader.section();
            let _: Option<QrCodeSettings> = reader.section();
            None
        };
        let named = reader.tables(&ACCOUNTS, &RESERVED_NAMES, Reader::section);
        let accounts = Self {
            default,
            named: named?,
        };
        accounts.complain_of_shared_app_ids(reader);
        (accounts.default.is_some() == has_default).then_some(accounts)
    }
}
