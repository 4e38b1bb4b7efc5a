//! `site client new NAME --redirect-uri …`: a section for the settings, with a fresh secret.

use std::process::ExitCode;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use service_kit::{
    command_line::{Invocation, RunningSubcommand, Subcommand},
    random,
};

use crate::settings::{
    PREFIX, SiteSettings,
    oidc::{ClientName, redirect_uris},
};

/// The subcommand.
pub(crate) const SUBCOMMAND: Subcommand<SiteSettings> = Subcommand {
    name: "client",
    about: "Make a client of the OpenID Connect provider: prints its section of the settings",
    arguments: &[
        ("action", "new"),
        (
            "name",
            "The client's name: a lower-case letter, then lower-case letters and digits",
        ),
    ],
    flags: &[(
        "public",
        "The client can't keep a secret: an app, or a page's own script",
    )],
    options: &[(
        "redirect-uri",
        "URI",
        "Where visitors are sent with the answer; several with commas",
    )],
    run: |invocation| -> RunningSubcommand { Box::pin(async move { run(&invocation) }) },
};

#[expect(clippy::print_stdout, reason = "it is what the command is for")]
fn run(invocation: &Invocation<SiteSettings>) -> ExitCode {
    match section(invocation) {
        Ok(section) => {
            print!("{section}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("site: {wrong}");
            ExitCode::from(2)
        }
    }
}

fn section(invocation: &Invocation<SiteSettings>) -> Result<String, String> {
    let given = |name: &str| invocation.options.get(name).map(String::as_str);
    if given("action") != Some("new") {
        return Err("the only action is new: site client new NAME --redirect-uri URI".to_owned());
    }
    let name = given("name").unwrap_or_default();
    let name = ClientName::try_from(name.to_owned())
        .map_err(|wrong| format!("{name:?} can't be a client's name: {wrong}"))?;
    let uris = given("redirect-uri").ok_or_else(|| {
        "--redirect-uri is missing; example: --redirect-uri https://wiki.example.com/callback"
            .to_owned()
    })?;
    let uris = redirect_uris(uris).map_err(|wrong| format!("--redirect-uri {wrong}"))?;
    let secret = if invocation.flags.contains(&"public") {
        None
    } else {
        let bytes = random::bytes::<32>().map_err(|error| error.to_string())?;
        Some(URL_SAFE_NO_PAD.encode(bytes))
    };
    Ok(written(&name, &uris, secret.as_deref()))
}

/// The section in both forms; one of them is enough.
fn written(name: &ClientName, uris: &[String], secret: Option<&str>) -> String {
    let quoted: Vec<String> = uris.iter().map(|uri| format!("\"{uri}\"")).collect();
    let quoted = quoted.join(", ");
    let table = format!("{PREFIX}__CLIENT__{}", name.as_str().to_uppercase());
    let in_toml = secret.map_or(String::new(), |secret| format!("secret = \"{secret}\"\n"));
    let in_environment = secret.map_or(String::new(), |secret| {
        format!("{table}__SECRET={secret}\n")
    });
    format!(
        "# In the site's TOML file:\n[client.{name}]\n{in_toml}redirect_uris = [{quoted}]\n\n\
         # Or in its environment:\n{in_environment}{table}__REDIRECT_URIS={}\n\n\
         # The software itself needs: the issuer, which is SITE__PUBLIC__URL; client_id {name}{}.\n",
        uris.join(","),
        if secret.is_some() {
            "; and the secret"
        } else {
            "; no secret, but PKCE with S256"
        },
    )
}
