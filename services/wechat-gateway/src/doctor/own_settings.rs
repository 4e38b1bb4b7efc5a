//! The settings that an account's findings name: its own, not those of the account `default`.

use service_kit::settings::declarations;

use crate::settings::{ACCOUNTS, GatewaySettings, PREFIX};

/// A text about the account `default`, as it is about another one: `GATEWAY__WECHAT__TOKEN` becomes
/// `GATEWAY__ACCOUNT__SHOP__TOKEN`.
pub(super) fn in_account(account: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for declared in declarations::<GatewaySettings>(PREFIX) {
        let is_its_own = declared
            .table
            .is_some_and(|table| table.kind == ACCOUNTS.kind);
        if !is_its_own || declared.inherited {
            continue;
        }
        let (ours, theirs) = (
            declared.key.name(),
            declared.name.replace("<name>", account),
        );
        text = replaced(&text, ours, &theirs);
        text = replaced(&text, &variable(ours), &variable(&theirs));
    }
    text
}

/// The environment's form of a setting's name.
fn variable(name: &str) -> String {
    format!("{PREFIX}__{}", name.replace('.', "__")).to_uppercase()
}

/// Replaces a name where it is no part of a longer one.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let after = &found[name.len()..];
        let goes_on = after
            .starts_with(|character: char| character.is_ascii_alphanumeric() || character == '_');
        result.push_str(before);
        result.push_str(if goes_on { name } else { by });
        rest = after;
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::in_account;

    #[test]
    fn an_account_is_told_of_its_own_settings() {
        for (default, shop) in [
            (
                "set GATEWAY__WECHAT__TOKEN (令牌)",
                "set GATEWAY__ACCOUNT__SHOP__TOKEN (令牌)",
            ),
            ("wechat.token is short", "account.shop.token is short"),
            ("GATEWAY__RELAY__URL", "GATEWAY__ACCOUNT__SHOP__RELAY_URL"),
            (
                "GATEWAY__WECHAT__TOKEN_MODE",
                "GATEWAY__ACCOUNT__SHOP__TOKEN_MODE",
            ),
            ("GATEWAY__WECHAT__PROXY_URL", "GATEWAY__WECHAT__PROXY_URL"),
            ("GATEWAY__PUBLIC__URL", "GATEWAY__PUBLIC__URL"),
        ] {
            assert_eq!(in_account("shop", default), shop);
        }
    }
}
