//! The owner's console.

use login_protocol::{account::AccountName, identity::OpenId};
use service_kit::settings::{Default, Key, Reader, Section};

/// Who may sign in by WeChat.
pub(super) static OPENIDS: Key<Vec<OpenId>> = Key {
    name: "console.openids",
    default: Default::Unset,
    example: "oOwner1openid0000000000000001,oOwner2openid0000000000000002",
    meaning: "the OpenIDs of those who may sign in to the console by WeChat; several with commas. Needs \
              `public.url`",
    meaning_zh: "可以用微信登录控制台的人的 OpenID，多个用逗号隔开。需要 `public.url`",
    secret: false,
    parse: |value| {
        let openids = value.split(',').map(str::trim);
        let openids: Result<Vec<_>, _> = openids
            .filter(|openid| !openid.is_empty())
            .map(OpenId::parse)
            .collect();
        let openids = openids.map_err(|_| "holds something that is no OpenID".to_owned())?;
        if openids.is_empty() {
            return Err("names nobody".to_owned());
        }
        Ok(openids)
    },
};

/// Whose identifiers they are.
pub(super) static ACCOUNT: Key<AccountName> = Key {
    name: "console.account",
    default: Default::Text("default"),
    example: "shop",
    meaning: "the account whose OpenIDs they are",
    meaning_zh: "这些 OpenID 属于哪个公众号",
    secret: false,
    parse: |value| AccountName::parse(value).map_err(|_| "is no name of an account".to_owned()),
};

/// Who may sign in to the console by WeChat.
#[derive(Clone)]
pub struct ConsoleOwners {
    /// The account that they scan a code of.
    pub account: AccountName,
    /// Who they are there.
    pub openids: Vec<OpenId>,
}

impl std::fmt::Debug for ConsoleOwners {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ConsoleOwners({} people)", self.openids.len())
    }
}

/// The section: without owners nobody signs in by WeChat.
#[derive(Debug, Clone)]
pub(super) struct ConsoleSection(pub(super) Option<ConsoleOwners>);

impl Section for ConsoleSection {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let openids = reader.optional(&OPENIDS);
        let account = reader.value(&ACCOUNT);
        let (openids, account) = (openids?, account?);
        Some(Self(
            openids.map(|openids| ConsoleOwners { account, openids }),
        ))
    }
}
